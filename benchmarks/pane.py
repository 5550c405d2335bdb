"""How fast the pane is, beside `Output.append_stdout` and `HTML.value`, in a real JupyterLab and Chromium.

    python benchmarks/pane.py [paced|burst|ten] ...

Prints one line for each way and traffic: lag of the last entry, processor seconds of the kernel, bytes and frames the
page got, busy seconds and the longest task of the page. Figures are of this machine at this moment: compare the lines
of one run.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "tests" / "browser")]

from browsers import find_chromium, launch_options  # noqa: E402 - they lie beside the tests
from conftest import QUIET, Lab, Notebook  # noqa: E402
from feeding import FEED  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

BINARY = 2  # opcode of a binary websocket frame
WAYS = {
    "pane": """
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
    began = time.perf_counter()
    for at in range({count}):
        due = began + at / {rate}
        if due > time.perf_counter():
            time.sleep(due - time.perf_counter())
        text = f"entry {{at}} " + "x" * 66 + (" (last)" if at == {count} - 1 else "")
        if at == {count} - 1: made = time.time()
        show([text])
    print(json.dumps({{"made": made, "cpu": time.process_time() - cpu}}))
import json, resource
cpu = time.process_time()
threading.Thread(target=work).start()
"""

BURST = """
import json
cpu = time.process_time()
def work():
    time.sleep(0.5)
    made = time.time()
    show([f"entry {{at}} " + "x" * 66 + (" (last)" if at == {count} - 1 else "") for at in range({count})])
    print(json.dumps({{"made": made, "cpu": 0}}))
threading.Thread(target=work).start()
"""

SEEN = """
window.seen = null; window.longest = 0;
new PerformanceObserver((list) => {
  for (const task of list.getEntries()) window.longest = Math.max(window.longest, task.duration);
}).observe({ entryTypes: ['longtask'] });
new MutationObserver((changes) => {
  if (window.seen) return;
  for (const change of changes) for (const node of change.addedNodes)
    if ((node.textContent ?? '').includes('(last)')) { window.seen = Date.now(); return; }
}).observe(document.body, { childList: true, subtree: true, characterData: true });
"""


def measure(lab: Lab, browser: Any, name: str, way: str, work: str, cap: float) -> None:
    """Try one way with one traffic, in a page and a kernel of its own."""
    book = Notebook(
        lab, browser, [FEED, way, work, "print(time.process_time() - cpu)"], theme="light", width=1400, height=900
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
        longest = book.page.evaluate("window.longest")
        used = {key: got[key] - began[key] for key in got}
        if not seen:
            sys.stdout.write(f"{name:34} DNF at {cap:.0f} s  page {spent:5.1f} s  {used['bytes'] / 1e6:6.2f} MB\n")
            return
        book.run(3)
        cpu = float(book.output(3).strip())
        made = json.loads(book.cell(2).locator(".jp-OutputArea-output").last.inner_text())["made"]
        lag = f"{max(0.0, seen / 1000 - made):7.2f} s"
        sys.stdout.write(
            f"{name:34} lag {lag}  kernel {cpu:5.2f} s  page {spent:5.1f} s  longest {longest:4.0f} ms  "
            f"{used['bytes'] / 1e6:6.2f} MB in {used['frames']:5} frames\n"
        )
        sys.stdout.flush()
    finally:
        book.close()


def task_seconds(session: Any) -> float:
    """Give the seconds the page's main thread has been busy."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))


def main(wanted: list[str]) -> None:
    """Run what is wanted, or all of it."""
    path = find_chromium()
    if path is None:
        sys.exit("no Chromium found")
    options: Any = launch_options(path)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        lab = Lab(Path(folder))
        browser = playwright.chromium.launch(**{**options, "args": [*options["args"], *QUIET]})
        try:
            for name, way in WAYS.items():
                if not wanted or "paced" in wanted:
                    for count in (1000, 10_000):
                        work = PACED.format(count=count, rate=500)
                        measure(lab, browser, f"{name} {count} at 500/s", way, work, cap=count / 500 + 40)
                if (not wanted or "burst" in wanted) and name != "Output.append_stdout":
                    measure(lab, browser, f"{name} burst of 10000", way, BURST.format(count=10_000), cap=40)
        finally:
            browser.close()
            lab.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
