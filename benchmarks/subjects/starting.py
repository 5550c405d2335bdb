"""What it costs to begin: imports, the extension, the first call to the embedded colony."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_client.manager import start_new_kernel

from benchmarks.pasts import Past, fill
from benchmarks.tables import Table

if TYPE_CHECKING:
    from jupyter_client.blocking.client import BlockingKernelClient

    from benchmarks.effort import Effort

_WITH_HISTORY = "the same, with 1 GB of history"
_HISTORY = Past(closed=40_000, output=10_000, lines=1_000_000, entries=1_000_000)

_IMPORT = """
import time
began = time.perf_counter()
import {module}
print(time.perf_counter() - began)
"""

_FIRST_CALL = """
import time
import colony_jupyter as cj
began = time.perf_counter()
with cj.Colony() as colony:
    colony.processes("waiting")
    print(time.perf_counter() - began)
"""

_LOAD = """
import time
_began = time.perf_counter()
get_ipython().run_line_magic("load_ext", {extension!r})
print("took", time.perf_counter() - _began)
"""


def _seconds(script: str, data: Path) -> float:
    """Run a script in a Python of its own; the seconds it prints."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COLONIES_")}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**environment, "XDG_DATA_HOME": str(data)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return float(done.stdout)


def _load(extension: str) -> float:
    """Seconds of loading an extension in a kernel of its own."""
    manager, client = start_new_kernel()
    try:
        client.execute_interactive("pass", timeout=60)
        return _taken(client, _LOAD.format(extension=extension))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _taken(client: BlockingKernelClient, code: str) -> float:
    printed: list[str] = []

    def hook(message: dict[str, dict[str, str]]) -> None:
        printed.append(message["content"].get("text", ""))

    client.execute_interactive(code, timeout=60, output_hook=hook)
    return float("".join(printed).split("took")[1].split()[0])


async def measure(effort: Effort) -> list[Table]:
    """Measure."""
    past = _HISTORY.of(effort)
    table = Table(
        "Beginning",
        {"ms": "ms"},
        notes=["Each in a process of its own; another extension shows what %load_ext itself costs in a bare kernel."],
    )
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as old:
        data, long = Path(folder), Path(old)
        _seconds(_FIRST_CALL, data)  # makes the keys
        await fill(long / "colony_jupyter", past)
        for number in range(effort.rounds):
            for module in ("colony_jupyter", "ipywidgets"):
                table.add(f"import {module}", ms=_seconds(_IMPORT.format(module=module), data) * 1e3)
            for extension in ("colony_jupyter", "storemagic"):
                table.add(f"%load_ext {extension}", ms=_load(extension) * 1e3)
            table.add("embedded colony, to the first call answered", ms=_seconds(_FIRST_CALL, data) * 1e3)
            table.add(_WITH_HISTORY, ms=_seconds(_FIRST_CALL, long) * 1e3)
            new = data / str(number)
            new.mkdir()
            table.add("the same, the very first time", ms=_seconds(_FIRST_CALL, new) * 1e3)
    table.claim("import colony_jupyter", "import colony_jupyter", "ms", 60)
    table.claim("%load_ext colony_jupyter", "%load_ext colony_jupyter", "ms", 100)
    table.claim("embedded colony, to the first call answered", "embedded colony, to the first call answered", "ms", 540)
    table.claim(_WITH_HISTORY, _WITH_HISTORY, "ms", 600)
    return [table]
