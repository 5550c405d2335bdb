"""Rows of entries and of lines of the process log, in a pane, a transcript and a terminal."""

from __future__ import annotations

import io
import json

import pytest

from colony_jupyter.notebook.formats.transcript_html import bundle
from colony_jupyter.notebook.model.changes import NewEntries, NewLogLines, Note, ProcessChange
from colony_jupyter.notebook.model.pane_model import PaneModel
from colony_jupyter.notebook.model.rows import LOG
from colony_jupyter.notebook.views.terminal import TextView
from colony_jupyter.wire.models import FunctionSpec, Log, ProcessState

BASE = 1_795_000_000_000_000_000


def lines(*texts, executorname="laptop-7f3a"):
    return [
        Log(processid="p", colonyname="c", executorname=executorname, message=text, timestamp=BASE + number)
        for number, text in enumerate(texts)
    ]


@pytest.fixture
def model(clock):
    return PaneModel("execute", "log", clock)


def feed(model, make, *entries):
    model.feed(NewEntries("progress", entries, make.names, make.me))


def shown(model):
    return [row.text for row in model.store]


def test_rows_have_the_time_the_executor_and_their_number(model):
    model.feed(NewLogLines(lines("one")))
    model.feed(NewLogLines(lines("two")))
    rows = model.batch()["rows"]
    assert [(row["c"], row["w"], row["x"], row["s"]) for row in rows] == [
        (LOG, "laptop-7f3a", "one", 1),
        (LOG, "laptop-7f3a", "two", 2),
    ]
    assert rows[0]["t"] == 1_795_000_000_000


def test_the_head_counts_them_apart_from_the_channels(model, make):
    model.feed(ProcessChange(make.record(ProcessState.RUNNING)))
    model.feed(NewLogLines(lines("one", "two")))
    model.feed(NewEntries("progress", [make.entry("entry")], make.names, make.me))
    head = model.batch()["head"]
    assert (head["channels"], head["log"]) == ([("progress", 1)], 2)


def test_all_channels_leave_the_log_out_and_the_log_has_our_own_rows(model, make):
    model.feed(NewLogLines(lines("one")))
    model.feed(NewEntries("progress", [make.entry("entry")], make.names, make.me))
    model.feed(Note("a note"))
    assert [row.text for row in model.store.before(10, 10)] == ["entry", "a note"]
    assert [row.text for row in model.store.before(10, 10, LOG)] == ["one", "a note"]
    assert [row.text for row in model.store.after(-1, 10, "progress")] == ["entry", "a note"]
    assert model.store.search("one")[0] == 0
    assert model.store.search("one", LOG)[0] == 1


def test_a_channel_that_is_named_log_is_another_one(model, make):
    model.feed(NewLogLines(lines("one")))
    for name in ("log", LOG):
        model.feed(NewEntries(name, [make.entry("entry")], make.names, make.me))
    assert [row.text for row in model.store.before(10, 10, LOG)] == ["one"]
    assert model.batch()["head"]["log"] == 1


def test_carriage_returns_overwrite_and_colours_stay(model):
    model.feed(NewLogLines(lines("10%\r", "20%\r", "30%\n", "\x1b[32mgreen\x1b[0m", "two\nlines")))
    assert shown(model) == ["30%", "\x1b[32mgreen\x1b[0m", "two", "lines"]


def test_lines_that_an_executor_cuts_anywhere_are_joined_if_it_ends_lines(model):
    model.feed(NewLogLines(lines("one", "two")))  # as executors of ours do
    model.feed(NewLogLines(lines("Pulling\n", "\n", "a long li", "ne\nand the ", "next", executorname="docker-1")))
    model.feed(NewLogLines(lines("three")))
    assert shown(model) == ["one", "two", "Pulling", "", "a long line", "and the next", "three"]


def test_json_and_what_is_no_text_to_show(model):
    model.feed(NewLogLines(lines('{"loss": 0.5}', "\u202ereversed")))
    assert [row.form for row in model.store] == ["json", "text"]
    assert "\u202e" not in model.store[1].text


def test_progress_drives_the_bar_unless_a_channel_does(model, make):
    model.feed(NewLogLines(lines("Processing step 1/4")))
    assert model.batch()["progress"]["fraction"] == 0.25
    model.feed(NewEntries("progress", [make.entry("Processing step 2/4")], make.names, make.me))
    model.feed(NewLogLines(lines("Processing step 4/4")))
    assert model.batch()["progress"]["fraction"] == 0.5


def test_they_are_downloaded_as_the_wire_has_them(model, make):
    model.feed(NewLogLines(lines("one")))
    model.feed(NewEntries("progress", [make.entry("entry")], make.names, make.me))
    first, second = map(json.loads, model.store.json_lines().splitlines())
    assert first == {
        "processid": "p",
        "colonyname": "c",
        "executorname": "laptop-7f3a",
        "message": "one",
        "timestamp": BASE,
    }
    assert second["channel"] == "progress"


def test_a_transcript_includes_them(model, make, clock):
    model.feed(ProcessChange(make.record(ProcessState.SUCCESS, spec=FunctionSpec(funcname="execute")), "laptop-7f3a"))
    model.feed(NewLogLines(lines("pulling", "<b>done</b>")))
    made = bundle(model, clock())
    assert [line.split("  ")[-1] for line in made["text/plain"].splitlines()[1:3]] == ["pulling", "<b>done</b>"]
    assert "&lt;b&gt;done" in made["text/html"]


def test_a_transcript_marks_them_beside_channels(model, make, clock):
    model.feed(ProcessChange(make.record(ProcessState.RUNNING), "laptop-7f3a"))
    model.feed(NewLogLines(lines("pulling")))
    model.feed(NewEntries("progress", [make.entry("entry")], make.names, make.me))
    plain = bundle(model, clock())["text/plain"]
    assert "[log] pulling" in plain
    assert "[progress] entry" in plain


def test_a_transcript_is_in_the_order_of_time(model, make, clock):
    model.feed(ProcessChange(make.record(ProcessState.RUNNING), "laptop-7f3a"))
    model.feed(NewEntries("progress", [make.entry("second", timestamp="2026-11-18T15:06:41Z")], make.names, make.me))
    model.feed(NewLogLines(lines("first")))
    plain = bundle(model, clock())["text/plain"]
    assert plain.index("first") < plain.index("second")


def test_a_terminal_prints_them(make, clock):
    stream = io.StringIO()
    view = TextView("execute", stream=stream, now=clock)
    view.feed(NewLogLines(lines("pulling", "done")))
    view.finish()
    assert [line.split("  ")[1:] for line in stream.getvalue().splitlines()] == [
        ["laptop-7f3a", "pulling"],
        ["laptop-7f3a", "done"],
    ]


def test_forms_of_payloads(model, make):
    feed(
        model,
        make,
        make.entry(b"\xff\x00" * 100),
        make.entry('{"a": 1}'),
        make.entry("{no json"),
        make.entry("x" * 9000),
    )
    data, json, text, long = model.batch()["rows"]
    assert (data["f"], data["z"], data["x"][:5]) == ("bytes", 200, "ff 00")
    assert json["f"] == "json"
    assert "f" not in text
    assert (len(long["x"]), long["all"]) == (4000, 9000)


def test_searching(model, make):
    feed(model, make, make.entry("Alpha"), make.entry("beta"))
    model.feed(NewEntries("other", [make.entry("alphabet")], make.names, make.me))
    count, found = model.store.search("ALPHA")
    assert (count, [row.number for row in found]) == (2, [0, 2])
    assert model.store.search("alpha", "other")[0] == 1
    assert model.store.search("", limit=1)[1][0].number == 2


def test_json_lines_hold_payloads_as_they_came(model, make):
    feed(model, make, make.entry("\u202ex\x1b[2J"), make.entry(b"\xff"))
    model.feed(Note("ours"))
    first, second = model.store.json_lines().splitlines()
    assert '"text":"\u202ex\\u001b[2J"' in first
    assert '"payload":"/w=="' in second


def row_texts(rows):
    return [row.text for row in rows]


@pytest.fixture
def filled(model, make):
    """Return the store of a pane with rows of two channels in turn."""
    for number in range(6):
        model.feed(NewEntries(["even", "odd"][number % 2], [make.entry(str(number))], make.names, make.me))
    return model.store


def test_rows_are_given_by_number_before_and_after_and_by_channel(filled):
    assert len(filled) == 6
    assert row_texts(filled.between(2, 4)) == ["2", "3"]
    assert row_texts(filled.before(4, 2)) == ["2", "3"]
    assert row_texts(filled.before(4, 2, "even")) == ["0", "2"]
    assert row_texts(filled.after(1, 2)) == ["2", "3"]
    assert row_texts(filled.after(1, 2, "odd")) == ["3", "5"]
    assert row_texts(filled.after(5, 2)) == row_texts(filled.before(0, 2)) == []
    assert row_texts(reversed(filled)) == ["5", "4", "3", "2", "1", "0"]
    assert filled[3].text == "3"


def test_a_row_is_sent_with_what_differs_from_most_rows(model, make):
    model.feed(NewEntries("c", [make.entry("mine", mine=True), make.entry("answer", inreplyto=1)], make.names, make.me))
    model.feed(Note("ours"))
    mine, answer, note = (row.wire() for row in model.store)
    assert (mine["m"], "r" in mine) == (1, False)
    assert (answer["r"], "m" in answer) == (1, False)
    assert (note["k"], "c" in note, "s" in note) == ("note", False, False)


def test_a_text_that_is_cut_states_its_whole_length_and_can_be_had_whole(model, make):
    model.feed(NewEntries("c", [make.entry("x" * 5000)], make.names, make.me))
    (row,) = model.store
    assert (len(row.wire()["x"]), row.wire()["all"]) == (4000, 5000)
    assert (len(row.wire(limit=6000)["x"]), "all" in row.wire(limit=6000)) == (5000, False)
