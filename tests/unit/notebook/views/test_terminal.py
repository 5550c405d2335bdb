"""A view in a terminal: lines, one bar, and answers of a chat on one line."""

from __future__ import annotations

import io

from colony_jupyter.notebook.model.changes import NewEntries, ProcessChange
from colony_jupyter.notebook.views.terminal import TextView
from colony_jupyter.wire.models import ProcessState


def test_a_terminal_gets_lines_and_one_bar(run_in):
    out = io.StringIO()
    run_in(TextView("long-task", stream=out))
    text = out.getvalue()
    lines = [line.rsplit("\r", 1)[-1] for line in text.rstrip("\n").split("\n")]
    assert lines[0] == "long-task 424d6828: WAITING, waiting for an executor of type 'cli'"
    assert lines[1] == "long-task 424d6828: RUNNING on laptop-7f3a"
    assert lines[2].endswith("laptop-7f3a  hello there")
    assert lines[3].endswith("resumed")
    assert lines[-1] == 'Output: "ok"'
    assert "step 3/3" in text
    assert "\x1b]0;" not in text
    assert sum("step" in line for line in lines) == 1


def test_a_terminal_repeats_no_line_because_time_goes_by(make):
    out = io.StringIO()
    view = TextView("long-task", stream=out)
    for minutes in (4, 5, 6):
        heard = f"waiting for 1 executor of type 'x', last heard {minutes} min ago"
        view.feed(ProcessChange(make.record(ProcessState.WAITING), waiting_for=heard))
        view.flush()
    view.feed(
        ProcessChange(make.record(ProcessState.WAITING), waiting_for="waiting for an executor of type 'x' to be free")
    )
    view.flush()
    assert out.getvalue().splitlines() == [
        "long-task 424d6828: WAITING, waiting for 1 executor of type 'x', last heard 4 min ago",
        "long-task 424d6828: WAITING, waiting for an executor of type 'x' to be free",
    ]


def test_a_chat_in_a_terminal_streams_on_one_line(make):
    out = io.StringIO()
    view = TextView("chat", kind="chat", stream=out)
    view.feed(NewEntries("chat", [make.entry("hello?", mine=True)], make.names, make.me))
    view.flush()
    for piece in ("Hel", "lo", "!"):
        view.feed(NewEntries("chat", [make.entry(piece, inreplyto=1)], make.names, make.me))
        view.flush()
    view.feed(NewEntries("chat", [make.entry("", type="turn", inreplyto=1)], make.names, make.me))
    view.finish()
    assert out.getvalue() == "laptop-7f3a: Hello!\n"
