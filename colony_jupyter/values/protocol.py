"""What the forms of arrays and tables need of the conversion that they are part of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from colony_jupyter.values.report import Path


class Converter(Protocol):
    """A conversion that is going on."""

    nonfinite: int
    """Count of NaN and infinite numbers that became null so far."""

    def value(self, value: Any, path: Path) -> Any:
        """Convert one part."""

    def fault(self, path: Path, problem: str, remedy: str) -> None:
        """Record a part that has no JSON form."""
