"""What the magics do, a module for each kind of action; they bring the client, so each is loaded when it is needed."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from colony_jupyter.notebook.actions import chat as chat
    from colony_jupyter.notebook.actions import connect as connect
    from colony_jupyter.notebook.actions import logs as logs
    from colony_jupyter.notebook.actions import process_feed as process_feed
    from colony_jupyter.notebook.actions import processes as processes
    from colony_jupyter.notebook.actions import remote_cells as remote_cells
    from colony_jupyter.notebook.actions import remote_output as remote_output
    from colony_jupyter.notebook.actions import submit as submit
    from colony_jupyter.notebook.actions import top as top
    from colony_jupyter.notebook.actions import workflow_feed as workflow_feed
    from colony_jupyter.notebook.actions import workflows as workflows
else:
    _MODULES = (
        "chat",
        "connect",
        "logs",
        "process_feed",
        "processes",
        "remote_cells",
        "remote_output",
        "submit",
        "top",
        "workflow_feed",
        "workflows",
    )

    def __getattr__(name: str) -> ModuleType:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return importlib.import_module(f"{__name__}.{name}")
