"""Processes that stand in for notebook kernels: each executes commands and can be ended in any way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Self

import psutil

if TYPE_CHECKING:
    from pathlib import Path

_SCRIPT = """
import json, os, sys, threading, time
from pathlib import Path
from colony_jupyter import embedded
data = Path(sys.argv[1])
for line in sys.stdin:
    try:
        answer = eval(line)
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
"""


class Kernel:
    """A Python process of its own that evaluates expressions; ``embedded`` and ``data`` are at hand there."""

    def __init__(self, data: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *arguments, "-c", _SCRIPT, str(data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def ask(self, expression: str) -> None:
        """Have an expression evaluated, without waiting for the answer."""
        self.process.stdin.write(expression + "\n")
        self.process.stdin.flush()

    def answer(self) -> Any:
        """Wait for the answer to the oldest question."""
        return json.loads(self.process.stdout.readline())

    def run(self, expression: str) -> Any:
        self.ask(expression)
        return self.answer()

    def ensure(self) -> int:
        """Have it find or start the colony; its port."""
        return self.run("embedded.ensure(data).port")

    def end(self) -> str:
        """End it as a kernel ends that is shut down; returns what it wrote to standard error."""
        self.process.stdin.close()
        said = self.process.stderr.read()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()
        return said

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.returncode is None:
            self.kill()


def servers(data: Path) -> list[psutil.Process]:
    """Every process that serves a data folder or is about to."""
    found = []
    for process in psutil.process_iter():
        try:
            line = process.cmdline()
            alive = process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            continue
        if alive and "colony_jupyter" in line and "serve" in line and str(data) in line:
            found.append(process)
    return found


def wait_until(condition: Any, seconds: float = 5.0) -> float:
    """Wait until a condition holds; return the seconds. For what has no event: the end of others' processes."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, f"not within {seconds} s"
        time.sleep(0.005)
    return time.monotonic() - start


def mode(path: Path) -> str:
    return oct(path.stat().st_mode & 0o777)


def environment_without_colonies() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("COLONIES_")}
