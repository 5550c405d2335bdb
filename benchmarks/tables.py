"""What a benchmark finds: samples of several rounds, and what was wanted of them (pure)."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Sequence


class Spread(Struct, frozen=True):
    """A median with the least and the most."""

    median: float
    least: float
    most: float


def spread(samples: Sequence[float]) -> Spread:
    """Summarize samples, of which there must be one at least."""
    return Spread(statistics.median(samples), min(samples), max(samples))


def percentile(samples: Sequence[float], percent: float) -> float:
    """Give the sample that so many percent of all are at or below (nearest rank)."""
    ordered = sorted(samples)
    rank = -(-len(ordered) * percent // 100)  # rounded up
    return ordered[max(0, int(rank) - 1)]


class Claim(Struct, frozen=True):
    """What we want to be true, and what was found."""

    text: str
    found: Spread
    goal: float
    unit: str = "x"
    bound: Literal["at most", "at least"] = "at most"

    @property
    def holds(self) -> bool:
        """Whether the median keeps to the goal."""
        return self.found.median <= self.goal if self.bound == "at most" else self.found.median >= self.goal


class Table(Struct):
    """Samples of one benchmark: for each contestant and figure one of each round.

    Attributes:
        title: what was measured.
        units: the figures, with their units.
        samples: contestant -> figure -> one sample a round.
        claims: what was wanted.
        notes: what a reader must know.
    """

    title: str
    units: dict[str, str]
    samples: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, contestant: str, **figures: float) -> None:
        """Note the figures of one round."""
        row = self.samples.setdefault(contestant, {})
        for name, value in figures.items():
            if name not in self.units:
                raise KeyError(name)
            row.setdefault(name, []).append(value)

    def has(self, *contestants: str) -> bool:
        """Whether all of these have taken part."""
        return all(each in self.samples for each in contestants)

    def claim(
        self,
        text: str,
        contestant: str,
        figure: str,
        goal: float,
        bound: Literal["at most", "at least"] = "at most",
    ) -> None:
        """Say what we want a figure to be."""
        found = spread(self.samples[contestant][figure])
        self.claims.append(Claim(text, found, goal, self.units[figure], bound))

    def claim_ratio(
        self,
        text: str,
        contestants: tuple[str, str],
        figure: str,
        goal: float,
        bound: Literal["at most", "at least"] = "at most",
    ) -> None:
        """Say what we want a figure to be beside another contestant's of the same round."""
        one, other = (self.samples[each][figure] for each in contestants)
        found = spread([a / b for a, b in zip(one, other, strict=True)])
        self.claims.append(Claim(text, found, goal, "x", bound))
