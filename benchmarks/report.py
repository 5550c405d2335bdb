"""What is kept of a run: a page of tables, the samples as JSON, a chart."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import TYPE_CHECKING

import msgspec
import psutil

from benchmarks import charts
from benchmarks.numbers import goal, measured, number, verdict
from benchmarks.requirements import grouped
from benchmarks.tables import Table, spread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from benchmarks.tables import Claim, Curve

_SHOWN = ("colony-jupyter", "pycolonies", "aiohttp", "websockets", "ipykernel", "jupyterlab", "anywidget")


class Run(msgspec.Struct):
    """One run of benchmarks.

    Attributes:
        date: when, ISO 8601.
        machine: what it ran on.
        versions: of the packages that matter.
        rounds: how often each contestant had its turn.
        tables: what was found.
        failures: benchmark -> why it has no table.
        seconds: benchmark -> how long it took.
    """

    date: str
    machine: dict[str, str]
    versions: dict[str, str]
    rounds: int
    tables: list[Table]
    failures: dict[str, str]
    seconds: dict[str, float] = {}


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
    """Return the versions of the packages that matter."""
    return {name: metadata.version(name) for name in _SHOWN}


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123 - no file of ours
            return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown")
    except OSError:
        return platform.processor() or "unknown"


def write(run: Run, folder: Path) -> None:
    """Write page, samples and charts."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.md").write_text(page(run), encoding="utf-8")
    (folder / "results.json").write_bytes(msgspec.json.format(msgspec.json.encode(run)) + b"\n")
    charts.draw_claims(claims(run.tables), folder / "chart.svg")
    charts.draw_curves([curve for table in run.tables for curve in table.curves], folder / "growth.svg")


def claims(tables: Sequence[Table]) -> list[Claim]:
    """Return all that was wanted."""
    return [claim for table in tables for claim in table.claims]


def page(run: Run) -> str:
    """Return a run as Markdown."""
    curves = [curve for table in run.tables for curve in table.curves]
    lines = [
        "# Results of the benchmarks",
        "",
        "What is required of a release, and what the last run of `make bench` measured; [README.md](../README.md)",
        "describes the benchmarks. p50, p95 and p99 are the median and the 95th and 99th percentile.",
        "",
        "| | required | measured | met? |",
        "|---|---|---|---|",
        *_requirements(claims(run.tables)),
        "",
        f"Measured on {run.date[:10]}: medians of {run.rounds} rounds or fewer, with the least and the greatest.",
        "In a round, what is compared takes turns; a ratio is that of two figures of the same round.",
        "",
        *_listed(run.machine),
        *_listed(run.versions),
        "",
        "![Each figure beside what is required of it](chart.svg)",
        "",
        *_growth(curves),
    ]
    for table in run.tables:
        lines += _table(table)
    for name, reason in run.failures.items():
        lines += [f"## {name}", "", f"Failed: {reason}", ""]
    if run.seconds:
        took = ", ".join(f"{name} {seconds:.0f}" for name, seconds in run.seconds.items())
        lines += [
            "## Time",
            "",
            f"Seconds of each benchmark: {took}; {sum(run.seconds.values()) / 60:.0f} minutes in all.",
            "",
        ]
    return "\n".join(lines)


def _requirements(wanted: Sequence[Claim]) -> list[str]:
    lines = []
    for title, found in grouped(wanted):
        lines.append(f"| **{title}** | | {'' if found else 'not measured'} | |")
        lines += [
            f"| {each.text} | {goal(each)} | {measured(each.found, each.unit)} | {verdict(each)} |" for each in found
        ]
    return lines


def _growth(curves: Sequence[Curve]) -> list[str]:
    if not curves:
        return []
    return [
        "## Growth",
        "",
        "A slope is that of a line through the medians, with both axes logarithmic: at 0 a cost does not grow, at 1 it",
        "doubles when the number doubles.",
        "",
        "![Costs of growing numbers](growth.svg)",
        "",
        "| number of | cost | medians | slope |",
        "|---|---|---|---|",
        *(
            f"| {curve.of} | {curve.cost} | "
            + ", ".join(f"{many:,}: {number(cost.median)}" for many, cost in curve.points)
            + f" | {'' if curve.slope is None else f'{curve.slope:.2f}'} |"
            for curve in curves
        ),
        "",
    ]


def terminal(table: Table) -> str:
    """Return a table as aligned text."""
    rows = [["", *(f"{name} ({unit})" for name, unit in table.units.items())]]
    rows += [
        [contestant, *(measured(spread(figures[name])) if name in figures else "" for name in table.units)]
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
        f"  {claim.text}: {measured(claim.found, claim.unit)}, wanted {goal(claim)}: {verdict(claim)}"
        for claim in table.claims
    ]
    return "\n".join(text)


def _table(table: Table) -> list[str]:
    head = [f"{name} ({unit})" for name, unit in table.units.items()]
    rows = [
        f"| {contestant} | "
        + " | ".join(measured(spread(figures[name])) if name in figures else "" for name in table.units)
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
