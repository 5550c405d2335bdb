"""What the magics do, a module for each kind of action; they bring the client, so each is loaded when it is needed."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from colony_jupyter.notebook.actions import chat as chat
    from colony_jupyter.notebook.actions import connect as connect
    from colony_jupyter.notebook.actions import process_feed as process_feed
    from colony_jupyter.notebook.actions import processes as processes
    from colony_jupyter.notebook.actions import submit as submit
else:

    def __getattr__(name: str) -> ModuleType:
        if name not in ("chat", "connect", "process_feed", "processes", "submit"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return importlib.import_module(f"{__name__}.{name}")
