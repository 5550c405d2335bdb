"""How much is done."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """How often and how much is measured.

    Attributes:
        rounds: how often each contestant has its turn.
        share: how much of the full work each turn is, over 0 and up to 1.
    """

    rounds: int = 5
    share: float = 1.0

    def of(self, count: int, least: int = 1) -> int:
        """Return the share of a count."""
        return max(least, round(count * self.share))
