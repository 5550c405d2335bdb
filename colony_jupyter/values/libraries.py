"""Libraries that a user may not have: imported when a method needs them."""

from __future__ import annotations

import importlib
from typing import Any

from colony_jupyter.errors import UsageError


def need(library: str) -> Any:
    """Import pandas or polars.

    Raises:
        UsageError: if it is not installed.
    """
    try:
        return importlib.import_module(library)
    except ImportError:
        raise UsageError(f"{library} is not installed: `pip install {library}`, or use to_dicts().") from None
