"""Installs the built wheel and sdist into clean environments and uses them there: ``make installs``.

For each Python of the machine that the package supports: import, doctor, demo, and the first notebook through nbclient,
in a folder away from the checkout. No JupyterLab is installed, so this also shows that a plain kernel is enough.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MINORS: Final = (11, 12, 13, 14)
_PATIENCE: Final = 900.0
"""Seconds that one command may take; installing takes most of it."""

_NOTEBOOK: Final = """
import pathlib
import colony_jupyter, nbclient, nbformat
path = pathlib.Path(colony_jupyter.__file__).parent / "_notebooks" / "01-streaming-progress.ipynb"
notebook = nbformat.read(path, 4)
nbclient.NotebookClient(notebook, timeout=60).execute()
assert "Processing step 10/10" in str(notebook), "the notebook does not show its entries"
"""
_USES: Final = (
    ("import", "import colony_jupyter as cj; print(cj.__version__)"),
    ("doctor", "-m colony_jupyter doctor"),
    ("demo", "-m colony_jupyter demo"),
    ("notebook 01", _NOTEBOOK),
)


class Failed(Exception):
    """A command that failed; ``str()`` has what it printed."""


def pythons(minors: Iterable[int] = MINORS, home: Path | None = None) -> Iterator[tuple[str, str]]:
    """Yield the version and the path of each Python here: on the path, else the newest that pyenv has.

    Args:
        minors: minor versions of Python 3 to look for.
        home: the user's home folder.
    """
    for minor in minors:
        found = [path for path in [shutil.which(f"python3.{minor}")] if path and "shims" not in path]
        versions = (home or Path.home()) / ".pyenv" / "versions"
        found += [str(path) for path in sorted(versions.glob(f"3.{minor}.*/bin/python3"), reverse=True)]
        if found:
            yield f"3.{minor}", found[0]


def run(command: list[str], folder: Path) -> float:
    """Run a command in a folder, with nothing of ours in its environment, and return the seconds it took.

    Raises:
        Failed: if it fails.
    """
    foreign = {name: value for name, value in os.environ.items() if not name.startswith(("COLONIES_", "PYTHON"))}
    begun = time.monotonic()
    done = subprocess.run(  # noqa: S603 - commands of this module
        command,
        cwd=folder,
        env={**foreign, "XDG_DATA_HOME": str(folder / "data")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )
    if done.returncode:
        raise Failed(f"{' '.join(command)}\nended with exit status {done.returncode}:\n{done.stdout[-4000:]}")
    return time.monotonic() - begun


def uses(python: str, built: Path, folder: Path) -> Iterator[tuple[str, float]]:
    """Install a wheel or sdist into an environment of its own and use it; yield what was done and how long it took.

    Args:
        python: path of the Python.
        built: the wheel or sdist.
        folder: where the environment and its data are made.

    Raises:
        Failed: if anything fails.
    """
    run([python, "-m", "venv", "env"], folder)
    inside = str(folder / "env" / "bin" / "python")
    yield "install", run([inside, "-m", "pip", "install", "-q", str(built), "nbclient"], folder)
    for name, use in _USES:
        words = use.split() if use.startswith("-m") else ["-c", use]
        yield name, run([inside, *words], folder)


def main(dist: str) -> int:
    """Try all that ``make dist`` built; the exit status is 1 if anything fails."""
    built = sorted(Path(dist).resolve().glob("colony_jupyter-*"))
    available = list(pythons())
    if not built or not available:
        sys.stderr.write(f"There is nothing to try: {len(built)} files in {dist}, {len(available)} Pythons here.\n")
        return 1
    status = 0
    for version, python in available:
        for file in built:
            with tempfile.TemporaryDirectory(prefix="colony-jupyter-install-") as folder:
                try:
                    for name, seconds in uses(python, file, Path(folder)):
                        sys.stdout.write(f"Python {version}, {file.name}: {name} ({seconds:.1f} s)\n")
                        sys.stdout.flush()
                except Failed as error:
                    status = 1
                    sys.stdout.write(f"Python {version}, {file.name}: FAILED\n{error}\n")
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
