"""Workflows in a real JupyterLab: the graph, its changes, the pane of a member, and cancelling."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

START = """
%load_ext colony_jupyter
import asyncio, threading
import colony_jupyter as cj

executor = cj.Executor("flows-x")
hold = threading.Event()

@executor.function("generate")
async def generate(context, count):
    for step in range(1, count + 1):
        await context.channel("progress").send(f"Generating {step}/{count}")
        await asyncio.sleep(0.02)
    await context.channel("progress").end()
    print("generated", count, "numbers")
    return count

@executor.function("total")
def total(context, waits=False):
    print("adding", context.input)
    if waits:
        hold.wait(60)
    return sum(context.input)

@executor.function("fail")
async def fail(context):
    raise ValueError("the disk is full")

executor.start()
colony = cj.Colony()

def diamond(failing=None, executortype="flows-x"):
    workflow, channels = cj.Workflow(), ["progress"]
    numbers = [
        workflow.add("fail", nodename=f"generate-{at}", executortype=executortype) if at == failing
        else workflow.add("generate", at + 3, nodename=f"generate-{at}", executortype=executortype, channels=channels)
        for at in range(6)
    ]
    sums = [workflow.add("total", nodename=f"sum-{at}", executortype=executortype, after=numbers[at * 2:at * 2 + 2])
            for at in range(3)]
    workflow.add("total", True, nodename="total", executortype=executortype, after=sums)
    return colony.submit(workflow)
"""
GOOD = """
run = diamond()
%colony workflow run
"""
RELEASE = "hold.set()"
BAD = """
bad = diamond(failing=2)
%colony workflow bad
"""
WAITING = """
waiting = diamond(executortype="absent-x")
%colony workflow waiting
"""


def node(pane, name):
    return pane.locator(".cj-node").filter(has=pane.page.locator(".cj-node-name", has_text=re.compile(f"^{name}$")))


def no_faults(book):
    found = Axe().run(book.page, context=".cj").response
    assert [f"{fault['id']}: {node['html']}" for fault in found["violations"] for node in fault["nodes"]] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_graph_lives_and_a_node_opens_its_pane(notebook, theme):
    book = notebook(START, GOOD, RELEASE, theme=theme, height=1100)
    book.run(1)
    book.run(2)
    pane = book.cell(2).locator(".cj").first
    pane.scroll_into_view_if_needed()
    expect(pane.locator(".cj-node")).to_have_count(10)
    expect(pane.locator(".cj-node-success")).to_have_count(9)
    expect(node(pane, "total")).to_contain_text("RUNNING")
    expect(pane.locator(".cj-progress").first).to_contain_text("9/10")
    expect(pane.locator(".cj-progress").first).to_contain_text("1 running")
    expect(node(pane, "sum-1")).to_contain_text("on flows-x-")
    expect(pane.locator(".cj-graph path")).to_have_count(9)
    # Each stands to the right of all it depends on.
    left = {name: node(pane, name).bounding_box()["x"] for name in ("generate-0", "sum-0", "total")}
    assert left["generate-0"] < left["sum-0"] < left["total"]
    # The time of what runs goes on by itself.
    time = node(pane, "total").locator(".cj-node-time")
    before = time.inner_text()
    expect(time).not_to_have_text(before)
    # A press opens the pane of a process, with its log; another press closes it.
    node(pane, "sum-1").click()
    inner = pane.locator(".cj-member .cj")
    expect(inner.locator(".cj-name")).to_have_text("sum-1 (total)")
    expect(inner.locator(".cj-log")).to_contain_text("adding [5, 6]")
    expect(inner.locator(".cj-result")).to_contain_text("11")
    expect(node(pane, "sum-1")).to_have_attribute("aria-expanded", "true")
    book.shot(f"workflow-{theme}", 2)
    no_faults(book)
    node(pane, "generate-4").click()
    expect(inner.locator(".cj-name")).to_have_text("generate-4 (generate)")
    expect(inner.locator(".cj-log")).to_contain_text("generated 7 numbers")
    node(pane, "total").click()
    expect(inner.locator(".cj-state").first).to_have_text("RUNNING")
    # Of a process of a workflow only the whole can be cancelled.
    inner.get_by_role("button", name="Stop").click()
    expect(inner.locator(".cj-actions")).to_contain_text(
        "ColonyOS cancels a workflow only as a whole. Cancel workflow "
    )
    book.shot(f"workflow-cancel-{theme}", 2)
    no_faults(book)
    inner.get_by_role("button", name="No", exact=True).click()
    node(pane, "total").click()
    expect(inner).to_have_count(0)
    book.run(3)
    pane.scroll_into_view_if_needed()
    expect(pane.locator(".cj-head .cj-state").first).to_have_text("SUCCESS")
    expect(pane.locator(".cj-result")).to_contain_text("Output33")
    book.shot(f"workflow-done-{theme}", 2)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_failures_name_what_failed(notebook, theme):
    book = notebook(START, BAD, theme=theme, height=1100)
    book.run(1)
    book.run(2)
    pane = book.cell(2).locator(".cj").first
    pane.scroll_into_view_if_needed()
    expect(pane.locator(".cj-head .cj-state").first).to_have_text("FAILED")
    expect(node(pane, "generate-2")).to_contain_text("ValueError: the disk is full")
    expect(node(pane, "total")).to_contain_text("along with generate-2")
    cause = "failed along: node 'generate-2' (fail) failed: ValueError: the disk is full"
    expect(node(pane, "total")).to_have_attribute("aria-label", f"total: failed, {cause}")
    expect(pane.locator(".cj-progress").first).to_contain_text("10 failed")
    expect(pane.locator(".cj-result")).to_contain_text("node 'generate-2' (fail) failed: ValueError: the disk is full")
    node(pane, "total").click()
    inner = pane.locator(".cj-member .cj")
    expect(inner.locator(".cj-result")).to_contain_text(
        "failed along with its workflow: node 'generate-2' (fail) failed"
    )
    book.shot(f"workflow-failed-{theme}", 2)
    no_faults(book)


def test_a_member_offers_to_cancel_the_whole(notebook):
    book = notebook(START, WAITING, width=700)
    book.run(1)
    book.run(2)
    pane = book.cell(2).locator(".cj").first
    pane.scroll_into_view_if_needed()
    expect(pane.locator(".cj-meta").first).to_contain_text("none is registered")
    node(pane, "generate-0").click()
    inner = pane.locator(".cj-member .cj")
    inner.get_by_role("button", name="Cancel", exact=True).click()
    inner.get_by_role("button", name="Cancel the workflow").click()
    expect(pane.locator(".cj-head .cj-state").first).to_have_text("CANCELLED")
    expect(node(pane, "total")).to_contain_text("CANCELLED")
    expect(inner.locator(".cj-state").first).to_have_text("CANCELLED")
    book.shot("workflow-narrow", 2)


def test_a_page_that_is_loaded_again_shows_the_graph_and_the_member(notebook):
    book = notebook(START, GOOD, RELEASE)
    book.run(1)
    book.run(2)
    pane = book.cell(2).locator(".cj").first
    pane.scroll_into_view_if_needed()
    expect(pane.locator(".cj-node-success")).to_have_count(9)
    book.save()
    node(pane, "sum-0").click()
    expect(pane.locator(".cj-member .cj")).to_be_visible()
    book.open()
    pane = book.cell(2).locator(".cj").first
    pane.scroll_into_view_if_needed()
    expect(pane.locator(".cj-node")).to_have_count(10)
    expect(pane.locator(".cj-member .cj-log")).to_contain_text("adding [3, 4]")
    # The bar and the state go on there; running the cell again closes what it opened.
    book.run(3)
    expect(pane.locator(".cj-head .cj-state").first).to_have_text("SUCCESS")
    book.run(2)
    expect(book.cell(2).locator(".cj-member .cj")).to_have_count(0)
    expect(book.cell(2).locator(".cj-node")).to_have_count(10)
