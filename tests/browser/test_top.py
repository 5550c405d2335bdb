"""%colony top in a real JupyterLab."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

START = """
import os, tempfile
os.environ["XDG_DATA_HOME"] = os.path.abspath(tempfile.mkdtemp(dir="."))  # other notebooks share one colony
%load_ext colony_jupyter
import asyncio
import colony_jupyter as cj

executor = cj.Executor("workers", name="laptop-7f3a", concurrency=3)

@executor.function("train")
async def train(context, seconds):
    if seconds > 1:
        await context.channel("progress").send("Processing step 1/3")
    await asyncio.sleep(seconds)
    return seconds

executor.start()
colony = cj.Colony()
busy = [colony.submit("train", 600, channels=["progress"], executortype="workers") for _ in range(2)]
waiting = [colony.submit("resize", n, executortype="image-tools") for n in range(4)]
one, two = cj.FunctionSpec(nodename="a", funcname="x"), cj.FunctionSpec(nodename="b", funcname="y")
two.conditions.dependencies = ["a"]
for each in (one, two):
    each.conditions.executortype = "image-tools"
workflow = colony.submit_workflow([one, two])
calls = []
"""
TOP = """
from colony_jupyter.client.transport.http import Transport
original = Transport.call
async def call(self, message, *args, **how):
    calls.append(type(message).__name__)
    return await original(self, message, *args, **how)
Transport.call = call
%colony top
"""
DONE = 'print([process.result(30) for process in colony.map("train", [0.01] * 40, executortype="workers")][-1])'
COUNT = "calls.clear(); await asyncio.sleep(4); print('CALLS', len([c for c in calls if c == 'GetColonyStatistics']))"
TALL = "from IPython.display import HTML; HTML('<div style=\"height:3000px\">tall</div>')"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_colony_live(notebook, theme):
    book = notebook(START, TOP, DONE, TALL, COUNT, theme=theme)
    book.run(1)
    book.run(2)
    board = book.cell(2).locator(".cj")
    board.scroll_into_view_if_needed()
    expect(board.locator(".cj-name")).to_have_text("colony dev")
    expect(board.locator(".cj-board-name")).to_have_text(["executors", "waiting longest", "newest", "workflows"])
    executors = board.locator(".cj-board-section").first
    expect(executors.locator("tbody tr")).to_have_count(1)
    expect(executors).to_contain_text("laptop-7f3aworkerstrain", timeout=15_000)
    expect(board.locator(".cj-counts")).to_contain_text("2 RUNNING", timeout=10_000)
    # It is live: a rate appears while processes end.
    book.run(3)
    expect(board.locator(".cj-counts")).to_contain_text("40 SUCCESS", timeout=10_000)
    expect(board.locator(".cj-counts")).to_contain_text("/s")
    book.shot(f"top-{theme}", 2)
    found = Axe().run(book.page, context=".cj").response
    assert [f"{fault['id']}: {node['html']}" for fault in found["violations"] for node in fault["nodes"]] == []
    # A click follows a process.
    waiting = board.locator(".cj-board-section").nth(1)
    expect(waiting.locator("tbody tr").first).to_contain_text("resize")
    waiting.locator(".cj-id").first.click()
    inner = board.locator(".cj-below .cj")
    expect(inner.locator(".cj-head")).to_contain_text("none is registered", timeout=10_000)
    book.shot(f"top-follow-{theme}", 2)
    # Cancelling asks first; the pane below shows the end.
    waiting.get_by_role("button", name="Cancel process").first.click()
    waiting.get_by_role("button", name="Yes").click()
    expect(board.locator(".cj-counts")).to_contain_text("1 CANCELLED", timeout=10_000)
    expect(inner.locator(".cj-state").first).to_have_text("CANCELLED")
    # Out of sight nothing is asked.
    book.run(4)
    book.run(5)
    book.cell(5).scroll_into_view_if_needed()
    book.page.wait_for_timeout(1000)
    book.run(5)
    assert "CALLS 0" in book.output(5)
