import pytest

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
    model.entries(channel, entries, make.names, make.me)


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
    model.process(make.record(ProcessState.WAITING), waiting_for="waiting for an executor of type 'cli'")
    head = model.batch()["head"]
    assert (head["state"], head["waiting"], head["executor"]) == (
        "WAITING",
        "waiting for an executor of type 'cli'",
        "",
    )
    model.process(make.record(ProcessState.RUNNING, starttime="2026-11-23T12:00:00.123456789Z"), "laptop-7f3a")
    head = model.batch()["head"]
    assert (head["state"], head["waiting"], head["executor"]) == ("RUNNING", "", "laptop-7f3a")
    closed = {"starttime": "2026-11-23T12:00:00Z", "endtime": "2026-11-23T12:00:05.25Z"}
    model.process(make.record(ProcessState.SUCCESS, output=["ok"], **closed))
    batch = model.batch()
    assert batch["head"]["elapsed"] == pytest.approx(5.25)
    assert batch["result"] == {"state": "SUCCESS", "label": "Output", "x": '"ok"'}


def test_a_process_taken_from_its_executor_waits_for_another(model, make):
    model.process(make.record(ProcessState.RUNNING), "laptop-7f3a")
    model.process(make.record(ProcessState.WAITING, assignedexecutorid=""))
    assert model.executorname == ""


def test_elapsed_while_running_goes_by_the_clock_and_never_back(model, make, clock):
    model.process(make.record(ProcessState.RUNNING, starttime="2099-01-01T00:00:00Z"))
    assert model.elapsed == 0
    clock.at = 5_000_000_000.0
    assert model.elapsed > 0


def test_progress_comes_from_the_other_side(model, make):
    model.process(make.record(ProcessState.RUNNING), "laptop-7f3a")
    feed(model, make, make.entry("1/2", mine=True))
    assert "progress" not in model.batch()
    feed(model, make, make.entry("Processing step 3/10"))
    assert model.batch()["progress"] == {"fraction": 0.3, "label": "3/10", "x": ""}
    model.process(make.record(ProcessState.FAILED, errors=["boom"]))
    assert model.batch()["progress"]["done"] is False


def test_senders_have_names(model, make):
    model.entries("progress", [make.entry("x")], None, "")
    assert model.store[0].who == "e" * 8
    model.process(make.record(ProcessState.RUNNING), "laptop-7f3a")
    model.entries("progress", [make.entry("y")], None, "")
    assert model.store[1].who == "laptop-7f3a"


def test_a_channel_counts_the_rows_that_are_shown(model, make):
    model.process(make.record(ProcessState.RUNNING, spec=spec("log", "metrics")), "laptop-7f3a")
    feed(model, make, make.entry("one"), make.entry("two"), channel="log")
    feed(model, make, make.entry("", type="turn"), make.entry("", type="end"), channel="log")
    feed(model, make, make.entry("last", type="end"), channel="metrics")
    assert model.batch()["head"]["channels"] == [("log", 2), ("metrics", 1)]


def test_a_channel_that_is_not_read_has_no_count(model, make):
    model.process(make.record(ProcessState.RUNNING, spec=spec("residual", "field")), "laptop-7f3a")
    model.reading(["residual"])
    feed(model, make, make.entry("0.1"), channel="residual")
    assert model.batch()["head"]["channels"] == [("residual", 1), ("field", None)]


def test_the_channel_of_acknowledgements_is_not_listed(model, make):
    model.process(make.record(ProcessState.RUNNING, spec=spec("sync", "log")), "laptop-7f3a")
    assert model.batch()["head"]["channels"] == [("log", 0)]


def test_the_senders_are_listed_unless_the_head_line_names_the_only_one(model, make):
    model.process(make.record(ProcessState.RUNNING), "laptop-7f3a")
    feed(model, make, make.entry("one"), make.entry("two"))
    model.note("a remark has no sender")
    assert model.batch()["head"]["senders"] == []
    feed(model, make, make.entry("stop", mine=True))
    assert model.batch()["head"]["senders"] == ["laptop-7f3a", "you"]


def test_a_sender_that_the_head_line_does_not_name_is_listed(model, make):
    feed(model, make, make.entry("one"))
    assert model.batch()["head"]["senders"] == ["laptop-7f3a"]


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
    model.entries("other", [make.entry("alphabet")], make.names, make.me)
    count, found = model.store.search("ALPHA")
    assert (count, [row.number for row in found]) == (2, [0, 2])
    assert model.store.search("alpha", "other")[0] == 1
    assert model.store.search("", limit=1)[1][0].number == 2


def test_json_lines_hold_payloads_as_they_came(model, make):
    feed(model, make, make.entry("\u202ex\x1b[2J"), make.entry(b"\xff"))
    model.note("ours")
    first, second = model.store.json_lines().splitlines()
    assert '"text":"\u202ex\\u001b[2J"' in first
    assert '"payload":"/w=="' in second


class TestChat:
    def test_pieces_of_one_answer_grow_together(self, chat, make):
        question = make.entry("hello?", mine=True)
        feed(chat, make, question, channel="chat")
        assert chat.batch()["head"]["due"] is True
        feed(chat, make, make.entry("Hel", inreplyto=question.sequence), channel="chat")
        [patch] = chat.batch()["bubbles"]
        assert (patch["blocks"], patch["open"]) == (["<p>Hel</p>\n"], 1)
        feed(chat, make, make.entry("lo\n\nyou", inreplyto=question.sequence), channel="chat")
        [patch] = chat.batch()["bubbles"]
        assert (patch["from"], patch["blocks"]) == (0, ["<p>Hello</p>\n", "<p>you</p>\n"])
        feed(chat, make, make.entry("!", inreplyto=question.sequence), channel="chat")
        [patch] = chat.batch()["bubbles"]
        assert (patch["from"], patch["blocks"]) == (1, ["<p>you!</p>\n"])
        feed(chat, make, make.entry("", type="turn", inreplyto=question.sequence), channel="chat")
        batch = chat.batch()
        assert "open" not in batch["bubbles"][0]
        assert batch["bubbles"][0]["from"] == 0
        assert batch["head"]["due"] is False
        assert len(chat.conversation.bubbles) == 2

    def test_answers_to_two_messages_stay_apart(self, chat, make):
        feed(chat, make, make.entry("a", mine=True), make.entry("b", mine=True), channel="chat")
        feed(chat, make, make.entry("to b", inreplyto=2), make.entry("to a", inreplyto=1), channel="chat")
        feed(chat, make, make.entry(" more", inreplyto=2), channel="chat")
        assert [bubble.text for bubble in chat.conversation.bubbles] == ["a", "b", "to b more", "to a"]

    def test_answers_to_nothing_are_bubbles_of_their_own(self, chat, make):
        feed(chat, make, make.entry("one"), make.entry("two"), channel="chat")
        assert [bubble.text for bubble in chat.conversation.bubbles] == ["one", "two"]

    def test_an_end_may_hold_a_last_piece(self, chat, make):
        feed(chat, make, make.entry("q", mine=True), make.entry("a", inreplyto=1), channel="chat")
        feed(chat, make, make.entry("b", type="end", inreplyto=1), channel="chat")
        assert chat.conversation.bubbles[-1].text == "ab"
        assert chat.conversation.reply_due is False

    def test_an_error_ends_the_waiting(self, chat, make):
        feed(chat, make, make.entry("q", mine=True), make.entry("bad", type="error", inreplyto=1), channel="chat")
        assert chat.conversation.reply_due is False
        assert chat.conversation.bubbles[-1].kind == "error"

    def test_a_process_that_ends_ends_the_waiting(self, chat, make):
        feed(chat, make, make.entry("q", mine=True), make.entry("a", inreplyto=1), channel="chat")
        chat.process(make.record(ProcessState.SUCCESS))
        assert chat.conversation.reply_due is False
        assert not chat.conversation.bubbles[-1].open

    def test_a_snapshot_holds_whole_bubbles_and_changes_no_patch(self, chat, make):
        feed(chat, make, make.entry("q", mine=True), make.entry("a", inreplyto=1), channel="chat")
        whole = chat.snapshot()["bubbles"]
        assert whole[0]["x"] == "q"
        assert whole[1]["blocks"] == ["<p>a</p>\n"]
        assert len(chat.batch()["bubbles"]) == 2

    def test_a_turn_is_answered_once_its_answer_is_complete(self, chat, make):
        chat.process(make.record(ProcessState.RUNNING))
        assert chat.answer == ""
        feed(chat, make, make.entry("q", mine=True), channel="chat")
        assert chat.answer == ""
        feed(chat, make, make.entry("a", inreplyto=1), channel="chat")
        assert chat.answer == ""
        feed(chat, make, make.entry("", type="turn", inreplyto=1), channel="chat")
        chat.note("a remark is no message")
        assert chat.answer == "answered"
        assert chat.batch()["head"]["answer"] == "answered"
        feed(chat, make, make.entry("q", mine=True), channel="chat")
        assert chat.answer == ""

    def test_an_answer_without_an_end_is_complete_when_the_waiting_ends(self, chat, make):
        chat.process(make.record(ProcessState.RUNNING))
        feed(chat, make, make.entry("q", mine=True), make.entry("a", inreplyto=1), channel="chat")
        chat.end_reply()
        assert chat.answer == "answered"

    def test_a_turn_that_another_cell_takes_over_is_unanswered(self, chat, make):
        chat.process(make.record(ProcessState.RUNNING))
        feed(chat, make, make.entry("q", mine=True), channel="chat")
        chat.end_reply()
        assert chat.answer == ""
        chat.finish()
        assert chat.answer == "unanswered"

    def test_the_state_of_a_process_that_ended_says_more(self, chat, make):
        feed(chat, make, make.entry("q", mine=True), make.entry("a", inreplyto=1), channel="chat")
        chat.process(make.record(ProcessState.SUCCESS))
        chat.finish()
        assert chat.answer == ""

    def test_a_new_process_has_answered_nothing_yet(self, chat, make):
        chat.process(make.record(ProcessState.RUNNING))
        feed(chat, make, make.entry("q", mine=True), make.entry("a"), channel="chat")
        assert chat.answer == "answered"
        chat.process(make.record(ProcessState.RUNNING, processid="b" * 64))
        assert chat.answer == ""
        feed(chat, make, make.entry("q", mine=True), make.entry("a"), channel="chat")
        assert chat.answer == "answered"


def test_a_log_has_no_turns(model, make):
    model.process(make.record(ProcessState.RUNNING))
    feed(model, make, make.entry("q", mine=True), make.entry("a", inreplyto=1))
    model.finish()
    assert model.answer == ""
