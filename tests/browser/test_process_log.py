"""The log of a process in the pane of a real JupyterLab."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

LINES = r"""
from colony_jupyter.wire.models import Log
def lines(*texts):
    return [Log(processid="p", colonyname="c", executorname="docker-1", message=text, timestamp=time.time_ns())
            for text in texts]
"""
CONTAINER = r"""
view = opened(title="execute")
view.feed(ProcessChange(record(ProcessState.RUNNING, funcname="execute", channels=()), "docker-1"))
pulled = lines("Pulling ubuntu:24.04", "Digest: sha256:4fdf0125919d24aec972544669dcd7d6a26a8ad7e6561c73d5549bd6d",
               "\x1b[32mready\x1b[0m", "10 %\r", "55 %\r", "100 %\n", '{"loss": 0.25, "epoch": 3}')
view.feed(NewLogLines(pulled))
"""
BOTH = r"""
both = opened(title="train")
running(both, funcname="train", channels=("metrics", "notes"))
both.feed(NewLogLines(lines("loading data")))
"""
ENTRIES = """
feed(both, "metrics", "0.5", "0.25")
feed(both, "notes", "half way")
both.feed(NewLogLines(lines("warming up", "epoch 1")))
"""
FLOOD = """
flood = opened(title="train")
running(flood, funcname="train", channels=("progress",))
feed(flood, "progress", "the only entry")
flood.feed(NewLogLines(lines(*(f"line {number}" for number in range(3000)))))
"""


def texts(pane):
    return pane.locator(".cj-row .cj-text").all_inner_texts()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_process_without_channels_shows_its_log_first(notebook, theme):
    book = notebook(LINES, CONTAINER, BOTH, ENTRIES, theme=theme)
    book.run(1)
    book.run(2)
    pane = book.cell(2).locator(".cj")
    pane.scroll_into_view_if_needed()
    expect(pane.locator(".cj-tab")).to_have_text(["log5"])
    expect(pane.locator(".cj-row")).to_have_count(5)
    assert texts(pane)[2:4] == ["ready", "100 %"]
    expect(pane.locator(".cj-row").nth(2).locator("span").first).to_have_class("cj-sgr-green")
    pane.get_by_role("button", name="unfold").click()
    expect(pane.locator(".cj-row").last).to_contain_text('"epoch": 3')
    book.shot(f"process-log-{theme}", 2)
    # Beside channels: shown as long as these have no entries.
    book.run(3)
    both = book.cell(3).locator(".cj")
    both.scroll_into_view_if_needed()
    expect(both.get_by_role("tab", name="log")).to_have_attribute("aria-selected", "true")
    expect(both.locator(".cj-row")).to_have_count(1)
    book.run(4)
    expect(both.locator(".cj-tab")).to_have_text(["all3", "metrics2", "notes1", "log3", "plot"])
    expect(both.get_by_role("tab", name="all")).to_have_attribute("aria-selected", "true")
    assert texts(both) == ["0.5", "0.25", "half way"]
    both.get_by_role("tab", name="log").click()
    assert texts(both) == ["loading data", "warming up", "epoch 1"]
    # What is typed goes to a channel.
    both.get_by_role("button", name="Reply").click()
    expect(both.get_by_role("combobox", name="Channel")).to_be_visible()
    book.shot(f"process-log-channels-{theme}", 3)
    found = Axe().run(book.page, context=".cj").response
    assert [f"{fault['id']}: {node['html']}" for fault in found["violations"] for node in fault["nodes"]] == []


def test_a_flood_of_lines_does_not_hide_the_entries(notebook):
    book = notebook(LINES, FLOOD)
    book.run(1)
    book.run(2)
    pane = book.cell(2).locator(".cj")
    pane.scroll_into_view_if_needed()
    expect(pane.locator(".cj-row")).to_have_count(1)
    assert texts(pane) == ["the only entry"]
    pane.get_by_role("tab", name="log").click()
    expect(pane.locator(".cj-row").last).to_contain_text("line 2999")
    # Earlier ones are brought, and found.
    pane.locator(".cj-log").evaluate("log => log.scrollTop = 0")
    expect(pane.locator(".cj-row").first).to_contain_text("line 1800")
    pane.get_by_role("button", name="Search").click()
    pane.get_by_role("searchbox").fill("line 12")
    expect(pane.locator(".cj-search")).to_contain_text("111 found")
