"""What the magics do, a module for each kind of action; they bring the client, so each is loaded when it is needed."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from colony_jupyter.notebook.actions import chatting as chatting
    from colony_jupyter.notebook.actions import connecting as connecting
    from colony_jupyter.notebook.actions import following as following
    from colony_jupyter.notebook.actions import processes as processes
    from colony_jupyter.notebook.actions import showing as showing
    from colony_jupyter.notebook.actions import submitting as submitting
else:

    def __getattr__(name: str) -> ModuleType:
        if name not in ("chatting", "connecting", "following", "processes", "showing", "submitting"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return importlib.import_module(f"{__name__}.{name}")
