"""A kernel under load for an hour: the memory of both sides and of the server stays flat.

That of the kernel is measured only: IPython keeps the code of all cells, and what they printed.
"""

from __future__ import annotations

import os
import statistics
import time

import psutil
import pytest
from kernel_parties import parties, run

from colony_jupyter.kernels.relay.layout import Limits
from colony_jupyter.testing import ColonyServer

SECONDS = float(os.environ.get("KERNEL_LOAD_SECONDS", "3600"))
WARM_UP = 0.2
LOAD = """
import base64, os
from IPython.display import display
for number in range(500):
    print(number, flush=True)
display({"image/png": base64.b64encode(os.urandom(150_000)).decode()}, raw=True)
"""


def memory(server, kernel_pid):
    sizes = {"both sides": os.getpid(), "server": server.pid, "kernel": kernel_pid}
    return {name: psutil.Process(pid).memory_info().rss / 1e6 for name, pid in sizes.items()}


def slope(samples):
    """Return the growth in MB per minute, by least squares."""
    return statistics.linear_regression([at / 60 for at, _ in samples], [size for _, size in samples]).slope


@pytest.mark.chaos
async def test_memory_stays_flat_under_load(tmp_path):
    limits = Limits(entries=400, size=8 * 2**20)  # so that many processes follow each other
    with ColonyServer(tmp_path) as server:
        async with parties(server, limits=limits, caller_limits=limits) as (kernel, executor, _):
            pid = int(await run(kernel, "import os; print(os.getpid())"))
            begun, cells = time.monotonic(), 0
            samples: dict[str, list[tuple[float, float]]] = {}
            while (now := time.monotonic() - begun) < SECONDS:
                lines = await run(kernel, LOAD, 120)
                assert lines.split() == [str(number) for number in range(500)]
                cells += 1
                if now > WARM_UP * SECONDS:
                    for name, size in memory(server, pid).items():
                        samples.setdefault(name, []).append((now, size))
            report = {name: f"{sizes[-1][1]:.0f} MB, {slope(sizes):+.3f} MB/min" for name, sizes in samples.items()}
            print(f"{cells} cells in {now:.0f} s, {len(executor.serving)} processes: {report}")  # noqa: T201 - the measure
            assert executor.failures == {}
            for name in ("both sides", "server"):
                sizes = samples[name]
                quarter = len(sizes) // 4
                first, last = (
                    statistics.median(size for _, size in part) for part in (sizes[:quarter], sizes[-quarter:])
                )
                assert last < first * 1.15 + 10, f"{name}: {report}"
