"""A conversation over several cells in a real JupyterLab, with an executor in the notebook, on the embedded colony."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

EXECUTOR = """
%load_ext colony_jupyter
import asyncio
import colony_jupyter as cj
executor = cj.Executor("browser-chat")

@executor.chat("chat")
async def bot(context, message):
    if message.text == "silence":
        await asyncio.sleep(60)
    if message.text == "fail":
        raise ValueError("no such word")
    yield "You said "
    await asyncio.sleep(0.3)
    yield f"*{message.text}*."

executor.start()
"""
FIRST = "%%colony_chat chat --type browser-chat\nHello"
NEXT = "%%colony_chat\nAgain"
NEW = "%%colony_chat chat --new\nAfresh"
STOP = "executor.stop()"
LONG = 60_000


def shown(book, number):
    return book.cell(number).locator(".cj")


def begun(notebook, *cells):
    """Open a notebook in which the first turn is over; give it and the pane of that turn."""
    book = notebook(EXECUTOR, FIRST, *cells)
    book.run(1)
    book.run(2)
    pane = shown(book, 2)
    expect(pane.locator(".cj-it em")).to_have_text("Hello", timeout=LONG)
    return book, pane


def process_of(pane) -> str:
    return pane.get_by_role("button", name="Copy process id").inner_text()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_each_cell_shows_its_turn_and_the_box_is_under_the_last(notebook, theme):
    book = notebook(EXECUTOR, FIRST, NEXT, NEW, STOP, theme=theme)
    book.run(1)
    book.run(2)
    first = shown(book, 2)
    expect(first.locator(".cj-it .cj-body")).to_have_text("You said Hello.", timeout=LONG)
    expect(first.locator(".cj-it em")).to_have_text("Hello")
    expect(first.locator("textarea")).to_be_visible()
    expect(first.locator(".cj-meta").first).to_contain_text("turn 1")
    book.run(3)
    second = shown(book, 3)
    expect(second.locator(".cj-it em")).to_have_text("Again", timeout=LONG)
    expect(second.locator(".cj-b")).to_have_count(2)  # its own turn alone
    expect(second.locator(".cj-meta").first).to_contain_text("turn 2")
    expect(first.locator("textarea")).to_be_hidden()
    expect(first.locator(".cj-state").first).to_have_text("answered")
    expect(first.locator(".cj-link")).to_be_hidden()
    expect(first.get_by_role("status").first).to_have_text("chat: answered")
    assert process_of(second) == process_of(first)
    # What is typed goes on under the last cell.
    box = second.locator("textarea")
    box.fill("typed")
    box.press("Enter")
    expect(second.locator(".cj-it em").last).to_have_text("typed", timeout=LONG)
    expect(second.locator(".cj-meta").first).to_contain_text("turn 3")
    expect(first.locator(".cj-b")).to_have_count(2)
    book.shot(f"conversation-{theme}")
    # Afresh: another process.
    book.run(4)
    third = shown(book, 4)
    expect(third.locator(".cj-it em")).to_have_text("Afresh", timeout=LONG)
    assert process_of(third) != process_of(second)
    expect(third.locator(".cj-state").first).to_have_text("answered", timeout=LONG)
    book.run(5)
    # The file shows it, too.
    transcripts = [
        "".join(output["data"]["text/plain"])
        for cell in book.save()["cells"][2:4]
        for output in cell["outputs"]
        if "transcript written" in "".join(output["data"].get("text/plain", ""))
    ]
    assert [text.split()[0] for text in transcripts] == ["answered", "answered"]


def test_one_that_has_ended_shows_it_and_offers_a_new_one(notebook):
    book, pane = begun(notebook, NEXT, STOP)
    before = process_of(pane)
    pane.get_by_role("button", name="End chat").click()
    expect(pane.locator(".cj-state").first).to_have_text("SUCCESS", timeout=LONG)
    expect(pane.locator("textarea")).to_be_hidden()
    book.shot("conversation-ended-light", 2)
    pane.get_by_role("button", name="New chat").click()
    expect(pane.locator(".cj-state").first).to_have_text("RUNNING", timeout=LONG)
    assert process_of(pane) != before
    box = pane.locator("textarea")
    box.fill("once more")
    box.press("Enter")
    expect(pane.locator(".cj-it em").last).to_have_text("once more", timeout=LONG)
    # A cell after the end begins a new one by itself, with a word about it.
    pane.get_by_role("button", name="End chat").click()
    expect(pane.locator(".cj-state").first).to_have_text("SUCCESS", timeout=LONG)
    book.run(3)
    expect(shown(book, 3)).to_contain_text("The earlier conversation has ended; this is a new one.")
    expect(shown(book, 3).locator(".cj-it em")).to_have_text("Again", timeout=LONG)
    book.run(4)


def test_an_error_is_shown_and_the_typed_text_stays(notebook):
    book, pane = begun(notebook, STOP)
    box = pane.locator("textarea")
    box.fill("fail")
    box.press("Enter")
    expect(pane.locator(".cj-err")).to_contain_text("no such word", timeout=LONG)
    expect(pane.locator(".cj-state").first).to_have_text("FAILED", timeout=LONG)
    book.shot("conversation-failed-light", 2)
    book.run(3)


def test_stop_ends_the_waiting_for_a_reply(notebook):
    book, pane = begun(notebook, STOP)
    box = pane.locator("textarea")
    box.fill("silence")
    box.press("Enter")
    expect(pane.locator(".cj-typing")).to_be_visible()
    pane.get_by_role("button", name="Stop").click()
    expect(pane.locator(".cj-typing")).to_have_count(0)
    expect(pane.locator(".cj-state").first).to_have_text("RUNNING")
    expect(box).to_be_enabled()
    book.run(3)
