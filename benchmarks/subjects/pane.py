"""Entries into a cell of a real JupyterLab in Chromium: our pane, and the ways that Jupyter has itself.

For each way and traffic: lag of the last entry, processor seconds of the kernel, bytes and frames the page got, busy
seconds and the longest task of the page, and how many entries it had shown: of a way with much traffic Jupyter's server
drops messages (its option ``iopub_data_rate_limit``), so that its page has little to do.

A thread of the kernel makes the entries and wakes up for each of them. At 500 entries a second that alone takes
more than showing them, so what the kernel takes beyond that is a figure of its own.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from conftest import Notebook
from feeding import FEED

from benchmarks.labs import lab_and_browser
from benchmarks.tables import Table

if TYPE_CHECKING:
    from lab_server import Lab

    from benchmarks.effort import Effort

PANE = "our pane"
NOTHING = "made, not shown"
UNITS = {"lag": "s", "kernel": "s", "beyond": "s", "page": "s", "longest": "ms", "traffic": "MB", "frames": ""}
UNITS |= {"shown": "", "an entry": "ms"}
PATIENCE = 20  # seconds
BINARY = 2  # opcode of a binary websocket frame
WAYS = {
    NOTHING: """
def show(lines):
    for line in lines: entry(line)
""",
    PANE: """
view = opened(title="bench"); running(view)
def show(lines): feed(view, "progress", *lines)
""",
    "Output.append_stdout": """
import ipywidgets
from IPython.display import display
output = ipywidgets.Output(); display(output)
def show(lines):
    for line in lines: output.append_stdout(line + "\\n")
""",
    "print": """
def show(lines):
    for line in lines: print(line)
""",
    "HTML.value": """
import html, ipywidgets
from IPython.display import display
box = ipywidgets.HTML(); display(box)
shown, fresh = [], []
def show(lines): fresh.extend(lines)
def flush():
    while True:
        time.sleep(0.05)
        if fresh:
            shown.extend(fresh); fresh.clear()
            box.value = "<pre>" + html.escape("\\n".join(shown)) + "</pre>"
        if shown and "(last)" in shown[-1]:
            return
threading.Thread(target=flush).start()
""",
}

PACED = """
def work():
    global made
    began = time.perf_counter()
    for at in range({count}):
        due = began + at / {rate}
        time.sleep(max(0.0, due - time.perf_counter()))
        text = f"entry {{at}} " + "x" * 66 + (" (last)" if at == {count} - 1 else "")
        if at == {count} - 1: made = time.time()
        show([text])
cpu = time.process_time()
threading.Thread(target=work).start()
"""

BURST = """
cpu = time.process_time()
def work():
    global made
    time.sleep(0.5)
    made = time.time()
    show([f"entry {{at}} " + "x" * 66 + (" (last)" if at == {count} - 1 else "") for at in range({count})])
threading.Thread(target=work).start()
"""

SEEN = """
window.seen = null; window.longest = 0; window.shown = 0;
new PerformanceObserver((list) => {
  for (const task of list.getEntries()) window.longest = Math.max(window.longest, task.duration);
}).observe({ entryTypes: ['longtask'] });
new MutationObserver((changes) => {
  if (window.seen) return;
  for (const change of changes) for (const node of change.addedNodes) {
    const text = node.textContent ?? '';
    const at = text.lastIndexOf('entry ');
    if (at >= 0) window.shown = Math.max(window.shown, 1 + Number.parseInt(text.slice(at + 6), 10) || 0);
    if (text.includes('(last)')) { window.seen = Date.now(); return; }
  }
}).observe(document.body, { childList: true, subtree: true, characterData: true });
"""


def one(lab: Lab, browser: Any, way: str, work: str, cap: float) -> dict[str, float]:
    """Try one way with one traffic, in a page and a kernel of its own; without a lag if it took longer than the cap."""
    book = Notebook(
        lab, browser, [FEED, way, work, "print(made, time.process_time() - cpu)"], theme="light", width=1400, height=900
    )
    try:
        got = {"bytes": 0, "frames": 0}

        def on_frame(frame: dict[str, Any]) -> None:
            got["frames"] += 1
            # The protocol of the browser's tools hands binary frames over in base64.
            got["bytes"] += len(frame["payloadData"]) * (3 if frame["opcode"] == BINARY else 4) // 4

        session = book.context.new_cdp_session(book.page)
        session.send("Network.enable")
        session.on("Network.webSocketFrameReceived", lambda frame: on_frame(frame["response"]))
        session.send("Performance.enable")
        book.run(0)
        book.run(1)
        book.page.evaluate(SEEN)
        busy = task_seconds(session)
        began = dict(got)
        book.run(2, wait=False)
        deadline = time.monotonic() + cap
        while time.monotonic() < deadline and not book.page.evaluate("window.seen"):
            book.page.wait_for_timeout(100)
        seen = book.page.evaluate("window.seen")
        spent = task_seconds(session) - busy
        longest, shown = book.page.evaluate("[window.longest, window.shown]")
        used = {key: got[key] - began[key] for key in got}
        figures = {"page": spent, "longest": longest, "traffic": used["bytes"] / 1e6, "frames": float(used["frames"])}
        if way != WAYS[NOTHING]:
            figures |= {"shown": float(shown), "an entry": 1000 * spent / max(1, shown)}
        if not seen and way != WAYS[NOTHING]:
            return figures
        book.run(3)
        made, cpu = map(float, book.output(3).split())
        lag = {"lag": max(0.0, seen / 1000 - made)} if seen else {}
        return {**lag, "kernel": cpu, **figures}
    finally:
        book.close()


def task_seconds(session: Any) -> float:
    """Return the seconds the page's main thread has been busy."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))


def _paced(lab: Lab, browser: Any, effort: Effort) -> Table:
    count = effort.of(10_000, 200)
    table = Table(
        f"Entries into a cell of JupyterLab: {count:,} of 80 characters at 500 a second",
        UNITS,
        notes=[
            f"A contestant without a lag had not shown its last entry {PATIENCE} s after it was made.",
            "An entry: work of the page for each entry that it had shown.",
            f"{NOTHING}: what the program in the kernel takes that makes the entries, one by one.",
            "Beyond: processor time of the kernel without that, which was measured in the same round.",
        ],
    )
    for _ in range(effort.rounds):
        making = 0.0
        for name, way in WAYS.items():
            work = PACED.format(count=count, rate=500)
            patience = 1 if name == NOTHING else PATIENCE
            figures = one(lab, browser, way, work, cap=count / 500 + patience)
            if name == NOTHING:
                making = figures["kernel"]
            elif "kernel" in figures:
                figures["beyond"] = figures["kernel"] - making
            table.add(name, **figures)
    table.claim("pane: lag of the last of 10,000 entries", PANE, "lag", 0.1)
    table.claim("pane: processor time of the kernel, with what makes the entries", PANE, "kernel", 0.5)
    table.claim("pane: processor time of the kernel, without what makes the entries", PANE, "beyond", 0.5)
    table.claim("pane: traffic", PANE, "traffic", 1.5)
    table.claim("pane: longest task of the page", PANE, "longest", 150)
    table.claim("pane: entries that it had shown", PANE, "shown", count, "at least")
    ratio = "pane, beside HTML.value: work of the page for each entry shown"
    table.claim_ratio(ratio, (PANE, "HTML.value"), "an entry", 1 / 3)
    return table


def _burst(lab: Lab, browser: Any, effort: Effort) -> Table:
    count = effort.of(10_000, 200)
    table = Table(f"{count:,} entries at once into a cell of JupyterLab", UNITS)
    for _ in range(effort.rounds):
        for name in (PANE, "HTML.value"):
            table.add(name, **one(lab, browser, WAYS[name], BURST.format(count=count), cap=PATIENCE))
    table.claim("pane: 10,000 entries at once are shown", PANE, "lag", 0.5)
    return table


def _measure(effort: Effort) -> list[Table]:
    with lab_and_browser() as (lab, browser):
        return [_paced(lab, browser, effort), _burst(lab, browser, effort)]


async def measure(effort: Effort) -> list[Table]:
    """Measure."""
    return await asyncio.to_thread(_measure, effort)
