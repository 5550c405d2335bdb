"""``%load_ext colony_jupyter`` and its undoing, and nested event loops for who asks for them."""

from __future__ import annotations

import atexit
import importlib
from typing import TYPE_CHECKING, Any

from colony_jupyter.errors import ColonyError, UsageError
from colony_jupyter.notebook.actions import group_display
from colony_jupyter.notebook.formats import ipython_formatters
from colony_jupyter.notebook.formats.errors import error_lines_with_place
from colony_jupyter.notebook.magics.magics import ColonyMagics
from colony_jupyter.notebook.session import cells
from colony_jupyter.notebook.session.request import current_request
from colony_jupyter.version import __version__

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_loaded: dict[int, ColonyMagics] = {}
"""The magics of each shell, by the shell's identity; there is one, but for tests."""


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Load the magics, and print one line with the place they will connect to; nothing is started or contacted."""
    magics = _loaded[id(shell)] = ColonyMagics(shell)
    shell.register_magics(magics)
    # IPython asks an error itself how it shows; without the extension errors show as any others.
    ColonyError._render_traceback_ = error_lines_with_place  # type: ignore[attr-defined]
    shell.Completer.custom_matchers.append(magics.matcher)
    shell.events.register("pre_run_cell", _begin_cell)
    atexit.register(magics.session.close)  # to what listens, the end of the embedded colony would look like a fault
    ipython_formatters.register(shell.display_formatter)
    group_display.register(shell.display_formatter, lambda: magics.theme)
    try:
        where = magics.session.settings.describe()
    except ColonyError as error:
        where = f"not connected: {error}"
    print(f"colony_jupyter {__version__}: {where}")  # noqa: T201 - the one line it prints


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Remove the magics and close the connection; what was submitted goes on."""
    magics = _loaded.pop(id(shell), None)
    if magics is None:
        return
    for kind, names in magics.magics.items():
        for name in names:
            shell.magics_manager.magics[kind].pop(name, None)
    shell.Completer.custom_matchers.remove(magics.matcher)
    magics.inspector.close()
    shell.events.unregister("pre_run_cell", _begin_cell)
    ipython_formatters.unregister(shell.display_formatter)
    group_display.unregister(shell.display_formatter)
    configurables: Any = shell.configurables
    configurables.remove(magics)
    atexit.unregister(magics.session.close)
    magics.session.close()
    if not _loaded:
        del ColonyError._render_traceback_  # type: ignore[attr-defined]


def _begin_cell(_info: object) -> None:
    cells.SHARED.begin(current_request())


def allow_nested_asyncio() -> None:
    """Let ``asyncio.run(...)`` work in a cell, for a script that was pasted whole.

    It patches asyncio for the whole kernel and cannot be undone; top-level ``await`` needs no such thing.

    Raises:
        UsageError: if neither nest_asyncio nor its fork is installed.
    """
    for name in ("nest_asyncio2", "nest_asyncio"):  # the first is the maintained fork, which newer ipykernels bring
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        module.apply()
        return
    raise UsageError("allow_nested_asyncio() needs nest_asyncio: `pip install nest-asyncio`.")
