"""Converting large arrays and tables to JSON, beside numpy's ``tolist()`` and the same encoder."""

from __future__ import annotations

import time
import tracemalloc
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pandas as pd

from benchmarks.tables import Table
from colony_jupyter.values.conversion import convert

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.effort import Effort

OURS, BARE = "convert", "tolist"
UNITS = {"time": "s", "memory": "copies"}


def _ours(value: Any) -> Any:
    return convert(value, "result", large="text").value


def _columns(frame: Any) -> Any:
    return {name: column.tolist() for name, column in frame.items()}


def _timed(simplify: Callable[[Any], Any], value: Any) -> float:
    begun = time.perf_counter()
    msgspec.json.encode(simplify(value))
    return time.perf_counter() - begun


def _peak(simplify: Callable[[Any], Any], value: Any) -> int:
    """Return the most bytes that were allocated at once, without those of the JSON text."""
    tracemalloc.start()
    try:
        kept = simplify(value)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    del kept
    return peak


def _table(title: str, value: Any, bare: Callable[[Any], Any], effort: Effort) -> Table:
    table = Table(title, UNITS, notes=["Memory: the most there was at once, in copies of what tolist() makes."])
    for _ in range(effort.rounds):
        copy = _peak(bare, value)
        for name, simplify in ((OURS, _ours), (BARE, bare)):
            table.add(name, time=_timed(simplify, value), memory=_peak(simplify, value) / copy)
    table.claim_ratio(f"{title}: time beside tolist() and encoding", (OURS, BARE), "time", 2.0)
    table.claim(f"{title}: memory", OURS, "memory", 3.0)
    return table


async def measure(effort: Effort) -> list[Table]:
    """Measure."""
    count = effort.of(1_000_000, 1000)
    generator = np.random.default_rng(1)
    floats = generator.normal(size=count)
    holed = floats.copy()
    holed[::1000] = np.nan
    frame = pd.DataFrame({"loss": floats, "step": np.arange(count)})
    return [
        _table(f"{count:,} floats", floats, np.ndarray.tolist, effort),
        _table(f"{count:,} floats, one of a thousand NaN", holed, np.ndarray.tolist, effort),
        _table(f"a DataFrame of {count:,} rows and two columns", frame, _columns, effort),
    ]
