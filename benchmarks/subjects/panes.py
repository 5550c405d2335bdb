"""Ten panes of a real JupyterLab that show a hundred channels of as many processes, all at once.

The processes are the embedded colony's, what plays their executor is here, and the kernel reads them by our client.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from calling import executor
from conftest import Notebook
from feeding import FEED

from benchmarks.labs import lab_and_browser
from benchmarks.places import Place
from benchmarks.tables import Table, percentile
from colony_jupyter.testing import ColonyServer
from colony_jupyter.wire.messages import AssignProcess, ChannelAppend

if TYPE_CHECKING:
    from typing import Any

    from lab_server import Lab

    from benchmarks.effort import Effort
    from colony_jupyter.wire.identity import PrivateKey

_PANES = 10
_PROCESSES = 100
_RATE = 10  # entries a second of each
_SECONDS = 60
_IN_VIEW = {"two of them in view": 900, "all of them in view": 5000}  # by the height of the page in pixels
_KIND = "bench-panes-x"
_PATIENCE = 20  # seconds after the last append

OPEN = """
from pathlib import Path
import colony_jupyter as cj
from colony_jupyter.client.portal import PORTAL
from colony_jupyter.settings import resolve
colony = cj.Colony(resolve(use_embedded=True, data=Path({data!r})))
views = [opened(title=f"pane {{number}}") for number in range({panes})]
for view in views: running(view, channels=[])
processes = [colony.submit("f", channels=["c"], executortype={kind!r}) for _ in range({processes})]
received = 0
async def read(process, view, name):
    global received
    stream = process.asynchronous.channel("c").stream()
    while entries := await stream.batch():
        received += len(entries)
        view.feed(NewEntries(name, entries, {{"e" * 64: "laptop"}}, colony.userid))
for at, process in enumerate(processes):
    PORTAL.spawn(read, process, views[at % {panes}], f"channel {{at // {panes}}}")
cpu, wall = time.process_time(), time.perf_counter()
"""

WORK = """
late = []
until = time.perf_counter() + {seconds}
while time.perf_counter() < until:
    began = time.perf_counter()
    time.sleep(0.01)
    late.append(time.perf_counter() - began - 0.01)
late.sort()
busy = (time.process_time() - cpu) / (time.perf_counter() - wall)
"""

SEEN = r"""
window.lags = [];
new MutationObserver((changes) => {
  const now = Date.now() / 1000;
  for (const change of changes) for (const node of change.addedNodes) {
    if (!(node instanceof Element)) continue;
    for (const row of node.matches('.cj-row') ? [node] : node.querySelectorAll('.cj-row')) {
      const made = row.textContent.match(/made (\d+\.\d+)/);
      if (made) window.lags.push(now - Number(made[1]));
    }
  }
}).observe(document.body, { childList: true, subtree: true });
"""


WHOLE = """
([pane, total]) => {
  const numbers = [...pane.querySelectorAll('.cj-row')].map((row) => Number(row.dataset.n));
  return numbers.length === Math.min(total, 1000) && numbers[numbers.length - 1] === total - 1
    && numbers.every((number, at) => !at || number === numbers[at - 1] + 1);
}
"""


async def _assign(place: Place, key: PrivateKey, count: int) -> list[str]:
    async with place.line() as line:
        message = AssignProcess(colonyname=place.colonyname, timeout=10)
        return [(await line.call(message, key))["processid"] for _ in range(count)]


async def _append(place: Place, key: PrivateKey, processids: list[str], seconds: float) -> None:
    """Append to each process, evenly spread over time."""
    began = time.perf_counter() + 0.5

    async def work(number: int, processid: str) -> None:
        async with place.line() as line:
            for turn in range(round(seconds * _RATE)):
                due = began + (turn + number / len(processids)) / _RATE
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                text = f"entry {turn} of {number} made {time.time():.3f}".ljust(80)
                message = ChannelAppend(processid=processid, name="c", sequence=2 * turn + 2, payload=text.encode())
                await line.call(message, key)

    await asyncio.gather(*(work(number, processid) for number, processid in enumerate(processids)))


def _is_whole(book: Notebook, number: int, total: int) -> bool:
    """Whether a pane, brought into sight, has all of its newest rows."""
    pane = book.page.locator(".cj").nth(number)
    pane.scroll_into_view_if_needed()
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if book.page.evaluate(WHOLE, [pane.element_handle(), total]):
            return True
        book.page.wait_for_timeout(100)
    return False


def _play(
    lab: Lab, browser: Any, height: int, place: Place, key: PrivateKey, data: Path, effort: Effort
) -> dict[str, float]:
    seconds, count = effort.of(_SECONDS, 2), effort.of(_PROCESSES, _PANES)
    opening = OPEN.format(data=str(data), panes=_PANES, kind=_KIND, processes=count)
    telling = "print(received, late[int(len(late) * 0.99)], busy)"
    cells = [FEED, opening, WORK.format(seconds=seconds), telling]
    book = Notebook(lab, browser, cells, theme="light", width=1400, height=height)
    try:
        book.run(0)
        book.page.evaluate(SEEN)
        book.run(1)

        def drive() -> None:
            processids = asyncio.run(_assign(place, key, count))
            asyncio.run(_append(place, key, processids, seconds))

        driver = threading.Thread(target=drive)
        driver.start()
        book.run(2, wait=False)
        psutil.cpu_percent()
        driver.join(seconds + _PATIENCE)
        machine = psutil.cpu_percent()
        total = count * round(seconds * _RATE)
        book.page.wait_for_timeout(2000)
        lags = book.page.evaluate("window.lags")  # before panes come into sight that had shown nothing
        whole = sum(_is_whole(book, number, total // _PANES) for number in range(_PANES))
        book.run(3)
        received, late, busy = map(float, book.output(3).split())
        return {
            "received": 100 * received / total,
            "whole": float(whole),
            "p50": percentile(lags, 50),
            "p99": percentile(lags, 99),
            "late": late * 1e3,
            "busy": 100 * busy,
            "machine": machine,
        }
    finally:
        book.close()


def _show(height: int, place: Place, key: PrivateKey, data: Path, effort: Effort) -> dict[str, float]:
    with lab_and_browser() as (lab, browser):
        return _play(lab, browser, height, place, key, data, effort)


async def measure(effort: Effort) -> list[Table]:
    """Measure."""
    table = Table(
        "A hundred channels of as many processes in ten panes of JupyterLab, ten entries a second each",
        {"received": "%", "whole": "panes", "p50": "s", "p99": "s", "late": "ms", "busy": "%", "machine": "%"},
        notes=[
            "received: by the kernel. whole: panes that have all of their newest rows when they are looked at.",
            "p50 and p99: from the append to the row in the page, of panes in sight.",
            "late: p99 of how much later than asked the kernel's main thread wakes up.",
            "busy: share of a processor that the kernel takes. machine: share of all processors in use: by what",
            "appends, the colony, Jupyter's server, the kernel and Chromium.",
        ],
    )
    with tempfile.TemporaryDirectory() as folder, ColonyServer(Path(folder) / "data") as server:
        place = Place("embedded", server.host, server.port, server.environ(), limited=True)
        async with place.line() as line:
            key: PrivateKey = await executor(line, place.variables, _KIND)
        for _ in range(effort.rounds):
            for name, height in _IN_VIEW.items():
                table.add(name, **await asyncio.to_thread(_show, height, place, key, server.data, effort))
    for name in _IN_VIEW:
        table.claim(f"ten panes, {name}: entries that the kernel has", name, "received", 100, "at least")
        table.claim(f"ten panes, {name}: panes with all of their rows", name, "whole", _PANES, "at least")
        table.claim(f"ten panes, {name}: lag, p99", name, "p99", 0.3)
        table.claim(f"ten panes, {name}: the kernel's main thread wakes up late by, p99", name, "late", 15)
    return [table]
