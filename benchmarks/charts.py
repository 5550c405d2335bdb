"""The charts of a run: what was wanted beside what was found, and costs of growing numbers.

Their colours can be read on a light page and on a dark one, and there is no background.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.numbers import found, goal, number

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.tables import Claim, Curve

_KEPT = "#2e7d32"
_MISSED = "#c62828"
_TEXT = "#777777"
_LINE = "#1e88e5"
_GRID = "#9e9e9e55"
_ACROSS = 4  # curves beside one another
_DECADES = 3  # that an axis of costs shows at least, so that a small slope looks small


def draw_claims(wanted: Sequence[Claim], path: Path) -> None:
    """Draw how far each figure is from what was wanted: the shorter the bar the better, the line is the goal."""
    plt = _pyplot()
    figure, axes = plt.subplots(figsize=(9, 0.32 * len(wanted) + 0.9), layout="constrained")
    parts = [_part(claim) for claim in wanted]
    axes.barh(
        [claim.text for claim in wanted],
        [min(part, 2.0) for part in parts],
        color=[_KEPT if claim.holds else _MISSED for claim in wanted],
        height=0.6,
    )
    axes.axvline(1.0, color=_TEXT, linewidth=1)
    for place, (claim, part) in enumerate(zip(wanted, parts, strict=True)):
        label = f"{found(claim)}, wanted {goal(claim)}"
        beside = min(max(part, 1.0), 2.0)  # right of the goal's line, which would run through it
        axes.annotate(label, (beside, place), (4, 0), textcoords="offset points", va="center", fontsize=7, color=_TEXT)
    axes.set_ylim(len(wanted) - 0.5, -0.5)
    axes.set_xlim(0, 2.9)
    axes.set_xticks([0, 0.5, 1], ["0", "half of it", "the goal"])
    axes.tick_params(labelsize=8, length=0, colors=_TEXT)
    _save(plt, figure, [axes], path)


def draw_curves(curves: Sequence[Curve], path: Path) -> None:
    """Draw each cost by the number of what grows, both axes logarithmic, with the slope of the line through it."""
    plt = _pyplot()
    rows = -(-len(curves) // _ACROSS) or 1
    figure, grid = plt.subplots(
        rows, _ACROSS, figsize=(9.5, 2.4 * rows), layout="constrained", squeeze=False, sharex=True
    )
    panels = list(grid.flat)
    for axes in panels[len(curves) :]:
        axes.remove()
    for axes, curve in zip(panels, curves, strict=False):
        _draw_curve(axes, curve)
    _save(plt, figure, panels[: len(curves)], path)


def _draw_curve(axes: Any, curve: Curve) -> None:
    points = [(many, cost) for many, cost in curve.points if cost.least > 0]
    many = [number for number, _ in points]
    medians = [cost.median for _, cost in points]
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.fill_between(
        many, [cost.least for _, cost in points], [cost.most for _, cost in points], color=_LINE, alpha=0.2, linewidth=0
    )
    axes.plot(many, medians, color=_LINE, marker="o", markersize=4, linewidth=1.5)
    for x, y in zip(many, medians, strict=True):
        axes.annotate(number(y), (x, y), (0, 6), textcoords="offset points", ha="center", fontsize=7, color=_TEXT)
    if medians:
        middle = (min(medians) * max(medians)) ** 0.5
        half = max(10 ** (_DECADES / 2), 2 * max(medians) / middle)
        axes.set_ylim(middle / half, middle * half)
    slope = "" if curve.slope is None else f"\nslope {curve.slope:.2f}"
    axes.set_title(f"{curve.of}{slope}", fontsize=9, color=_TEXT)
    axes.set_ylabel(curve.cost, fontsize=7, color=_TEXT)
    axes.set_xlim(0.45, 20_000)
    ticks = [1, 10, 100, 1_000, 10_000]
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.tick_params(which="both", labelsize=7, length=0, colors=_TEXT, labelbottom=True)
    axes.grid(which="major", color=_GRID, linewidth=0.5)
    axes.minorticks_off()


def _pyplot() -> Any:
    import matplotlib as mpl

    mpl.use("svg")
    # The same run gives the same file, and its text stays text.
    mpl.rcParams.update({"svg.hashsalt": "colony_jupyter", "svg.fonttype": "none", "font.family": "sans-serif"})
    import matplotlib.pyplot as plt

    return plt


def _save(plt: Any, figure: Any, panels: Sequence[Any], path: Path) -> None:
    for axes in panels:
        for side in ("top", "right", "bottom"):
            axes.spines[side].set_visible(False)
        axes.spines["left"].set_color(_TEXT)
    figure.savefig(path, metadata={"Date": None}, transparent=True)
    plt.close(figure)


def _part(claim: Claim) -> float:
    """How much of what was allowed is used up; 1 is just the goal."""
    median = claim.found.median
    if claim.bound == "at most":
        return median / claim.goal if claim.goal else float(median > 0) * 2
    return claim.goal / median if median else float("inf")
