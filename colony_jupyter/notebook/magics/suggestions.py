"""The nearest to what was typed (pure)."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable


LIKE: Final = 0.6
"""From what likeness on a name is suggested, of 1."""


def nearest(typed: str, known: Iterable[str], like: float = LIKE) -> str | None:
    """Return the known name that is most like what was typed; None if none is that much like it."""
    folded = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(typed.casefold(), folded, n=1, cutoff=like)
    return folded[found[0]] if found else None


def did_you_mean(typed: str, known: Iterable[str], like: float = LIKE) -> str:
    """Return a sentence with the nearest known name, led in by a space; empty if there is none."""
    name = nearest(typed, known, like)
    return f" Did you mean '{name}'?" if name else ""
