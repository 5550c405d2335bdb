"""A chat as bubbles: pieces of one answer grow together, turns are answered, objects have bubbles of their own."""

from __future__ import annotations

import pytest

from colony_jupyter.notebook.model.changes import Fault, Finished, NewEntries, Note, ProcessChange, ReplyDue
from colony_jupyter.notebook.model.chat_bubbles import LONGEST, ChatBubbles
from colony_jupyter.notebook.model.pane_model import PaneModel
from colony_jupyter.wire.models import ProcessState


@pytest.fixture
def chat(clock):
    return PaneModel("chat", "chat", clock)


def feed(chat, make, *entries, channel="chat"):
    chat.feed(NewEntries(channel, entries, make.names, make.me))


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
        assert len(chat.chat.bubbles) == 2

    def test_answers_to_two_messages_stay_apart(self, chat, make):
        feed(chat, make, make.entry("a", mine=True), make.entry("b", mine=True), channel="chat")
        feed(chat, make, make.entry("to b", inreplyto=2), make.entry("to a", inreplyto=1), channel="chat")
        feed(chat, make, make.entry(" more", inreplyto=2), channel="chat")
        assert [bubble.text for bubble in chat.chat.bubbles] == ["a", "b", "to b more", "to a"]

    def test_answers_to_nothing_are_bubbles_of_their_own(self, chat, make):
        feed(chat, make, make.entry("one"), make.entry("two"), channel="chat")
        assert [bubble.text for bubble in chat.chat.bubbles] == ["one", "two"]

    def test_a_displayed_object_has_a_bubble_to_itself(self, chat, make):
        feed(chat, make, make.entry("q", mine=True), make.entry("See: ", inreplyto=1), channel="chat")
        table = '{"text/html": "<b>3</b>", "text/plain": "3"}'
        feed(chat, make, make.entry(table, type="display", inreplyto=1), channel="chat")
        feed(chat, make, make.entry("Done", inreplyto=1), make.entry("!", inreplyto=1), channel="chat")
        _, before, shown, after = chat.batch()["bubbles"]
        assert (before["blocks"], after["blocks"]) == (["<p>See:</p>\n"], ["<p>Done!</p>\n"])
        assert (shown["d"], shown["row"]) == ({"kind": "html", "x": "<b>3</b>"}, 2)
        assert [patch.get("open") for patch in (before, shown, after)] == [None, None, 1]
        assert [patch["n"] for patch in chat.snapshot()["bubbles"]] == [0, 1, 2, 3]
        assert chat.snapshot()["bubbles"][2]["d"] == shown["d"]
        assert [bubble.text for bubble in chat.chat.bubbles] == ["q", "See: ", "3", "Done!"]

    def test_an_end_may_hold_a_last_piece(self, chat, make):
        feed(chat, make, make.entry("q", mine=True), make.entry("a", inreplyto=1), channel="chat")
        feed(chat, make, make.entry("b", type="end", inreplyto=1), channel="chat")
        assert chat.chat.bubbles[-1].text == "ab"
        assert chat.chat.reply_due is False

    def test_an_error_ends_the_waiting(self, chat, make):
        feed(chat, make, make.entry("q", mine=True), make.entry("bad", type="error", inreplyto=1), channel="chat")
        assert chat.chat.reply_due is False
        assert chat.chat.bubbles[-1].kind == "error"

    def test_a_process_that_ends_ends_the_waiting(self, chat, make):
        feed(chat, make, make.entry("q", mine=True), make.entry("a", inreplyto=1), channel="chat")
        chat.feed(ProcessChange(make.record(ProcessState.SUCCESS)))
        assert chat.chat.reply_due is False
        assert not chat.chat.bubbles[-1].open

    def test_a_snapshot_holds_whole_bubbles_and_changes_no_patch(self, chat, make):
        feed(chat, make, make.entry("q", mine=True), make.entry("a", inreplyto=1), channel="chat")
        whole = chat.snapshot()["bubbles"]
        assert whole[0]["x"] == "q"
        assert whole[1]["blocks"] == ["<p>a</p>\n"]
        assert len(chat.batch()["bubbles"]) == 2

    def test_a_turn_is_answered_once_its_answer_is_complete(self, chat, make):
        chat.feed(ProcessChange(make.record(ProcessState.RUNNING)))
        assert chat.answer == ""
        feed(chat, make, make.entry("q", mine=True), channel="chat")
        assert chat.answer == ""
        feed(chat, make, make.entry("a", inreplyto=1), channel="chat")
        assert chat.answer == ""
        feed(chat, make, make.entry("", type="turn", inreplyto=1), channel="chat")
        chat.feed(Note("a remark is no message"))
        assert chat.answer == "answered"
        assert chat.batch()["head"]["answer"] == "answered"
        feed(chat, make, make.entry("q", mine=True), channel="chat")
        assert chat.answer == ""

    def test_an_answer_without_an_end_is_complete_when_the_waiting_ends(self, chat, make):
        chat.feed(ProcessChange(make.record(ProcessState.RUNNING)))
        feed(chat, make, make.entry("q", mine=True), make.entry("a", inreplyto=1), channel="chat")
        chat.feed(ReplyDue(due=False))
        assert chat.answer == "answered"

    def test_a_turn_that_another_cell_continues_is_unanswered(self, chat, make):
        chat.feed(ProcessChange(make.record(ProcessState.RUNNING)))
        feed(chat, make, make.entry("q", mine=True), channel="chat")
        chat.feed(ReplyDue(due=False))
        assert chat.answer == ""
        chat.feed(Finished())
        assert chat.answer == "unanswered"

    def test_the_state_of_a_process_that_ended_is_shown_instead(self, chat, make):
        feed(chat, make, make.entry("q", mine=True), make.entry("a", inreplyto=1), channel="chat")
        chat.feed(ProcessChange(make.record(ProcessState.SUCCESS)))
        chat.feed(Finished())
        assert chat.answer == ""

    def test_a_new_process_has_answered_nothing_yet(self, chat, make):
        chat.feed(ProcessChange(make.record(ProcessState.RUNNING)))
        feed(chat, make, make.entry("q", mine=True), make.entry("a"), channel="chat")
        assert chat.answer == "answered"
        chat.feed(ProcessChange(make.record(ProcessState.RUNNING, processid="b" * 64)))
        assert chat.answer == ""
        feed(chat, make, make.entry("q", mine=True), make.entry("a"), channel="chat")
        assert chat.answer == "answered"


def bubbles(chat):
    return [(bubble.text, bubble.kind, bubble.open) for bubble in chat.chat.bubbles]


def test_a_remark_and_a_fault_are_bubbles_of_plain_text(chat):
    chat.feed(Note("a *remark*"))
    chat.feed(Fault("an error"))
    note, fault = chat.batch()["bubbles"]
    assert (note["k"], note["x"]) == ("note", "a *remark*")
    assert (fault["k"], fault["x"]) == ("fault", "an error")


def test_the_own_end_of_a_conversation_is_no_bubble(chat, make):
    feed(chat, make, make.entry("q", mine=True), make.entry("", mine=True, type="end"))
    assert [text for text, _, _ in bubbles(chat)] == ["q"]


def test_an_end_without_a_number_closes_every_answer_of_its_sender(chat, make):
    feed(chat, make, make.entry("a", inreplyto=1), make.entry("b", inreplyto=2))
    assert [opened for _, _, opened in bubbles(chat)] == [True, True]
    feed(chat, make, make.entry("", type="turn"))
    assert [opened for _, _, opened in bubbles(chat)] == [False, False]


def test_bytes_show_as_their_size(chat, make):
    feed(chat, make, make.entry(b"\xff\x00" * 100, inreplyto=1))
    assert bubbles(chat)[0][0] == "`200 bytes`"


def test_an_entry_without_content_makes_no_bubble(chat, make):
    feed(chat, make, make.entry("", inreplyto=1))
    assert bubbles(chat) == []


def test_of_a_very_long_answer_the_beginning_is_shown(chat, make):
    feed(chat, make, make.entry("x" * (LONGEST + 10), inreplyto=1))
    (patch,) = chat.batch()["bubbles"]
    assert "".join(patch["blocks"]).count("x") == LONGEST
    assert chat.chat.growing == LONGEST + 10


def test_an_empty_conversation_is_not_answered_and_nothing_grows():
    conversation = ChatBubbles()
    assert not conversation.is_answered
    assert conversation.growing == 0
    assert conversation.changes() == []
