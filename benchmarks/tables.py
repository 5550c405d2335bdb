"""What a benchmark finds: samples of several rounds, and what was wanted of them (pure)."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LINE = 2  # points that make a line


class Spread(Struct, frozen=True):
    """A median with the least and the most."""

    median: float
    least: float
    most: float


def spread(samples: Sequence[float]) -> Spread:
    """Summarize samples, of which there must be one at least."""
    return Spread(statistics.median(samples), min(samples), max(samples))


def percentile(samples: Sequence[float], percent: float) -> float:
    """Return the sample that so many percent of all are at or below (nearest rank)."""
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


class Curve(Struct, frozen=True):
    """A cost for growing numbers of something.

    Attributes:
        of: what grows.
        cost: what is measured, with its unit.
        points: numbers, each with the cost that was found.
    """

    of: str
    cost: str
    points: list[tuple[int, Spread]]

    @property
    def slope(self) -> float | None:
        """Slope of the medians in a log-log plot: 0 for a cost that stays, 1 for one that doubles with the number.

        None where there are no two points with a cost.
        """
        points = [(math.log(number), math.log(cost.median)) for number, cost in self.points if cost.median > 0]
        if len(points) < _LINE:
            return None
        return statistics.linear_regression(*zip(*points, strict=True)).slope


class Table(Struct):
    """Samples of one benchmark: for each contestant and figure one of each round.

    Attributes:
        title: what was measured.
        units: the figures, with their units.
        samples: contestant -> figure -> one sample a round.
        claims: what was wanted.
        notes: what a reader must know.
        curves: costs of growing numbers.
    """

    title: str
    units: dict[str, str]
    samples: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)

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
        """Set the requirement of a figure."""
        found = spread(self.samples[contestant][figure])
        self.claims.append(Claim(text, found, goal, self.units[figure], bound))

    def curve(self, of: str, contestants: Mapping[int, str], figure: str, cost: str = "") -> None:
        """Draw a figure of contestants that are the same in growing number; those that took no part are left out."""
        points = [
            (number, spread(self.samples[name][figure])) for number, name in contestants.items() if self.has(name)
        ]
        self.curves.append(Curve(of, cost or f"{figure} ({self.units[figure]})", points))

    def claim_ratio(
        self,
        text: str,
        contestants: tuple[str, str],
        figure: str,
        goal: float,
        bound: Literal["at most", "at least"] = "at most",
    ) -> None:
        """Set the requirement of a figure as a ratio to that of another contestant in the same round."""
        one, other = (self.samples[each][figure] for each in contestants)
        found = spread([a / b for a, b in zip(one, other, strict=True)])
        self.claims.append(Claim(text, found, goal, "x", bound))
