"""When a turn ends."""

from __future__ import annotations

import pytest

from colony_jupyter.channels.turns import Turn, TurnEnd, closes_turns, ends_conversation
from colony_jupyter.wire.models import Entry

ME, BOT = "me", "bot"


def said(sequence: int) -> Entry:
    return Entry(sequence=sequence, senderid=ME, payload=b"hello")


def answer(text: str, inreplyto: int = 0, kind: str = "data", **more) -> Entry:
    return Entry(sequence=2, senderid=BOT, payload=text.encode(), inreplyto=inreplyto, type=kind, **more)


@pytest.fixture
def turn() -> Turn:
    turn = Turn(3, me=ME, settle=1.5)
    turn.add([said(3)], 0.0)
    return turn


@pytest.mark.parametrize("kind", ["turn", "end"])
def test_the_partner_closes_it(turn, kind):
    turn.add([answer("a", 3), answer("b", 3)], 1.0)
    assert turn.ended is None
    turn.add([answer("", 3, kind), answer("late", 3)], 1.0)
    assert turn.ended is TurnEnd.CLOSED
    assert turn.text == "ab"


def test_a_plain_end_ends_the_conversation(turn):
    turn.add([answer("Goodbye", 3), answer("", 0, "end")], 1.0)
    assert (turn.ended, turn.text) == (TurnEnd.OVER, "Goodbye")


def test_an_error_ends_it(turn):
    turn.add([answer("broken", 3, "error")], 1.0)
    assert turn.ended is TurnEnd.ERROR
    assert turn.error.text == "broken"


@pytest.mark.parametrize("known", [True, False])
def test_a_partner_that_failed_before_it_received_anything(known):
    """Its error answers nothing, and came before our message; with its end that is the answer all the same."""
    turn = Turn(3 if known else None, me=ME, settle=1.5)
    turn.add([answer("no disk", 0, "error"), answer("", 0, "end"), said(3)], 1.0)
    turn.know(3)
    assert (turn.ended, turn.error.text) == (TurnEnd.ERROR, "no disk")


def test_an_error_before_our_message_is_none_of_an_answer():
    turn = Turn(3, me=ME, settle=1.5)
    turn.add([answer("earlier", 0, "error"), said(3), answer("Goodbye", 3), answer("", 0, "end")], 1.0)
    assert (turn.ended, turn.text, turn.error) == (TurnEnd.OVER, "Goodbye", None)


def test_quiet_after_an_answer_ends_it(turn):
    assert turn.deadline is None
    turn.tick(1e9)
    assert turn.ended is None
    turn.add([answer("one", 3)], 10.0)
    assert turn.deadline == 11.5
    turn.tick(11.4)
    assert turn.ended is None
    turn.tick(11.5)
    assert turn.ended is TurnEnd.QUIET


def test_who_sends_pieces_is_given_longer(turn):
    turn.add([answer("one ", 3)], 10.0)
    turn.add([answer("two", 3)], 11.0)
    assert turn.deadline == 17.0


def test_quiet_ends_no_turn_of_a_partner_that_closes_turns():
    turn = Turn(1, me=ME, settle=1.5, closes=True)
    turn.add([said(1), answer("thinking", 1)], 0.0)
    assert turn.deadline is None
    turn.tick(1e9)
    assert turn.ended is None


def test_answers_to_other_messages_are_not_ours(turn):
    turn.add([answer("late", 1), answer("", 1, "turn"), answer("", 1, "end"), answer("bad", 1, "error")], 1.0)
    assert (turn.ended, turn.text) == (None, "")


def test_what_answers_nothing_counts_after_our_message():
    turn = Turn(3, me=ME, settle=1.0)
    turn.add([answer("welcome")], 0.0)
    assert turn.text == ""
    turn.add([said(3), answer("yes")], 0.0)
    assert turn.text == "yes"


def test_entries_before_the_sequence_is_known_count():
    turn = Turn(None, me=ME, settle=1.0)
    turn.add([said(5), answer("quick", 5)], 7.0)
    assert turn.text == ""
    turn.know(5)
    assert turn.text == "quick"
    assert turn.deadline == 8.0


def test_entries_of_a_former_executor_are_no_answer(turn):
    turn.add([answer("old", 3, former=True), answer("", 0, "end", former=True)], 1.0)
    assert (turn.ended, turn.text) == (None, "")


def test_the_streams_end_and_stopping(turn):
    other = Turn(1, me=ME, settle=1.0)
    other.stop()
    turn.over()
    assert (other.ended, turn.ended) == (TurnEnd.STOPPED, TurnEnd.OVER)
    turn.stop()
    assert turn.ended is TurnEnd.OVER


def test_an_end_with_text_has_the_text(turn):
    turn.add([answer("last words", 3, "end")], 0.0)
    assert turn.text == "last words"


def test_signs():
    assert closes_turns(answer("", 1, "turn"))
    assert closes_turns(answer("", 1, "end"))
    assert not closes_turns(answer("", 0, "end"))
    assert ends_conversation(answer("", 0, "end"))
    assert not ends_conversation(answer("", 1, "end"))
