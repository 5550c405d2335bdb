"""An executor by the name of where it is, as the command line accepts it."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

from colony_jupyter.errors import UsageError
from colony_jupyter.executor.executor import Executor

if TYPE_CHECKING:
    from pathlib import Path


def load(name: str, folder: Path) -> Executor:
    """Import ``MODULE:EXECUTOR`` and return the executor.

    Args:
        name: the module, as in an import or as a file of the folder, and the name of the executor in it.
        folder: searched for modules first, as ``python -m`` searches the current folder.

    Raises:
        UsageError: if there is no such module or executor; what the module itself raises is raised as it is.
    """
    module_name, colon, attribute = name.partition(":")
    if not (module_name and colon and attribute):
        raise UsageError(f"'{name}' names no executor: write MODULE:EXECUTOR, as in worker:executor for worker.py.")
    sys.path.insert(0, str(folder))
    dotted = module_name.removesuffix(".py").replace("/", ".")
    try:
        module = importlib.import_module(dotted)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{dotted}.".startswith(f"{error.name}."):
            raise  # the module is there, and lacks another one
        raise UsageError(f"There is no module '{module_name}' in {folder} or on the path of Python.") from None
    found = getattr(module, attribute, None)
    if isinstance(found, Executor):
        return found
    there = sorted(key for key, value in vars(module).items() if isinstance(value, Executor))
    has = f"It has: {', '.join(there)}." if there else "It has none."
    raise UsageError(f"Module '{module_name}' has no executor '{attribute}'. {has}")
