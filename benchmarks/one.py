"""Runs one benchmark and writes its tables as JSON to standard output; `benchmarks.__main__` runs it so.

python -m benchmarks.one NAME ROUNDS SHARE
"""

from __future__ import annotations

import asyncio
import importlib
import sys

import msgspec

from benchmarks.effort import Effort


def main(name: str, rounds: str, share: str) -> None:
    module = importlib.import_module(f"benchmarks.subjects.{name}")
    tables = asyncio.run(module.measure(Effort(int(rounds), float(share))))
    sys.stdout.write(msgspec.json.encode(tables).decode() + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
