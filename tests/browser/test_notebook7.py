"""Notebook 7, a smoke pass: what a person does in JupyterLab can be done there."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

STREAM = """
view = opened()
running(view)
def work():
    for step in range(1, 6):
        time.sleep(0.3)
        feed(view, "progress", f"Processing step {step}/5")
    view.feed(ProcessChange(record(ProcessState.SUCCESS, output=["Task completed!"]), "laptop-7f3a"))
    view.finish()
threading.Thread(target=work).start()
"""
CHAT = """
chat = opened(kind="chat", title="chat")
running(chat, funcname="chat", channels=["chat"])
feed(chat, "chat", "Hello! How can I *help*?")
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_stream_is_seen_and_is_there_again_after_a_reload(notebook7, theme):
    book = notebook7(STREAM, theme=theme)
    book.run(1, wait=False)
    pane = book.cell(1).locator(".cj")
    rows = pane.locator(".cj-row .cj-text")
    expect(rows).to_have_text([f"Processing step {step}/5" for step in range(1, 6)], timeout=30_000)
    expect(pane.locator(".cj-state").first).to_have_text("SUCCESS")
    expect(pane.locator(".cj-result")).to_contain_text("Task completed!")
    book.shot(f"notebook7-{theme}", 1)
    book.save()
    book.open()
    book.cell(1).locator(".cj").scroll_into_view_if_needed(timeout=60_000)
    expect(rows).to_have_text([f"Processing step {step}/5" for step in range(1, 6)], timeout=30_000)


def test_a_reply_is_typed(notebook7):
    book = notebook7(CHAT, "print(calls)")
    book.run(1)
    pane = book.cell(1).locator(".cj")
    expect(pane).to_contain_text("How can I help?")  # the pane has the chat's channel
    box = pane.locator("textarea")
    box.fill("Say it again")
    box.press("Enter")
    expect(box).to_have_value("")
    book.run(2)
    assert "('on_send', 'chat', 'Say it again')" in book.output(2)
