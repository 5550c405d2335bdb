"""The result of a conversion: the JSON value, what was changed, and what could not be converted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

DEEPEST: Final = 200
"""Levels of a value that are converted, and that are searched for tables where it arrives."""
_SHOWN: Final = 3
"""Faults that one message names; it counts the others."""


@dataclass(frozen=True)
class Attribute:
    """A step of a path that is an attribute of an object, not a key or an index."""

    name: str


Path = tuple[Any, ...]
"""Steps from the root of a value to one of its parts: keys, indexes and attributes."""


def location(root: str, path: Sequence[Any]) -> str:
    """Write a path as Python does: ``result["model"].weights[0]``."""
    return root + "".join(f".{step.name}" if isinstance(step, Attribute) else f"[{_subscript(step)}]" for step in path)


def _subscript(step: Any) -> str:
    if isinstance(step, str):
        return msgspec.json.encode(step.encode("utf-8", "replace").decode()).decode()
    try:
        return repr(step)
    except Exception:  # noqa: BLE001 - a key's own __repr__ may raise anything
        return type(step).__name__


def described(error: BaseException) -> str:
    """Return the type and the text of an error of a user's object."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - a __str__ may raise anything
        text = "its text cannot be shown"
    return f"{type(error).__name__}: {text}"


@dataclass(frozen=True)
class Fault:
    """One part of a value that has no JSON form.

    Attributes:
        where: the part, as an expression: ``result["model"].weights``.
        problem: what it is, as a clause that follows ``where``: "is a generator, which has no JSON form".
        remedy: what to do, as a clause.
    """

    where: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where} {self.problem}: {self.remedy}."


@dataclass(frozen=True)
class Converted:
    """What a conversion gives.

    Attributes:
        value: the JSON value; null stands for each part that could not be converted.
        nonfinite: count of NaN and infinite numbers that became null.
        large: count of integers beyond ±2^53 that became text.
        faults: the parts that could not be converted.
    """

    value: Any
    nonfinite: int = 0
    large: int = 0
    faults: tuple[Fault, ...] = ()

    def complaint(self) -> str:
        """Describe the faults in one text; empty if there are none."""
        more = len(self.faults) - _SHOWN
        rest = f" {more} more {'part' if more == 1 else 'parts'} cannot be converted." if more > 0 else ""
        return " ".join(map(str, self.faults[:_SHOWN])) + rest

    def notes(self) -> list[str]:
        """Describe what was changed, a sentence for each kind of change."""
        found = []
        if self.nonfinite:
            noun, verb = ("number", "is") if self.nonfinite == 1 else ("numbers", "are")
            found.append(f"{self.nonfinite:,} {noun} {verb} NaN or infinite and became null, since JSON has neither.")
        if self.large:
            noun, verb = ("integer", "is") if self.large == 1 else ("integers", "are")
            found.append(
                f"{self.large:,} {noun} {verb} beyond ±2^53 and became text, since a ColonyOS server changes the "
                "digits of such numbers."
            )
        return found
