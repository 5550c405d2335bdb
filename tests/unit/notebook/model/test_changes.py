"""Every kind of change has an effect on what a page or a transcript is given."""

from __future__ import annotations

from typing import get_args

import pytest

from colony_jupyter.notebook.formats.transcript_html import bundle
from colony_jupyter.notebook.model.changes import (
    Change,
    ConnectionChange,
    Fault,
    Finished,
    MemberPane,
    NewEntries,
    NewLogLines,
    Note,
    PlotChoice,
    ProcessChange,
    ReadChannels,
    ReplyDue,
    TextRefused,
    WorkflowChange,
    WriteAccess,
)
from colony_jupyter.notebook.model.pane_model import PaneModel
from colony_jupyter.wire.models import Log, ProcessState, Workflow

LINE = Log(processid="p", colonyname="c", executorname="laptop", message="line", timestamp=1)


@pytest.fixture
def changes(make) -> list[Change]:
    record = make.record(ProcessState.RUNNING)
    workflow = Workflow(processgraphid="f" * 64, colonyname="dev", state=ProcessState.RUNNING)
    return [
        ProcessChange(record, "laptop"),
        NewEntries("progress", [make.entry("hello")], make.names, make.me),
        NewLogLines([LINE]),
        WorkflowChange(workflow, [record], {}),
        MemberPane("a" * 64, "widget"),
        ConnectionChange("polling", "no subscription"),
        ReadChannels(["metrics"]),
        PlotChoice("metrics"),
        Note("a remark"),
        Fault("an error"),
        TextRefused("chat", "my text", "the channel is full"),
        WriteAccess(allowed=False),
        ReplyDue(due=True),
        Finished(),
    ]


def test_each_kind_is_fed_here(changes):
    assert {type(change) for change in changes} == set(get_args(Change))


def test_each_kind_has_an_effect(changes, clock):
    for change in changes:
        kind = "workflow" if isinstance(change, WorkflowChange | MemberPane) else "log"
        model = PaneModel("long-task", kind, clock)
        if isinstance(change, MemberPane):
            model.feed(changes[3])
        elif not isinstance(change, ProcessChange | WorkflowChange):  # the process is known before
            model.feed(changes[0])
        before = (model.snapshot(), bundle(model, clock.at))
        model.batch()
        model.feed(change)
        assert (model.snapshot(), bundle(model, clock.at)) != before, change
        assert model.batch() is not None, change
