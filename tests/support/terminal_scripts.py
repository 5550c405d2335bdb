"""Runs a script of IPython in a terminal without colours, with a data folder of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def started(script: str, folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Start a script, which is killed if it does not end; ``options`` are those of Python."""
    (folder / "script.ipy").write_text(script, "utf-8")
    with subprocess.Popen(
        [sys.executable, *options, "-m", "IPython", "--no-banner", "--colors=NoColor", "script.ipy"],
        cwd=folder,
        env={**os.environ, "XDG_DATA_HOME": str(folder / "data"), "TERM": "dumb"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def run(script: str, folder: Path) -> tuple[str, str]:
    """Run a script to its end; returns what it wrote to standard output and standard error."""
    with started(script, folder) as process:
        return process.communicate(timeout=50)
