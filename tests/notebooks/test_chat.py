"""``%%colony_chat``, typed in the cells of a live kernel."""

from __future__ import annotations

import time

import pytest

WIDGET = "application/vnd.jupyter.widget-view+json"


def pane(cell) -> str:
    """The comm of a cell's pane."""
    return next(shown[WIDGET]["model_id"] for shown in cell.shown if WIDGET in shown)


def send(notebook, text, line="simple-bot", **how):
    cell = notebook.run(f"%%colony_chat {line} -o answer\n{text}", **how)
    assert cell.status == "ok", cell.error
    return notebook.evaluate("answer")


@pytest.fixture(autouse=True)
def quick(notebook):
    notebook.run("%config ColonyMagics.settle = 0.3")


def test_one_message_a_cell(notebook):
    cell = notebook.run("%%colony_chat simple-bot --type magics-test --new -o answer\nHello {x} $5\nsecond line")
    assert cell.status == "ok", cell.error
    assert cell.value is None
    assert WIDGET in cell.shown[0]
    notebook.until(lambda: "You said Hello {x} $5" in cell.transcript)
    assert notebook.evaluate("answer") == "You said Hello {x} $5\nsecond line"
    assert send(notebook, "again", "") == "You said again"
    assert send(notebook, "bye", "") == "You said bye"
    cell = notebook.run("%%colony_chat\nanybody?")
    notebook.until(lambda: "this is a new one" in cell.transcript and "You said anybody?" in cell.transcript)


def test_a_partner_that_closes_turns_is_not_cut_short(notebook):
    """Its pieces come further apart than `settle`; only the first turn goes by the longer patience."""
    assert send(notebook, "count", "closing-bot --new") == "one two three"
    begun = time.monotonic()
    assert send(notebook, "count", "closing-bot") == "one two three"
    assert time.monotonic() - begun < 5


def test_several_conversations_at_once(notebook):
    send(notebook, "a", "simple-bot --new")
    first = notebook.evaluate("answer")
    send(notebook, "b", "closing-bot --new")
    assert send(notebook, "c", "simple-bot") == "You said c"
    assert first == "You said a"
    assert send(notebook, "d", "") == "You said d"  # the latest one


def test_the_text_box_goes_on_with_the_conversation(notebook):
    cell = notebook.run("%%colony_chat simple-bot --new\nfirst")
    notebook.message(pane(cell), {"do": "send", "channel": "chat", "text": "from the box", "ref": 1})
    notebook.until(lambda: "You said from the box" in cell.transcript)
    assert send(notebook, "next", "") == "You said next"
    assert "next" not in cell.transcript


def test_the_conversation_can_be_ended_and_begun_anew_from_the_pane(notebook):
    cell = notebook.run("%%colony_chat simple-bot --new\nfirst")
    notebook.message(pane(cell), {"do": "call", "name": "on_end_chat", "ref": 1})
    notebook.until(lambda: "SUCCESS" in cell.transcript)
    notebook.message(pane(cell), {"do": "call", "name": "on_new_chat", "ref": 2})
    notebook.until(lambda: "A new conversation." in cell.transcript)
    notebook.message(pane(cell), {"do": "send", "channel": "chat", "text": "hello again", "ref": 3})
    notebook.until(lambda: "You said hello again" in cell.transcript)


def test_stop_waiting(notebook):
    if not notebook.subshell:
        pytest.skip("this kernel reads the pane's messages after the cell")
    cell = notebook.start("%%colony_chat simple-bot --new -o answer\nsilence")
    notebook.until(lambda: "silence" in cell.transcript)
    notebook.message(pane(cell), {"do": "call", "name": "on_stop_waiting", "ref": 1})
    notebook.finish(cell)
    assert cell.status == "ok"
    assert notebook.evaluate("answer") == ""
    assert send(notebook, "still there?", "") == "You said still there?"


def test_a_timeout(notebook):
    cell = notebook.run("%%colony_chat simple-bot --new --timeout 0.5\nsilence")
    assert cell.error.startswith("WaitTimeout: Waited 0.5 s for an answer on channel 'chat'.")
    assert send(notebook, "still there?", "") == "You said still there?"


def test_a_timeout_while_no_executor_has_it(notebook):
    cell = notebook.run("%%colony_chat chat --type absent-type --timeout 0.5\nhello")
    assert "Waiting for an executor of type 'absent-type': none is registered." in cell.error


def test_an_error_is_raised(notebook):
    cell = notebook.run("%%colony_chat simple-bot --new\nerror")
    assert cell.error == "StreamError: Error on channel 'chat': I do not understand"
    assert send(notebook, "and now?", "") == "You said and now?"


def test_a_partner_that_fails(notebook):
    cell = notebook.run("%%colony_chat breaks --new\nhello")
    assert cell.status == "error"
    assert "the disk is full" in cell.error
    assert "Traceback" not in cell.error


def test_no_pane(notebook):
    cell = notebook.run("%%colony_chat simple-bot --new --no-pane\nhello")
    assert cell.shown == []
    assert "You said hello" in cell.text


def test_headless(notebook):
    cell = notebook.run("%%colony_chat simple-bot --new\nhello", headless=True)
    assert all(WIDGET not in shown for shown in cell.shown)
    assert "You said hello" in cell.transcript


def test_a_running_process_can_be_talked_to(notebook):
    notebook.run("process = %colony submit simple-bot --channel chat --quiet")
    assert send(notebook, "hello", "--pid process") == "You said hello"
    assert send(notebook, "more", "") == "You said more"
    wrong = notebook.run("%%colony_chat --pid process --channel talk\nhello")
    assert wrong.error == "ChannelNotFound: Channel 'talk' not found. This process has: chat."


def test_an_interrupt_gives_the_prompt_back(notebook):
    cell = notebook.start("%%colony_chat simple-bot --new\nsilence")
    notebook.until(lambda: "silence" in cell.transcript)
    begun = time.monotonic()
    notebook.interrupt()
    notebook.finish(cell)
    assert time.monotonic() - begun < 0.5
    assert cell.error.startswith("Interrupted. The conversation with simple-bot (")
    assert send(notebook, "still there?", "") == "You said still there?"
