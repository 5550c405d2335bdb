"""Accessibility of the pane: keyboard only, reduced motion, roles and labels for screen readers."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

WAITING = """
view = opened()
waiting = "waiting for an executor of type 'cli': none is registered"
view.feed(ProcessChange(record(ProcessState.WAITING), waiting_for=waiting))
"""

RUNNING = """
view = opened(title="train")
running(view, funcname="train", channels=("log", "metrics"))
feed(view, "log", "Processing step 1/10", "Processing step 2/10", "line " * 300)
feed(view, "metrics", '{"epoch": 20, "loss": 0.1432}', bytes(range(200, 256)))
feed(view, "log", "skip the plots please", who="a")
feed(view, "log", "CUDA out of memory", kind="error")
view.feed(Note("connection lost, resumed after 0.4 s, nothing missed"))
view.feed(ConnectionChange("resuming", "the server does not answer"))
"""

ENDED = """
ended = opened()
ended.feed(ProcessChange(record(ProcessState.SUCCESS, output=[[{"name": "x", "n": 1}]]), "laptop-7f3a"))
failed = opened()
story = "Traceback (most recent call last):\\nValueError: x"
failed.feed(ProcessChange(record(ProcessState.FAILED, errors=[story]), "laptop-7f3a"))
"""

CHAT = """
chat = opened("chat", "chat")
running(chat, funcname="chat", channels=("chat",))
question = entry("How?", who="a")
text = "So:\\n\\n```python\\nprint(1)  # one\\n```\\n\\n* `a`\\n* [b](https://example.org)\\n\\n| c |\\n|---|\\n| 1 |"
answer = entry(text, inreplyto=question.sequence)
chat.feed(NewEntries("chat", [question, answer], {"e" * 64: "llama-desk"}, "a" * 64))
chat.feed(Fault("Nothing can be sent now."))
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_audit_of_every_kind_of_pane_finds_nothing(notebook, theme):
    """Names, roles, contrast, order: what axe-core checks by the rules of the WCAG."""
    book = notebook(WAITING, RUNNING, ENDED, CHAT, theme=theme, height=3000)
    for number in (1, 2, 3, 4):
        book.run(number)
    pane = book.cell(2).locator(".cj")
    pane.get_by_role("button", name="Search").click()
    pane.get_by_role("button", name="Reply").click()
    expect(pane.locator("textarea")).to_be_focused()
    expect(book.cell(4).locator(".cj-it pre .k, .cj-it pre .nb").first).to_be_visible()
    found = Axe().run(book.page, context=".cj").response
    assert [f"{fault['id']}: {node['html']}" for fault in found["violations"] for node in fault["nodes"]] == []
    assert {"color-contrast", "button-name", "label", "aria-roles"} <= {rule["id"] for rule in found["passes"]}
    book.shot(f"accessibility-{theme}")


def test_everything_can_be_done_with_the_keyboard_alone(notebook):
    book = notebook(RUNNING, "print(calls)")
    book.run(1)
    pane = book.cell(1).locator(".cj")
    press = book.page.keyboard.press
    pane.get_by_role("button", name="Copy process id").focus()
    press("Enter")
    assert book.page.evaluate("navigator.clipboard.readText()") == "424d6828" + "0" * 56
    press("Tab")
    expect(pane.get_by_role("button", name="Search")).to_be_focused()
    press("Enter")
    book.page.keyboard.type("epoch")
    expect(pane.locator(".cj-search")).to_contain_text("1 found")
    expect(pane.locator(".cj-row")).to_have_count(1)
    press("Escape")
    expect(pane.locator(".cj-row")).to_have_count(8)
    pane.get_by_role("button", name="Reply").focus()
    press("Space")
    expect(pane.locator("textarea")).to_be_focused()
    # Letters that Lab takes for commands of a cell: add one above, delete this one, cut it.
    book.page.keyboard.type("addx")
    press("Enter")
    for _ in range(12):  # back to the head line
        if pane.get_by_role("button", name="Stop").evaluate("button => button === document.activeElement"):
            break
        press("Shift+Tab")
    press("Enter")
    expect(pane.get_by_role("button", name="No")).to_be_focused()
    press("Shift+Tab")
    press("Enter")
    # The log itself scrolls with the arrows.
    log = pane.locator(".cj-log")
    log.focus()
    expect(log).to_be_focused()
    press("Home")
    book.page.wait_for_function("list => list.scrollTop === 0", arg=log.element_handle())
    book.run(2)
    assert book.output(2).strip() == "[('on_send', 'log', 'addx'), ('on_cancel',)]"
    expect(book.page.locator(".jp-Notebook .jp-CodeCell")).to_have_count(3)


MOVING = """
async () => {
  const ours = () => document.getAnimations().filter((animation) => animation.effect?.target?.closest('.cj'));
  const before = ours().map((animation) => [animation, animation.currentTime]);
  await new Promise((done) => setTimeout(done, 500));  // the pane moves them ten times a second
  return before.filter(([animation, time]) => animation.currentTime !== time).length;
}
"""


def test_nothing_moves_with_reduced_motion(notebook):
    book = notebook("view = opened(); running(view)", CHAT)
    book.run(1)
    book.run(2)
    expect(book.cell(2).locator(".cj-growing")).to_be_visible()
    assert book.page.evaluate(MOVING) > 0
    book.page.emulate_media(reduced_motion="reduce")
    assert book.page.evaluate(MOVING) == 0
    # What moved before stands for itself: the state in words, and a bar that has no end.
    expect(book.cell(1).locator(".cj-state").first).to_have_text("RUNNING")
    expect(book.cell(1).locator(".cj-indeterminate .cj-bar")).to_be_visible()
