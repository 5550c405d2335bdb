"""Ten lines that grow by fifty points a second in a pane: drawn as a plot, and shown as rows of the log."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from conftest import Notebook
from feeding import FEED

from benchmarks.labs import lab_and_browser
from benchmarks.subjects.pane import task_seconds
from benchmarks.tables import Table

if TYPE_CHECKING:
    from lab_server import Lab

    from benchmarks.effort import Effort

PLOT, LOG = "plot", "log"
RATE = 50
PANE = 'view = opened(title="bench"); running(view, channels=("metrics",)); feed(view, "metrics", point(-1), point(0))'
ENTRY = """
import json, math
def point(at):
    numbers = {f"loss {key}": math.exp(-at / 500) + math.sin(at / (20 + key)) for key in range(10)}
    return json.dumps({"step": at, **numbers})
"""
WORK = """
cpu = time.process_time()
began = time.perf_counter()
for at in range(1, {count}):
    due = began + at / {rate}
    time.sleep(max(0.0, due - time.perf_counter()))
    feed(view, "metrics", point(at))
print(time.process_time() - cpu)
"""


def _one(lab: Lab, browser: Any, shown: str, count: int) -> dict[str, float]:
    """Show the same entries in one of the two ways, in a page and a kernel of its own."""
    work = WORK.format(count=count, rate=RATE)
    book = Notebook(lab, browser, [FEED + ENTRY, PANE, work], theme="light", width=1400, height=900)
    try:
        session = book.context.new_cdp_session(book.page)
        session.send("Performance.enable")
        book.run(0)
        book.run(1)
        pane = book.cell(1).locator(".cj")
        pane.scroll_into_view_if_needed()
        if shown == PLOT:
            pane.get_by_role("tab", name="plot").click()
            pane.locator("canvas").wait_for(state="visible")
        busy = task_seconds(session)
        book.run(2, wait=False)
        book.page.wait_for_timeout(1000 * count / RATE)
        book.wait_idle()
        return {"page": task_seconds(session) - busy, "kernel": float(book.output(2))}
    finally:
        book.close()


def _measure(effort: Effort) -> list[Table]:
    count = effort.of(30 * RATE, 2 * RATE)
    table = Table(f"{count:,} entries of ten numbers at {RATE} a second, in one pane", {"page": "s", "kernel": "s"})
    with lab_and_browser() as (lab, browser):
        for _ in range(effort.rounds):
            for shown in (PLOT, LOG):
                table.add(shown, **_one(lab, browser, shown, count))
    table.claim_ratio("plot, beside the log: work of the page", (PLOT, LOG), "page", 1.0)
    return [table]


async def measure(effort: Effort) -> list[Table]:
    """Measure."""
    return await asyncio.to_thread(_measure, effort)
