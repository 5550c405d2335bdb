"""The chat pane in a real JupyterLab."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

TURN = """
view = opened("chat", "chat")
running(view, funcname="chat", channels=("chat",))
question = entry("How do I read a channel from the start?", who="a")
view.feed(NewEntries("chat", [question], {}, "a" * 64))
def piece(text, kind="data"):
    pieces = [entry(text, kind=kind, inreplyto=question.sequence)]
    view.feed(NewEntries("chat", pieces, {"e" * 64: "llama-desk"}, "a" * 64))
"""

REPLY = """
piece("Ask for its **history**, then")
piece(" go on live:\\n\\n```python\\nfor entry in process.channel(\\"chat\\"):\\n")
piece("    print(entry.sequence, entry.text)  # each\\n```\\n\\n")
piece("| a | b |\\n|---|---|\\n| 1 | 2 |\\n\\nThe stream `begins` with")
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_answer_grows_in_one_bubble(notebook, theme):
    book = notebook(TURN, REPLY, "piece(' what was there.'); piece('', kind='turn')", theme=theme)
    book.run(1)
    pane = book.cell(1).locator(".cj")
    expect(pane.locator(".cj-me")).to_have_text("youHow do I read a channel from the start?")
    expect(pane.locator(".cj-typing")).to_be_visible()
    book.run(2)
    bubble = pane.locator(".cj-it:not(.cj-typing)")
    expect(bubble).to_have_count(1)
    expect(bubble.locator("strong")).to_have_text("history")
    expect(bubble.locator("pre code .k").first).to_have_text("for")
    expect(bubble).to_contain_text("begins with")
    expect(pane.locator(".cj-growing")).to_have_count(1)
    expect(pane.locator(".cj-typing")).to_have_count(0)
    book.shot(f"chat-growing-{theme}", 1)
    book.run(3)
    expect(bubble).to_contain_text("begins with what was there.")
    expect(bubble).to_have_count(1)
    expect(pane.locator(".cj-growing")).to_have_count(0)
    pane.get_by_role("button", name="Copy", exact=True).last.click()
    expected = 'for entry in process.channel("chat"):\n    print(entry.sequence, entry.text)  # each\n'
    assert book.copied() == expected
    book.shot(f"chat-{theme}", 1)


def test_typing_sending_and_recalling(notebook):
    refused = "view.feed(TextRefused('chat', 'two\\nlines', 'Nothing can be sent: the chat has ended.'))"
    book = notebook(TURN, "print(calls)", refused)
    book.run(1)
    pane = book.cell(1).locator(".cj")
    area = pane.locator("textarea")
    for text in ("a full sentence", "ok", "ok"):
        area.press_sequentially(text)
        area.press("Enter")
    area.press_sequentially("two")
    area.press("Shift+Enter")
    area.press_sequentially("lines")
    expect(area).to_have_value("two\nlines")
    area.press("Enter")
    expect(area).to_have_value("")
    expect(pane).to_be_visible()  # Shift+Enter is not the cell's
    pane.get_by_role("button", name="Stop").click()
    pane.get_by_role("button", name="End chat").click()
    book.run(2)
    sent = [("on_send", "chat", text) for text in ("a full sentence", "ok", "ok", "two\nlines")]
    assert book.output(2).strip() == str([*sent, ("on_stop_waiting",), ("on_end_chat",)])
    area.press("ArrowUp")
    expect(area).to_have_value("two\nlines")
    area.press("ArrowUp")
    expect(area).to_have_value("ok")
    area.press("ArrowDown")
    area.press("ArrowDown")
    expect(area).to_have_value("")
    book.run(3)
    expect(area).to_have_value("two\nlines")
    expect(pane.locator(".cj-fault")).to_have_text("Nothing can be sent: the chat has ended.")


def test_a_kernel_that_accepts_no_input_now_is_shown_as_busy(notebook):
    """Older kernels while a cell runs: the message waits, and the page shows that until the kernel receives it."""
    held = "import threading; gate = threading.Event(); chat_of = PaneCallbacks(on_send=lambda *_: gate.wait(60))"
    opening = (
        "view = open_view('chat', kind='chat', callbacks=chat_of); running(view, funcname='chat', channels=['chat'])"
    )
    book = notebook(held, opening, "gate.set()")
    book.run(1)
    book.run(2)
    area = book.cell(2).locator(".cj textarea")
    area.fill("are you there?")
    area.press("Enter")
    hint = book.cell(2).locator(".cj-hint")
    expect(hint).to_have_text("The kernel is busy: your message will be sent when it is free.")
    book.run(3)
    expect(hint).to_contain_text("Enter sends")


SHOWING = """
from matplotlib.figure import Figure
import json
from colony_jupyter.values.display import display_bundle
figure = Figure(figsize=(3, 1.5)); figure.subplots().plot([3, 1, 2])
piece("Here is the loss:")
piece(json.dumps(display_bundle(figure)), kind="display")
piece("It **falls**.")
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_answer_with_a_picture(notebook, theme):
    book = notebook(TURN, SHOWING, "piece('', kind='turn')", theme=theme)
    book.run(1)
    book.run(2)
    pane = book.cell(1).locator(".cj")
    bubbles = pane.locator(".cj-it:not(.cj-typing)")
    expect(bubbles).to_have_count(3)
    picture = bubbles.nth(1).locator("img.cj-picture")
    book.page.wait_for_function("() => document.querySelector('.cj-picture')?.naturalWidth > 0")
    picture.evaluate("image => image.dataset.same = '1'")
    expect(bubbles.nth(2).locator("strong")).to_have_text("falls")
    book.run(3)
    expect(pane.locator(".cj-growing")).to_have_count(0)
    expect(picture).to_have_attribute("data-same", "1")  # it was not loaded again
    book.shot(f"chat-picture-{theme}", 1)
