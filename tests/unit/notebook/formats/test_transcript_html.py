from __future__ import annotations

import base64
import html
import json
from typing import TYPE_CHECKING

import pytest

from colony_jupyter.notebook.formats.transcript_html import PROGRESS, ROWS, bundle
from colony_jupyter.notebook.model.changes import Fault, NewEntries, Note, ProcessChange
from colony_jupyter.notebook.model.pane_model import PaneModel
from colony_jupyter.wire.models import ProcessState

if TYPE_CHECKING:
    from collections.abc import Iterator


def size(model):
    return len(json.dumps(bundle(model, 0.0), ensure_ascii=False).encode())


def test_it_states_what_happened(make, clock):
    model = PaneModel("long-task", "log", clock)
    model.feed(ProcessChange(make.record(ProcessState.SUCCESS, output=["Task completed!"]), "laptop-7f3a"))
    model.feed(NewEntries("progress", [make.entry("step <1>"), make.entry("", type="end")], make.names, make.me))
    model.feed(Note("resumed"))
    made = bundle(model, clock())
    first, entry, note, result, written = made["text/plain"].splitlines()
    assert first == "SUCCESS long-task 424d6828 on laptop-7f3a"
    assert entry.endswith("  laptop-7f3a  step <1>")
    assert note.endswith("resumed")
    assert result == 'Output: "Task completed!"'
    assert written.startswith("(transcript written 20")
    assert "step &lt;1&gt;" in made["text/html"]
    assert "<1>" not in made["text/html"]


@pytest.mark.parametrize("text", ["x" * 80, "<&>\"'" * 2000, "ü€😀" * 3000, "\u202e\0\x1b" * 2000, "a\n\\" * 2000])
@pytest.mark.parametrize("kind", ["log", "chat"])
def test_it_stays_under_50_kb(make, clock, kind, text):
    model = PaneModel("long-task", kind, clock)
    model.feed(ProcessChange(make.record(ProcessState.FAILED, errors=[text * 10] * 20), text))
    count = 5 if "\n" in text else 1000  # each line is a row
    model.feed(NewEntries("progress", [make.entry(text) for _ in range(count)], {make.executor: text}, make.me))
    model.feed(Fault(text))
    assert size(model) < 50_000


def test_it_states_how_much_it_omits(make, clock):
    model = PaneModel("long-task", "log", clock)
    model.feed(NewEntries("progress", [make.entry(f"{at}") for at in range(ROWS + 1300)], make.names, make.me))
    made = bundle(model, clock())
    assert "1,300 earlier rows are not in this transcript" in made["text/plain"]
    assert made["text/plain"].count("laptop") == ROWS


def test_a_chat_reads_as_one(make, clock):
    model = PaneModel("chat", "chat", clock)
    model.feed(NewEntries("chat", [make.entry("hello?", mine=True)], make.names, make.me))
    model.feed(
        NewEntries("chat", [make.entry("Hel", inreplyto=1), make.entry("lo!", inreplyto=1)], make.names, make.me)
    )
    lines = bundle(model, clock())["text/plain"].splitlines()
    assert lines[1].endswith("you  hello?")
    assert lines[2].endswith("laptop-7f3a  Hello!")


def test_a_chat_whose_turn_is_answered_does_not_run(make, clock):
    model = PaneModel("chat", "chat", clock)
    model.feed(ProcessChange(make.record(ProcessState.RUNNING), "laptop-7f3a"))
    model.feed(NewEntries("chat", [make.entry("hello?", mine=True)], make.names, make.me))
    assert bundle(model, clock())["text/plain"].startswith("RUNNING long-task 424d6828 with laptop-7f3a\n")
    model.feed(NewEntries("chat", [make.entry("Hello!")], make.names, make.me))
    made = bundle(model, clock())
    assert made["text/plain"].startswith("answered long-task 424d6828 with laptop-7f3a\n")
    assert '<summary><small style="opacity:.7">answered</small> <bdi>long-task' in made["text/html"]
    assert "RUNNING" not in made["text/html"]


def test_progress_is_one_line_and_no_flood(make, clock):
    model = PaneModel("long-task", "log", clock)
    model.feed(NewEntries("progress", [make.entry("begun")], make.names, make.me))
    model.feed(NewEntries("progress", [make.entry(f"step {at}/1000") for at in range(1, 751)], make.names, make.me))
    made = bundle(model, clock())
    _, bar, left_out, first, *rest = made["text/plain"].splitlines()
    assert bar == f"750/1000 ▕{'█' * 22}{'░' * 8}▏ 75 %"
    assert bar in made["text/html"]
    assert left_out == "… 730 earlier rows are not in this transcript"
    assert first.endswith("begun")
    assert len([line for line in rest if "step" in line]) == PROGRESS
    assert rest[-2].endswith("step 750/1000")


def test_a_long_stream_costs_no_more_than_a_short_one(make, clock):
    """What is looked at is bounded, whatever it is."""
    model = PaneModel("long-task", "log", clock)
    model.feed(NewEntries("progress", [make.entry(f"step {at}/9000") for at in range(1, 5001)], make.names, make.me))
    looked_at = 0

    class Counting(list):
        def __reversed__(self) -> Iterator[object]:
            nonlocal looked_at
            for row in super().__reversed__():
                looked_at += 1
                yield row

    model.store._rows = Counting(model.store._rows)
    bundle(model, clock())
    assert PROGRESS <= looked_at <= 10 * ROWS


def picture_entry(make, size):
    data = b"\x89PNG\r\n\x1a\n" + bytes(size)
    bundle = {"image/png": base64.b64encode(data).decode(), "text/plain": "Figure"}
    return make.entry(json.dumps(bundle), type="display")


@pytest.mark.parametrize("rows", [0, 500])
def test_a_picture_remains_if_it_fits(make, clock, rows):
    model = PaneModel("plot", "log", clock)
    model.feed(NewEntries("plots", [make.entry("x" * 400) for _ in range(rows)], make.names, make.me))
    model.feed(NewEntries("plots", [picture_entry(make, 9_000)], make.names, make.me))
    assert 'src="data:image/png;base64,iVBOR' in bundle(model, 0.0)["text/html"]
    assert size(model) < 50_000
    model.feed(NewEntries("plots", [picture_entry(make, 40_000)], make.names, make.me))
    page = bundle(model, 0.0)["text/html"]
    assert "<img" not in page
    assert "is not in this transcript: process.channel('plots').read() returns it." in html.unescape(page)
    output = [json.loads(picture_entry(make, 9_000).payload)]
    model.feed(ProcessChange(make.record(ProcessState.SUCCESS, output=output)))
    assert "<img" in bundle(model, 0.0)["text/html"]
    assert size(model) < 50_000
