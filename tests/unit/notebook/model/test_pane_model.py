import json

import pytest

from colony_jupyter.notebook.model.changes import Finished, NewEntries, Note, ProcessChange, ReadChannels
from colony_jupyter.notebook.model.pane_model import PaneModel
from colony_jupyter.notebook.model.rows import WINDOW
from colony_jupyter.wire.models import FunctionSpec, ProcessState


@pytest.fixture
def model(clock):
    return PaneModel("long-task", "log", clock)


@pytest.fixture
def chat(clock):
    return PaneModel("chat", "chat", clock)


def feed(model, make, *entries, channel="progress"):
    model.feed(NewEntries(channel, entries, make.names, make.me))


def spec(*channels):
    return FunctionSpec(funcname="long-task", channels=list(channels))


def texts(batch):
    return [row["x"] for row in batch["rows"]]


def test_a_batch_holds_what_is_new_and_only_that(model, make):
    assert model.batch()["head"]["title"] == "long-task"
    assert model.batch() is None
    feed(model, make, make.entry("one"), make.entry("two"))
    batch = model.batch()
    assert (batch["seq"], batch["end"], texts(batch)) == (0, 2, ["one", "two"])
    feed(model, make, make.entry("three", mine=True))
    batch = model.batch()
    assert (batch["seq"], texts(batch)) == (2, ["three"])
    assert (batch["rows"][0]["w"], batch["rows"][0]["m"]) == ("you", 1)
    assert model.batch() is None


def test_of_a_backlog_only_the_last_window_goes_out(model, make):
    feed(model, make, *(make.entry(f"entry {at}") for at in range(WINDOW + 500)))
    batch = model.batch()
    assert (batch["seq"], batch["end"], len(batch["rows"])) == (500, WINDOW + 500, WINDOW)
    assert [row.number for row in model.store.before(500, 3)] == [497, 498, 499]


def test_a_snapshot_changes_no_batch(model, make):
    feed(model, make, make.entry("one"))
    assert texts(model.snapshot()) == ["one"]
    assert texts(model.batch()) == ["one"]
    feed(model, make, make.entry("two"))
    assert texts(model.snapshot(1)) == ["two"]
    assert model.snapshot(2)["rows"] == []
    assert model.snapshot(2)["seq"] == 2


def test_the_head_follows_the_process(model, make, clock):
    model.feed(ProcessChange(make.record(ProcessState.WAITING), waiting_for="waiting for an executor of type 'cli'"))
    head = model.batch()["head"]
    assert (head["state"], head["waiting"], head["executor"]) == (
        "WAITING",
        "waiting for an executor of type 'cli'",
        "",
    )
    model.feed(
        ProcessChange(make.record(ProcessState.RUNNING, starttime="2026-11-23T12:00:00.123456789Z"), "laptop-7f3a")
    )
    head = model.batch()["head"]
    assert (head["state"], head["waiting"], head["executor"]) == ("RUNNING", "", "laptop-7f3a")
    closed = {"starttime": "2026-11-23T12:00:00Z", "endtime": "2026-11-23T12:00:05.25Z"}
    model.feed(ProcessChange(make.record(ProcessState.SUCCESS, output=["ok"], **closed)))
    batch = model.batch()
    assert batch["head"]["elapsed"] == pytest.approx(5.25)
    assert batch["result"] == {"state": "SUCCESS", "label": "Output", "x": '"ok"'}


def test_a_process_that_its_executor_lost_waits_for_another(model, make):
    model.feed(ProcessChange(make.record(ProcessState.RUNNING), "laptop-7f3a"))
    model.feed(ProcessChange(make.record(ProcessState.WAITING, assignedexecutorid="")))
    assert model.executorname == ""


def test_elapsed_while_running_goes_by_the_clock_and_never_back(model, make, clock):
    model.feed(ProcessChange(make.record(ProcessState.RUNNING, starttime="2099-01-01T00:00:00Z")))
    assert model.elapsed == 0
    clock.at = 5_000_000_000.0
    assert model.elapsed > 0


def test_progress_comes_from_the_other_side(model, make):
    model.feed(ProcessChange(make.record(ProcessState.RUNNING), "laptop-7f3a"))
    feed(model, make, make.entry("1/2", mine=True))
    assert "progress" not in model.batch()
    feed(model, make, make.entry("Processing step 3/10"))
    assert model.batch()["progress"] == {"fraction": 0.3, "label": "3/10", "x": ""}
    model.feed(ProcessChange(make.record(ProcessState.FAILED, errors=["boom"])))
    assert model.batch()["progress"]["done"] is False


def test_senders_have_names(model, make):
    model.feed(NewEntries("progress", [make.entry("x")]))
    assert model.store[0].who == "e" * 8
    model.feed(ProcessChange(make.record(ProcessState.RUNNING), "laptop-7f3a"))
    model.feed(NewEntries("progress", [make.entry("y")]))
    assert model.store[1].who == "laptop-7f3a"


def test_a_channel_counts_the_rows_that_are_shown(model, make):
    model.feed(ProcessChange(make.record(ProcessState.RUNNING, spec=spec("log", "metrics")), "laptop-7f3a"))
    feed(model, make, make.entry("one"), make.entry("two"), channel="log")
    feed(model, make, make.entry("", type="turn"), make.entry("", type="end"), channel="log")
    feed(model, make, make.entry("last", type="end"), channel="metrics")
    assert model.batch()["head"]["channels"] == [("log", 2), ("metrics", 1)]


def test_a_channel_that_is_not_read_has_no_count(model, make):
    model.feed(ProcessChange(make.record(ProcessState.RUNNING, spec=spec("residual", "field")), "laptop-7f3a"))
    model.feed(ReadChannels(["residual"]))
    feed(model, make, make.entry("0.1"), channel="residual")
    assert model.batch()["head"]["channels"] == [("residual", 1), ("field", None)]


def test_the_channel_of_acknowledgements_is_not_listed(model, make):
    model.feed(ProcessChange(make.record(ProcessState.RUNNING, spec=spec("sync", "log")), "laptop-7f3a"))
    assert model.batch()["head"]["channels"] == [("log", 0)]


def test_the_senders_are_listed_unless_the_head_line_names_the_only_one(model, make):
    model.feed(ProcessChange(make.record(ProcessState.RUNNING), "laptop-7f3a"))
    feed(model, make, make.entry("one"), make.entry("two"))
    model.feed(Note("a remark has no sender"))
    assert model.batch()["head"]["senders"] == []
    feed(model, make, make.entry("stop", mine=True))
    assert model.batch()["head"]["senders"] == ["laptop-7f3a", "you"]


def test_a_sender_that_the_head_line_does_not_name_is_listed(model, make):
    feed(model, make, make.entry("one"))
    assert model.batch()["head"]["senders"] == ["laptop-7f3a"]


def test_a_log_has_no_turns(model, make):
    model.feed(ProcessChange(make.record(ProcessState.RUNNING)))
    feed(model, make, make.entry("q", mine=True), make.entry("a", inreplyto=1))
    model.feed(Finished())
    assert model.answer == ""


def test_a_text_of_several_lines_is_a_row_for_each(model, make):
    feed(model, make, make.entry("one\ntwo\n"), make.entry("three\n\nfive"), make.entry("a line of its own"))
    assert texts(model.batch()) == ["one", "two", "three", "", "five", "a line of its own"]
    assert model.store.json_lines().count("\n") == 3


def test_three_thousand_lines_are_running_lines(model, make):
    feed(
        model,
        make,
        *(make.entry("".join(f"line {at}\n" for at in range(start, start + 100))) for start in range(0, 3000, 100)),
    )
    assert len(model.store) == 3000
    assert texts(model.batch()) == [f"line {at}" for at in range(2000, 3000)]


def test_a_frame_overwrites_the_earlier_one(model, make):
    feed(model, make, make.entry("start"), make.entry("\r 40%|####      | 4/10"))
    assert texts(model.batch()) == ["start", " 40%|####      | 4/10"]
    feed(model, make, make.entry("\r 50%|#####     | 5/10\r 60%|######    | 6/10"))
    batch = model.batch()
    assert "rows" not in batch
    assert [(row["n"], row["x"]) for row in batch["replaced"]] == [(1, " 60%|######    | 6/10")]
    assert batch["progress"]["fraction"] == 0.6
    assert texts(model.snapshot()) == ["start", " 60%|######    | 6/10"]
    assert [json.loads(line)["text"] for line in model.store.json_lines().splitlines()] == [
        "start",
        "\r 40%|####      | 4/10",
        "\r 50%|#####     | 5/10\r 60%|######    | 6/10",
    ]


def test_the_bar_follows_the_last_frame_of_an_entry(model, make):
    feed(model, make, make.entry("40%\r60%"))
    batch = model.batch()
    assert (texts(batch), batch["progress"]["fraction"]) == (["60%"], 0.6)


def test_streams_do_not_overwrite_each_other(model, make):
    feed(model, make, make.entry("\r10%"), channel="one")
    feed(model, make, make.entry("\r20%"), channel="two")
    feed(model, make, make.entry("\r30%"), channel="one")
    assert texts(model.batch()) == ["30%", "20%"]


def test_a_chat_joins_the_pieces_of_an_answer(chat, make):
    feed(chat, make, make.entry("one\ntwo\n", inreplyto=1), make.entry("three", inreplyto=1), channel="chat")
    assert [row.text for row in chat.store] == ["one\ntwo\n", "three"]
