"""Figures as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.tables import Claim, Spread


def measured(found: Spread, unit: str = "") -> str:
    """Write a median, and the least and the most where they differ."""
    median = f"{number(found.median)}{_unit(unit)}"
    if found.least == found.most:
        return median
    return f"{median} ({number(found.least)} to {number(found.most)})"


def number(value: float) -> str:
    """Write a number with three digits that count."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def found(claim: Claim) -> str:
    """Write what was found, without the least and the most."""
    return f"{number(claim.found.median)}{_unit(claim.unit)}"


def goal(claim: Claim) -> str:
    """Write what was wanted."""
    return f"{claim.bound} {number(claim.goal)}{_unit(claim.unit)}"


def verdict(claim: Claim) -> str:
    """Write whether the goal is kept, as Markdown."""
    return "yes" if claim.holds else "**no**"


def _unit(unit: str) -> str:
    return "" if not unit else f" {unit}" if unit != "x" else " times"
