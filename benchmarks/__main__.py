"""Runs benchmarks, all by default, and writes what they found into benchmarks/results/.

Each runs in a process of its own: one that fails or hangs is reported in the results, and the others continue.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from benchmarks import report
from benchmarks.tables import Table

NAMES = (
    "append",
    "delivery",
    "followed",
    "server",
    "text",
    "values",
    "growth",
    "resume",
    "groups",
    "kernels",
    "pane",
    "panes",
    "plotting",
    "starting",
    "memory",
)
_PATIENCE = 600  # seconds for one benchmark
_ROUNDS = {"followed": 2, "groups": 1, "kernels": 1, "panes": 1, "pane": 2, "plotting": 1, "text": 2}
"""Most rounds of those whose rounds take long and differ little: each benchmark is to take about five minutes,
and on a slow machine less than `_PATIENCE`."""
_RESULTS = Path(__file__).parent / "results"


class Failed(Exception):
    """A benchmark without a result; ``str()`` is the reason."""


def play(name: str, rounds: int, share: float) -> list[Table]:
    """Run one benchmark.

    Raises:
        Failed: if it came to nothing.
    """
    command = [sys.executable, "-m", "benchmarks.one", name, str(rounds), str(share)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as child:
        try:
            printed, _ = child.communicate(timeout=_PATIENCE)
        except BaseException as error:
            os.killpg(child.pid, signal.SIGKILL)  # its servers and browsers, too
            if isinstance(error, subprocess.TimeoutExpired):
                raise Failed(f"not done after {_PATIENCE} s") from None
            raise
    if child.returncode or not printed.strip():
        raise Failed(f"ended with exit status {child.returncode}; the terminal shows why")
    return msgspec.json.decode(printed.splitlines()[-1], type=list[Table])


def main(words: list[str] | None = None) -> int:
    """Run what is wanted; the exit status shows whether everything was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"benchmarks to run: {', '.join(NAMES)}; all by default"
    )
    parser.add_argument("--rounds", type=int, default=5, help="turns of each contestant (default 5)")
    parser.add_argument("--share", type=float, default=1.0, help="share of the full work, to try things out")
    parser.add_argument(
        "--results", type=Path, default=None, help="where to write; the repository's own if all are run in full"
    )
    wanted = parser.parse_args(words)
    unknown = set(wanted.names) - set(NAMES)
    if unknown:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; there are: {', '.join(NAMES)}")
    run = report.Run(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=report.machine(),
        versions=report.versions(),
        rounds=wanted.rounds,
        tables=[],
        failures={},
    )
    for name in wanted.names or NAMES:
        print(f"{name} ...", file=sys.stderr, flush=True)
        began = time.monotonic()
        try:
            tables = play(name, min(wanted.rounds, _ROUNDS.get(name, wanted.rounds)), wanted.share)
        except Failed as error:
            run.failures[name] = str(error)
            print(f"{name}: {error}", file=sys.stderr)
        else:
            run.tables += tables
            print(*map(report.terminal, tables), sep="\n\n", end="\n\n", flush=True)
        run.seconds[name] = round(time.monotonic() - began, 1)
    whole = not wanted.names and wanted.share >= 1
    folder = wanted.results or (_RESULTS if whole else None)
    if folder is not None:
        report.write(run, folder)
        print(f"Written to {folder}.", file=sys.stderr)
    return 1 if run.failures else 0


if __name__ == "__main__":
    sys.exit(main())
