"""What is kept of a run: a page of tables, the samples as JSON, a chart."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import TYPE_CHECKING

import msgspec
import psutil

from benchmarks.tables import Claim, Spread, Table, spread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_SHOWN = ("colony-jupyter", "pycolonies", "httpx", "websockets", "ipykernel", "jupyterlab", "anywidget")
_KEPT = "#2e7d32"
_MISSED = "#c62828"
_GOAL = "#777777"


class Run(msgspec.Struct):
    """One run of benchmarks.

    Attributes:
        date: when, ISO 8601.
        machine: what it ran on.
        versions: of the packages that matter.
        rounds: how often each contestant had its turn.
        tables: what was found.
        failures: benchmark -> why it has no table.
    """

    date: str
    machine: dict[str, str]
    versions: dict[str, str]
    rounds: int
    tables: list[Table]
    failures: dict[str, str]


def machine() -> dict[str, str]:
    """Describe this machine, without any name of it."""
    return {
        "processor": _processor(),
        "cores": str(psutil.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "load before": f"{psutil.getloadavg()[0]:.1f}",
    }


def versions() -> dict[str, str]:
    """Give the versions of the packages that matter."""
    return {name: metadata.version(name) for name in _SHOWN}


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123 - no file of ours
            return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown")
    except OSError:
        return platform.processor() or "unknown"


def write(run: Run, folder: Path) -> None:
    """Write page, samples and chart."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.md").write_text(page(run), encoding="utf-8")
    (folder / "results.json").write_bytes(msgspec.json.format(msgspec.json.encode(run)) + b"\n")
    draw(claims(run.tables), folder / "chart.svg")


def claims(tables: Sequence[Table]) -> list[Claim]:
    """Give all that was wanted."""
    return [claim for table in tables for claim in table.claims]


def page(run: Run) -> str:
    """Give a run as Markdown."""
    wanted = claims(run.tables)
    lines = [
        "# Results",
        "",
        f"Made by `make bench` on {run.date[:10]}: medians of {run.rounds} interleaved rounds or fewer, with the least",
        "and the most; ratios are of figures of one and the same round.",
        "",
        *_listed(run.machine),
        *_listed(run.versions),
        "",
        "![What was wanted, and what was found](chart.svg)",
        "",
        "## What was wanted",
        "",
        "| | found | wanted | |",
        "|---|---|---|---|",
        *(
            f"| {claim.text} | {_spread(claim.found, claim.unit)} | {_goal(claim)} | {_verdict(claim)} |"
            for claim in wanted
        ),
        "",
    ]
    for table in run.tables:
        lines += _table(table)
    for name, reason in run.failures.items():
        lines += [f"## {name}", "", f"Failed: {reason}", ""]
    return "\n".join(lines)


def terminal(table: Table) -> str:
    """Give a table as aligned text."""
    rows = [["", *(f"{name} ({unit})" for name, unit in table.units.items())]]
    rows += [
        [contestant, *(_spread(spread(figures[name]), "") if name in figures else "" for name in table.units)]
        for contestant, figures in table.samples.items()
    ]
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    text = [
        table.title,
        *(
            "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ),
    ]
    text += [
        f"  {claim.text}: {_spread(claim.found, claim.unit)}, wanted {_goal(claim)}: {_verdict(claim)}"
        for claim in table.claims
    ]
    return "\n".join(text)


def _table(table: Table) -> list[str]:
    head = [f"{name} ({unit})" for name, unit in table.units.items()]
    rows = [
        f"| {contestant} | "
        + " | ".join(_spread(spread(figures[name]), "") if name in figures else "" for name in table.units)
        + " |"
        for contestant, figures in table.samples.items()
    ]
    return [
        f"## {table.title}",
        "",
        *(line for note in table.notes for line in (note, "")),
        f"| | {' | '.join(head)} |",
        "|---|" + "---|" * len(head),
        *rows,
        "",
    ]


def _listed(facts: Mapping[str, str]) -> list[str]:
    return ["* " + ", ".join(f"{name} {value}" for name, value in facts.items())]


def _spread(found: Spread, unit: str) -> str:
    median = f"{number(found.median)}{_unit(unit)}"
    if found.least == found.most:
        return median
    return f"{median} ({number(found.least)} to {number(found.most)})"


def number(value: float) -> str:
    """Write a number with three digits that count."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def _unit(unit: str) -> str:
    return "" if not unit else f" {unit}" if unit != "x" else " times"


def _goal(claim: Claim) -> str:
    return f"{claim.bound} {number(claim.goal)}{_unit(claim.unit)}"


def _verdict(claim: Claim) -> str:
    return "yes" if claim.holds else "**no**"


def draw(wanted: Sequence[Claim], path: Path) -> None:
    """Draw how far each figure is from what was wanted: the shorter the bar the better, the line is the goal."""
    import matplotlib as mpl

    mpl.use("svg")
    # The same run gives the same file, and its text stays text.
    mpl.rcParams.update({"svg.hashsalt": "colony_jupyter", "svg.fonttype": "none", "font.family": "sans-serif"})
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 0.32 * len(wanted) + 0.9), layout="constrained")
    parts = [_part(claim) for claim in wanted]
    axes.barh(
        [claim.text for claim in wanted],
        [min(part, 2.0) for part in parts],
        color=[_KEPT if claim.holds else _MISSED for claim in wanted],
        height=0.6,
    )
    axes.axvline(1.0, color=_GOAL, linewidth=1)
    for place, (claim, part) in enumerate(zip(wanted, parts, strict=True)):
        label = f" {number(claim.found.median)}{_unit(claim.unit)}, wanted {_goal(claim)}"
        axes.annotate(label, (min(part, 2.0), place), va="center", fontsize=7, color=_GOAL)
    axes.invert_yaxis()
    axes.set_xlim(0, 2.9)
    axes.set_xticks([0, 0.5, 1], ["0", "half of it", "the goal"])
    axes.tick_params(labelsize=8, length=0, colors=_GOAL)
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
    figure.savefig(path, metadata={"Date": None}, transparent=True)
    plt.close(figure)


def _part(claim: Claim) -> float:
    """How much of what was allowed is used up; 1 is just the goal."""
    found = claim.found.median
    if claim.bound == "at most":
        return found / claim.goal
    return claim.goal / found if found else float("inf")
