import json

import pytest

from colony_jupyter.notebook.model import PaneModel
from colony_jupyter.notebook.transcript import ROWS, bundle
from colony_jupyter.wire.models import ProcessState


def size(model):
    return len(json.dumps(bundle(model, 0.0), ensure_ascii=False).encode())


def test_it_says_what_happened(make, clock):
    model = PaneModel("long-task", "log", clock)
    model.process(make.record(ProcessState.SUCCESS, output=["Task completed!"]), "laptop-7f3a")
    model.entries("progress", [make.entry("step <1>"), make.entry("", type="end")], make.names, make.me)
    model.note("resumed")
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
    model.process(make.record(ProcessState.FAILED, errors=[text * 10] * 20), text)
    model.entries("progress", [make.entry(text) for _ in range(1000)], {make.executor: text}, make.me)
    model.fault(text)
    assert size(model) < 50_000


def test_it_says_how_much_it_leaves_out(make, clock):
    model = PaneModel("long-task", "log", clock)
    model.entries("progress", [make.entry(f"{at}") for at in range(ROWS + 1300)], make.names, make.me)
    made = bundle(model, clock())
    assert "1,300 earlier rows are not in this transcript" in made["text/plain"]
    assert made["text/plain"].count("laptop") == ROWS


def test_a_chat_reads_as_one(make, clock):
    model = PaneModel("chat", "chat", clock)
    model.entries("chat", [make.entry("hello?", mine=True)], make.names, make.me)
    model.entries("chat", [make.entry("Hel", inreplyto=1), make.entry("lo!", inreplyto=1)], make.names, make.me)
    lines = bundle(model, clock())["text/plain"].splitlines()
    assert lines[1].endswith("you  hello?")
    assert lines[2].endswith("laptop-7f3a  Hello!")
