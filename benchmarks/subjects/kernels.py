"""A kernel on an executor beside a local one: what a cell, Tab, floods, pictures, widgets and interrupts cost."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
import time
import uuid
from dataclasses import replace
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, Any

from remote_kernel import Front, Serving, install, text_of

from benchmarks.distance import far
from benchmarks.places import Place, places
from benchmarks.tables import Table, percentile
from colony_jupyter import Colony

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.effort import Effort

_PATIENCE = 60.0
_ROUND_TRIPS = (0.0, 0.04)
_LOCAL = "local"
_MEGABYTE = 10**6

_FLOOD = "for number in range({count}):\n    print(number, flush=True)"
_PICTURE = "display({{'image/png': picture[:{size}]}}, raw=True)"
_PREPARE = """
import base64, os, time
picture = base64.b64encode(os.urandom(19 * 10**6)).decode()
def echo(comm, _):
    comm.on_msg(lambda message: comm.send(message["content"]["data"]))
get_ipython().kernel.comm_manager.register_target("echo", echo)
"""
_INTERRUPTED = """
number = 0
try:
    print("on", flush=True)
    {body}
except KeyboardInterrupt:
    caught = time.time()
    raise
"""
_BODIES = {
    "sleep": "time.sleep(60)",
    "loop": "while True: number += 1",
    "flood": "while True:\n        number += 1\n        print(number, flush=True)",
}
_WHAT = ("noticed", "shown", "way")
_NOTE = (
    "An interrupt is *noticed* when the cell's own `except KeyboardInterrupt` runs, and *shown* when the front end has "
    "the error's message; both are counted from the front end's call that interrupts, by the clock of the one machine. "
    "Between them the kernel formats its traceback, here as there; the *way* is from the moment when the kernel has "
    "made that message, by its own date, to the front end: what was printed before must not hold it up. "
    "A flood prints and flushes numbers without a pause, for a second before it is interrupted, while the front end "
    "reads. *Lost* are numbers that were printed and did not arrive, in order and once. A round trip of 40 ms is one "
    "to the server, for the executor as well as for the notebook."
)


async def measure(effort: Effort) -> list[Table]:
    """Measure."""
    return await asyncio.to_thread(_measure, effort)


def _measure(effort: Effort) -> list[Table]:
    cells = Table("Kernels: requests", {"pass": "ms", "pass p95": "ms", "Tab": "ms"})
    bulk = Table("Kernels: output", {"10,000 prints": "s", "lost": "", "5 MB": "s", "25 MB": "s"})
    comms = Table("Kernels: 50 messages of widgets a second", {"p50": "ms", "p95": "ms", "lost": ""})
    interrupts = Table(
        "Kernels: interrupts",
        {f"{body} {what}": "ms" for body in _BODIES for what in _WHAT} | {"lost": ""},
        notes=[_NOTE],
    )
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.environ["JUPYTER_DATA_DIR"] = str(folder / "jupyter")
        fronts = {_LOCAL: stack.enter_context(_started(Front({}, "python3")))}
        for place in stack.enter_context(places(limits=True)):
            for round_trip in _ROUND_TRIPS:
                name = f"{place.name}, {round_trip * 1e3:.0f} ms"
                fronts[name] = stack.enter_context(_remote(place, round_trip, folder / name))
        for front in fronts.values():
            front.run(_PREPARE)
        for _ in range(effort.rounds):
            for name, front in fronts.items():
                cells.add(name, **_cells(front, effort.of(60, 10)))
            for name, front in fronts.items():
                comms.add(name, **_comms(front, effort.of(200, 20)))
            for name, front in fronts.items():
                interrupts.add(name, **_interrupts(front, effort.of(5, 1)))
            for name, front in fronts.items():
                bulk.add(name, **_bulk(front, effort.of(10_000, 200)))
    _claims(cells, bulk, comms, interrupts, [name for name in fronts if name != _LOCAL])
    return [cells, bulk, comms, interrupts]


def _claims(cells: Table, bulk: Table, comms: Table, interrupts: Table, names: list[str]) -> None:
    for name in names:
        if name.endswith(", 0 ms"):
            goal = 4.0 if name.startswith("embedded") else 5.0
            cells.claim_ratio(f"a cell beside a local kernel's, {name}", (name, _LOCAL), "pass", goal)
            for body in _BODIES:
                for what in ("noticed", "way"):
                    interrupts.claim(f"interrupt of a {body}, {what}, {name}", name, f"{body} {what}", 100)
            comms.claim(f"messages of widgets, {name}", name, "p95", 150)
        for table in (bulk, comms, interrupts):
            table.claim(f"lost, {name}: {table.title}", name, "lost", 0)


@contextlib.contextmanager
def _started(front: Front) -> Iterator[Front]:
    try:
        yield front.start()
    finally:
        front.stop()


@contextlib.contextmanager
def _remote(place: Place, round_trip: float, folder: Path) -> Iterator[Front]:
    """Return a kernel on an executor of its own."""
    kind = f"bench-{uuid.uuid4().hex[:8]}-x"
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(far(place.port, round_trip)) if round_trip else place.port
        stack.callback(_forget, place, kind)
        there = replace(place, port=port, variables={**place.variables, "COLONIES_SERVER_PORT": str(port)})
        environ = {**there.variables, "JUPYTER_DATA_DIR": os.environ["JUPYTER_DATA_DIR"]}
        serving = Serving(environ, kind, folder).start()
        stack.callback(serving.stop)
        install(environ, kind)
        yield stack.enter_context(_started(Front(environ, f"colony-{kind}")))


def _forget(place: Place, executortype: str) -> None:
    with Colony(place.settings()) as colony:
        for executor in colony.executors():
            if executor.executortype == executortype:
                colony.remove_executor(executor.executorname)


def _cells(front: Front, count: int) -> dict[str, float]:
    for _ in range(5):
        front.run("pass")
    times = []
    for _ in range(count):
        began = time.perf_counter()
        front.run("pass")
        times.append((time.perf_counter() - began) * 1e3)
    tabs = []
    for _ in range(max(3, count // 4)):
        began = time.perf_counter()
        request = front.client.complete("pict")
        _reply(front, request)
        tabs.append((time.perf_counter() - began) * 1e3)
        _quiet(front)
    return {"pass": percentile(times, 50), "pass p95": percentile(times, 95), "Tab": percentile(tabs, 50)}


def _bulk(front: Front, count: int) -> dict[str, float]:
    began = time.perf_counter()
    text, _ = front.finish(front.begin(_FLOOD.format(count=count)), _PATIENCE)
    figures = {
        "10,000 prints": time.perf_counter() - began,
        "lost": _lost(text, range(count)),
    }
    for megabytes in (5, 25):
        size = megabytes * _MEGABYTE
        began = time.perf_counter()
        cell = front.begin(_PICTURE.format(size=size))
        shown = front.hear(cell, lambda message: message["msg_type"] == "display_data", _PATIENCE)
        front.finish(cell, _PATIENCE)
        figures[f"{megabytes} MB"] = time.perf_counter() - began
        assert len(shown[-1]["content"]["data"]["image/png"]) == size
    front.heard.clear()
    return figures


def _comms(front: Front, count: int) -> dict[str, float]:
    """Send messages of a widget, one every 20 ms, and read what comes back meanwhile."""
    number, session, channel = uuid.uuid4().hex, front.client.session, front.client.shell_channel
    channel.send(session.msg("comm_open", {"comm_id": number, "target_name": "echo", "data": {}}))
    sent: list[float] = []
    back: dict[int, float] = {}
    began = time.perf_counter() + 0.2
    while len(back) < count and time.perf_counter() < began + count / 50 + 5:
        due = began + len(sent) / 50
        if len(sent) < count and time.perf_counter() >= due:
            data = {"comm_id": number, "data": {"n": len(sent)}}
            sent.append(time.perf_counter())
            channel.send(session.msg("comm_msg", data))
            continue
        with contextlib.suppress(Empty):
            pause = max(0.0, due - time.perf_counter()) if len(sent) < count else 0.05
            message = front.client.get_iopub_msg(timeout=pause)
            if message["msg_type"] == "comm_msg":
                back.setdefault(message["content"]["data"]["n"], time.perf_counter())
    channel.send(session.msg("comm_close", {"comm_id": number, "data": {}}))
    _quiet(front)
    times = [(back[at] - sent[at]) * 1e3 for at in back]
    return {"p50": percentile(times, 50), "p95": percentile(times, 95), "lost": count - len(back)}


def _interrupts(front: Front, count: int) -> dict[str, float]:
    figures: dict[str, float] = {}
    for body, code in _BODIES.items():
        noticed, shown, way = [], [], []
        for _ in range(count):
            cell = front.begin(_INTERRUPTED.format(body=code))
            heard = front.hear(cell, lambda message: message["msg_type"] == "stream")
            until = time.time() + (1.0 if body == "flood" else 0.3)
            if body == "flood":
                heard += front.hear(cell, lambda _: time.time() > until)  # noqa: B023 - used here only
            else:
                time.sleep(until - time.time())
            began = time.time()
            front.manager.interrupt_kernel()
            heard += front.hear(cell, lambda message: message["msg_type"] == "error", _PATIENCE)
            now = time.time()
            shown.append((now - began) * 1e3)
            way.append((now - heard[-1]["header"]["date"].timestamp()) * 1e3)
            front.finish(cell)
            if body == "flood":
                last = int(front.run("print(number)"))
                figures["lost"] = figures.get("lost", 0) + _lost(text_of(heard).removeprefix("on\n"), range(1, last))
            noticed.append((float(front.run("print(caught)")) - began) * 1e3)
        for what, times in zip(_WHAT, (noticed, shown, way), strict=True):
            figures[f"{body} {what}"] = percentile(times, 50)
    front.heard.clear()
    return figures


def _lost(text: str, numbers: range) -> int:
    """Count numbers that are missing; all, if what arrived is not in order and once."""
    found = [int(word) for word in text.split()]
    if len(set(found)) != len(found) or found != sorted(found):
        return len(numbers)
    return len(set(numbers) - set(found))


def _reply(front: Front, request: str) -> dict[str, Any]:
    while True:
        reply: dict[str, Any] = front.client.get_shell_msg(timeout=_PATIENCE)
        if reply["parent_header"].get("msg_id") == request:
            return reply


def _quiet(front: Front) -> None:
    """Read what still comes, until nothing has come for a moment."""
    for get in (front.client.get_iopub_msg, front.client.get_shell_msg):
        with contextlib.suppress(Empty):
            while True:
                get(timeout=0.1)
