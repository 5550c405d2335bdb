"""Interrupting what waits: the prompt is back at once, nothing is left, and the process goes on."""

from __future__ import annotations

import time

import pytest

HOLDINGS = """
import asyncio, threading, psutil
from colony_jupyter.client.loop import PORTAL
def holdings():
    tasks = sorted(task.get_coro().__qualname__ for task in asyncio.all_tasks(PORTAL.loop))
    sockets = [each for each in psutil.Process().net_connections() if each.status == "ESTABLISHED"]
    # Threads for looking up addresses stay with their loop.
    threads = [each.name for each in threading.enumerate() if not each.name.startswith("asyncio_")]
    return tasks, sorted(threads), len(sockets)
"""


def holdings(notebook):
    return notebook.evaluate("holdings()")


@pytest.fixture(autouse=True)
def warm(notebook):
    """The first pane brings what stays with the kernel: modules, threads of theirs, an HTTP connection."""
    notebook.run(HOLDINGS)
    notebook.run("%colony submit steps 1 --channel progress --type magics-test --wait")
    while "colony-panes" in holdings(notebook)[1]:  # ends when there is no news
        time.sleep(0.1)


def nothing_is_left(notebook, before):
    """A connection of the HTTP client stays for a few seconds, and the panes' thread until there is no news."""
    deadline = time.monotonic() + 10
    while (left := holdings(notebook)) != before and time.monotonic() < deadline:
        time.sleep(0.2)
    tasks, threads, sockets = left
    assert (tasks, threads) == before[:2]
    assert sockets <= before[2]


@pytest.mark.parametrize(
    "line",
    [
        "%colony submit long-task --type nobody-here --channel progress log --wait -o p",
        "%colony submit long-task --type nobody-here --wait --quiet -o p",
    ],
)
def test_waiting_for_a_process(notebook, line):
    before = holdings(notebook)
    cell = notebook.start(f"print('begun', flush=True)\n{line}")
    notebook.until(lambda: "begun" in cell.text and ("quiet" in line or "none is registered" in cell.transcript))
    time.sleep(0.3)  # it waits now
    begun = time.monotonic()
    notebook.interrupt()
    notebook.finish(cell)
    took = time.monotonic() - begun
    assert cell.status == "error"
    assert took < 0.5
    assert cell.error.startswith("Interrupted. long-task (")
    assert "goes on: `%colony watch" in cell.error
    nothing_is_left(notebook, before)
    assert notebook.evaluate("p.refresh().state.name") == "WAITING"
    assert "is cancelled" in notebook.run("%colony cancel p").text


def test_a_pane_that_ended_leaves_nothing(notebook):
    before = holdings(notebook)
    cell = notebook.run("%colony submit steps 2 --channel progress --type magics-test")
    notebook.until(lambda: "SUCCESS" in cell.transcript)
    nothing_is_left(notebook, before)


def test_running_a_cell_again_ends_what_its_pane_was_fed_by(notebook):
    before = holdings(notebook)
    cell = notebook.run("%colony submit long-task --type nobody-here --channel progress -o p", cell_id="one")
    notebook.until(lambda: "none is registered" in cell.transcript)
    notebook.run("%colony submit steps 1 --channel progress --type magics-test --wait", cell_id="one")
    nothing_is_left(notebook, before)
    assert notebook.evaluate("p.refresh().state.name") == "WAITING"
    assert "is cancelled" in notebook.run("%colony cancel p").text
