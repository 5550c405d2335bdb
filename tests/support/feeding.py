"""What feeds a view without any colony: the first cell of the notebooks that try the pane."""

from __future__ import annotations

FEED = """
import threading, time
from datetime import datetime, UTC
from colony_jupyter.notebook.model.changes import ConnectionChange, Fault, NewEntries, NewLogLines, Note, PlotChoice
from colony_jupyter.notebook.model.changes import ProcessChange, ReadChannels, ReplyDue, TextRefused, WorkflowChange
from colony_jupyter.notebook.views.choose import open_view
from colony_jupyter.notebook.views.base import PaneCallbacks
from colony_jupyter.wire.models import Entry, FunctionSpec, ProcessRecord, ProcessState

def now():
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")

SUBMITTED = now()
calls = []
sequence = 0

def record(state, funcname="long-task", channels=("progress",), **more):
    started = {} if state is ProcessState.WAITING else {"starttime": SUBMITTED, "assignedexecutorid": "e" * 64}
    ended = {"endtime": now()} if state.is_closed else {}
    spec = FunctionSpec(funcname=funcname, channels=list(channels))
    times = {"submissiontime": SUBMITTED, **started, **ended}
    return ProcessRecord(processid="424d6828" + "0" * 56, state=state, spec=spec, **times, **more)

def entry(text, who="e", kind="data", inreplyto=0):
    global sequence
    sequence += 1
    payload = text if isinstance(text, bytes) else text.encode()
    return Entry(sequence=sequence, timestamp=now(), senderid=who * 64, payload=payload, type=kind, inreplyto=inreplyto)

def noted(name):
    return lambda *values: calls.append((name, *values))

def opened(kind="log", title="long-task"):
    callbacks = PaneCallbacks(*(noted(name) for name in PaneCallbacks.__struct_fields__))
    return open_view(title, kind=kind, callbacks=callbacks)

def feed(view, channel, *texts, **how):
    view.feed(NewEntries(channel, [entry(text, **how) for text in texts], {"e" * 64: "laptop-7f3a"}, "a" * 64))

def running(view, **how):
    view.feed(ProcessChange(record(ProcessState.RUNNING, **how), "laptop-7f3a"))
"""
