"""Interrupting what blocks in a kernel, and finding what it left there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from notebook_kernel import Cell, Notebook

SOON = 0.5
"""Seconds within which the prompt must be back."""

PANES = "colony-panes"
"""Name of the thread that renews panes."""

_HOLDINGS = """
import asyncio, threading, psutil
from colony_jupyter.client.portal import PORTAL
def holdings():
    tasks = sorted(task.get_coro().__qualname__ for task in asyncio.all_tasks(PORTAL.loop))
    sockets = [each for each in psutil.Process().net_connections() if each.status == "ESTABLISHED"]
    # Threads for looking up addresses stay with their loop.
    threads = [each.name for each in threading.enumerate() if not each.name.startswith("asyncio_")]
    return tasks, sorted(threads), len(sockets)
"""

Holdings = tuple[list[str], list[str], int]


def prepare(notebook: Notebook) -> None:
    """Define in a kernel the function that lists what it holds."""
    assert notebook.run(_HOLDINGS).status == "ok"


def _once(notebook: Notebook, holds: Callable[[Holdings], bool], about: object = "") -> Holdings:
    """Return what a kernel holds once a condition on it holds; ``about`` is shown if it never does."""
    deadline = time.monotonic() + 10
    while not holds(now := notebook.evaluate("holdings()")):
        assert time.monotonic() < deadline, (about, now)
        time.sleep(0.1)
    return now


def holdings(notebook: Notebook) -> Holdings:
    """Return the tasks, the threads and the number of sockets that a kernel holds; the panes' thread ends by itself."""
    return _once(notebook, lambda now: PANES not in now[1])


def at_rest(notebook: Notebook) -> Holdings:
    """Return what a kernel holds once nothing goes on: what an earlier cell lets go of takes a moment."""
    return _once(notebook, lambda now: PANES not in now[1] and not now[0])


def nothing_is_left(notebook: Notebook, before: Holdings) -> None:
    """Make sure that a kernel holds no more than it did; a connection of the HTTP client stays for a few seconds."""
    _once(notebook, lambda now: now[:2] == before[:2] and now[2] <= before[2], before)


def interrupted(notebook: Notebook, start: Callable[[], Cell], waits: Callable[[Cell], bool]) -> tuple[Cell, float]:
    """Interrupt a cell once it waits; give it, and the seconds until the prompt was back."""
    cell = start()
    notebook.until(lambda: waits(cell))
    assert not cell.idle, f"it does not wait: {cell.text} {cell.error}"
    begun = time.monotonic()
    notebook.interrupt()
    notebook.finish(cell)
    return cell, time.monotonic() - begun


def soon(attempt: Callable[[], Any], attempts: int = 3) -> Any:
    """Return the result of the first attempt that took little enough; a noisy machine may need several.

    Args:
        attempt: gives its result and the seconds it took.
        attempts: how many; what is slow by itself is slow in all of them.
    """
    times = []
    for _ in range(attempts):
        result, took = attempt()
        times.append(took)
        if took < SOON:
            return result
    raise AssertionError(f"the prompt was back after {', '.join(f'{each:.2f} s' for each in times)}")
