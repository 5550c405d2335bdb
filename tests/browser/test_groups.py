"""The board of a group of processes in a real JupyterLab."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

WORKERS = """
%load_ext colony_jupyter
import asyncio, threading
import colony_jupyter as cj

go_on = threading.Event()
executor = cj.Executor("workers", name="laptop-7f3a", concurrency=6)
tried = set()

@executor.function("train")
async def train(context, rate, epochs):
    if epochs > 90:
        while not go_on.is_set():
            await asyncio.sleep(0.05)
    if epochs % 20 == 0 and (rate, epochs) not in tried:
        tried.add((rate, epochs))
        raise ValueError(f"the loss is not finite after {epochs} epochs")
    return {"loss": rate / epochs}

executor.start()
colony = cj.Colony()
"""
MAP = """
group = colony.map("train", {"rate": [0.1, 0.01], "epochs": list(range(1, 101))}, executortype="workers")
group
"""
GO_ON = "go_on.set()"
REST = "print(len(group.results(timeout=60)), group.counts())"
WAITING = """
waiting = colony.map("train", [(0.1, 1)] * 30, executortype="absent")
waiting
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_group_has_one_board(notebook, theme):
    book = notebook(WORKERS, MAP, GO_ON, REST, WAITING, theme=theme)
    book.run(1)
    book.run(2)
    board = book.cell(2).locator(".cj")
    board.scroll_into_view_if_needed()
    expect(board.locator(".cj-name")).to_have_text("train")
    expect(board.locator(".cj-meta").first).to_contain_text("200 processes · label train-")
    # The processes that wait for the event are those that run longest.
    expect(board.locator(".cj-counts")).to_contain_text("6 RUNNING", timeout=30_000)
    expect(board.locator(".cj-board-name").first).to_have_text("running longest")
    expect(board.locator(".cj-board-section").first).to_contain_text("laptop-7f3a")
    expect(board.locator(".cj-board-section").nth(1)).to_contain_text("the loss is not finite after 20 epochs")
    expect(board.get_by_role("progressbar", name="Ended")).to_have_attribute(
        "aria-valuetext", re.compile(r"\d+ of 200")
    )
    book.shot(f"group-running-{theme}", 2)
    found = Axe().run(book.page, context=".cj").response
    assert [f"{fault['id']}: {node['html']}" for fault in found["violations"] for node in fault["nodes"]] == []
    # A click shows a process below, another click takes it away.
    first = board.locator(".cj-board-section").first.locator(".cj-id").first
    first.click()
    inner = board.locator(".cj-below .cj")
    expect(inner.locator(".cj-head")).to_contain_text("RUNNING")
    book.shot(f"group-follow-{theme}", 2)
    first.click()
    expect(inner).to_have_count(0)
    # Cancelling asks first.
    board.get_by_role("button", name="Cancel", exact=True).first.click()
    expect(board.locator(".cj-actions")).to_contain_text(re.compile(r"Cancel \d+ processes\?"))
    board.get_by_role("button", name="No", exact=True).click()
    book.run(3)
    expect(board.locator(".cj-state").first).to_have_text("FAILED", timeout=30_000)
    expect(board.locator(".cj-counts")).to_have_text(re.compile("190 SUCCESS *10 FAILED"))
    expect(board.locator(".cj-board-name")).to_have_text(["took longest", "failures"])
    expect(board.locator(".cj-board-section").nth(1)).to_contain_text("5 more failed.")
    book.shot(f"group-failed-{theme}", 2)
    board.get_by_role("button", name="Retry 10 failed").click()
    expect(board.locator(".cj-state").first).to_have_text("SUCCESS", timeout=30_000)
    book.run(4)
    assert "200 {'SUCCESS': 200}" in book.output(4)
    book.shot(f"group-done-{theme}", 2)
    # All waiting: what for, and one cancelled by its row's id, the others by the button.
    book.run(5)
    waiting = book.cell(5).locator(".cj")
    waiting.scroll_into_view_if_needed()
    expect(waiting.locator(".cj-state").first).to_have_text("WAITING")
    expect(waiting.locator(".cj-head")).to_contain_text("waiting for an executor of type 'absent': none is registered")
    waiting.get_by_role("button", name="Cancel", exact=True).click()
    waiting.get_by_role("button", name="Yes", exact=True).click()
    expect(waiting.locator(".cj-state").first).to_have_text("CANCELLED", timeout=30_000)
    expect(waiting.locator(".cj-counts")).to_have_text("30 CANCELLED")
    # The saved notebook has a transcript.
    saved = book.save()
    outputs = saved["cells"][2]["outputs"]
    assert any("200 SUCCESS" in "".join(each["data"].get("text/html", "")) for each in outputs if "data" in each)


def test_after_a_reload_it_is_there_and_after_a_restart_it_is_not_live(notebook):
    book = notebook(WORKERS, MAP)
    book.run(1)
    book.run(2)
    board = book.cell(2).locator(".cj")
    expect(board.locator(".cj-counts")).to_contain_text("6 RUNNING", timeout=30_000)
    book.save()
    book.load()
    board.scroll_into_view_if_needed(timeout=60_000)
    expect(board.locator(".cj-counts")).to_contain_text("6 RUNNING", timeout=60_000)
    board.locator(".cj-board-section").first.locator(".cj-id").first.click()
    expect(board.locator(".cj-below .cj-head")).to_contain_text("RUNNING")
    book.wait_idle()
    book.cell(0).locator(".jp-InputArea-prompt").click()
    book.page.keyboard.type("00")
    book.page.locator(".jp-Dialog").locator(".jp-mod-accept").click()
    expect(board.locator(".cj-link").first).to_have_text("not live", timeout=10_000)
    expect(board.locator(".cj-actions").first.locator("button")).to_have_count(0)
    book.wait_idle()
