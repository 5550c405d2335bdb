"""``colony-jupyter lab``: JupyterLab on the tutorial notebooks."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from colony_jupyter import __version__
from colony_jupyter.cli.arguments import Command, no_arguments, write
from colony_jupyter.errors import EmbeddedError, UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

_PACKAGE: Final = Path(__file__).parents[1]
_START_LINE: Final = "colony_jupyter.cli.start_line"
_ROOT: Final = 0


def _run(arguments: argparse.Namespace) -> int:
    import importlib.util  # noqa: PLC0415 - see the package's docstring

    if importlib.util.find_spec("jupyterlab") is None:
        raise UsageError("JupyterLab is not installed in this environment: pip install jupyterlab pandas matplotlib.")
    folder = notebooks_folder()
    write(f"Tutorial notebooks: {folder}")
    further = list(arguments.further)
    if _needs_allow_root(further):
        write("Running as root: JupyterLab is started with --allow-root.")
        further.append("--allow-root")
    command = [
        *(sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder}"),
        *(f"--ServerApp.jpserver_extensions={_START_LINE}=True", *further),
    ]
    if os.name == "posix":
        os.execv(sys.executable, command)  # noqa: S606 - JupyterLab replaces this process and receives its signals
    import subprocess  # noqa: PLC0415

    return subprocess.run(command, check=False).returncode  # noqa: S603


def _needs_allow_root(further: Sequence[str]) -> bool:
    """Return whether JupyterLab would refuse to start because it runs as root."""
    if not hasattr(os, "geteuid") or os.geteuid() != _ROOT:
        return False
    return not any(word == "--allow-root" or word.startswith("--ServerApp.allow_root") for word in further)


def notebooks_folder() -> Path:
    """Return a writable folder with the tutorial notebooks.

    In a checkout it is the checkout's own folder. The notebooks of an installed package are copied to the user's data
    folder, once per version; files that the user has changed there are not overwritten.

    Raises:
        UsageError: if the notebooks are missing.
        EmbeddedError: if they cannot be copied.
    """
    from colony_jupyter.embedded import default_data_dir  # noqa: PLC0415 - see the package's docstring

    shipped = _PACKAGE / "_notebooks"
    if not shipped.is_dir():
        checkout = _PACKAGE.parent / "notebooks"
        if not checkout.is_dir():
            raise UsageError(f"The tutorial notebooks are missing: neither {shipped} nor {checkout} exists.")
        return checkout
    target = default_data_dir().with_name("colony_jupyter-notebooks") / __version__
    try:
        for source in sorted(shipped.rglob("*")):
            copy = target / source.relative_to(shipped)
            if source.is_file() and not copy.exists():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, copy)
    except OSError as error:
        raise EmbeddedError(
            f"The tutorial notebooks cannot be copied to {target}: {error.strerror or error}."
        ) from None
    return target


COMMAND: Final = Command(
    name="lab",
    help="open the tutorial in JupyterLab",
    description="Open the tutorial notebooks in JupyterLab. All other arguments are passed on to JupyterLab, for "
    "example --no-browser or --port 8890.",
    add_arguments=no_arguments,
    run=_run,
    passes_arguments_on=True,
)
