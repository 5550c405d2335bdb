"""Where a followed process is shown: pane, terminal line or transcript. `choose` is imported at its first use."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from colony_jupyter.notebook.views import choose as choose
else:

    def __getattr__(name: str) -> ModuleType:
        if name != "choose":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return importlib.import_module(f"{__name__}.{name}")
