"""The figures that README.md and docs/ show, from the last whole run: `make figures` writes them, a test compares them.

Each is between two comments, so that no figure is written by hand.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from benchmarks.numbers import number
from benchmarks.report import Run, claims
from benchmarks.tables import spread

if TYPE_CHECKING:
    from benchmarks.tables import Claim, Table

ROOT: Final = Path(__file__).parents[1]
RESULTS: Final = ROOT / "benchmarks" / "results" / "results.json"

_SENTENCES: Final = (
    (
        (
            "Sending an entry takes {} of the time that `pycolonies`, ColonyOS's own Python client, takes on a real "
            "server, and {} on the embedded colony."
        ),
        ("ours, async, beside pycolonies, real server, p50", "ours, async, beside pycolonies, embedded, p50"),
    ),
    (
        (
            "An entry takes {} times as long to reach an `async for` loop as a loop written with `websockets` alone, "
            "on a real server, and {} times on the embedded colony."
        ),
        ("ours, beside the bare loop, real server, p50", "ours, beside the bare loop, embedded, p50"),
    ),
    (
        "The embedded colony accepts {} times as many entries a second as a real server with PostgreSQL.",
        ("embedded, beside the real server",),
    ),
    (
        "The last of 10,000 entries at 500 a second is in the cell {} s after it was made.",
        ("pane: lag of the last of 10,000 entries",),
    ),
    (
        (
            "A short cell takes {} times as long in a kernel on an executor as in a local one, and {} times through a "
            "real server."
        ),
        ("a cell beside a local kernel's, embedded, 0 ms", "a cell beside a local kernel's, real server, 0 ms"),
    ),
    (
        "Following a group of a thousand processes, and showing it, takes {} % of a core.",
        ("following a group with its board",),
    ),
)
"""Sentences, each with the texts of the claims whose medians it has; shown where a run has them all."""

_KERNEL_ROWS: Final = (
    ("`pass`", "Kernels: requests", ("pass",)),
    ("Tab", "Kernels: requests", ("Tab",)),
    ("10,000 flushed prints, s", "Kernels: output", ("10,000 prints",)),
    ("picture of 5 / 25 MB, s", "Kernels: output", ("5 MB", "25 MB")),
    (
        "message of a widget there and back, 50 a second, median / 95th percentile",
        "Kernels: 50 messages of widgets a second",
        ("p50", "p95"),
    ),
    (
        "interrupt noticed by the cell: sleep / loop / flood of prints",
        "Kernels: interrupts",
        ("sleep noticed", "loop noticed", "flood noticed"),
    ),
    (
        "from there `KeyboardInterrupt` on its way to the notebook: sleep / loop / flood",
        "Kernels: interrupts",
        ("sleep way", "loop way", "flood way"),
    ),
    ("lines lost", "Kernels: output", ("lost",)),
)


def sentences(run: Run) -> str:
    """Return the list of README.md."""
    found = {claim.text: claim for claim in claims(run.tables)}
    version, cores = run.versions["colony-jupyter"], run.machine["cores"]
    lines = [f"Measured on {cores} cores on {run.date[:10]}, with version {version}; medians:", ""]
    lines += [
        f"* {sentence.format(*(_figure(found[text]) for text in texts))}"
        for sentence, texts in _SENTENCES
        if all(text in found for text in texts)
    ]
    return "\n".join(lines)


def kernels(run: Run) -> str | None:
    """Return the table of docs/kernels.md; None if the run has no kernels."""
    tables = {table.title: table for table in run.tables}
    if any(title not in tables for _, title, _ in _KERNEL_ROWS):
        return None
    places = list(tables[_KERNEL_ROWS[0][1]].samples)
    lines = [f"| | {' | '.join(places)} |", "|---|" + "---|" * len(places)]
    for label, title, figures in _KERNEL_ROWS:
        cells = [" / ".join(_median(tables[title], place, figure) for figure in figures) for place in places]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


_TEXTS: Final = {"README.md": sentences, "docs/kernels.md": kernels}
_BEGIN: Final = "<!-- figures -->"
_END: Final = "<!-- end of figures -->"
_PLACE: Final = re.compile(f"{_BEGIN}\n.*?{_END}", re.DOTALL)


def updated(name: str, text: str, run: Run) -> str:
    """Return a file with the figures of a run; unchanged if the run has none for it.

    Raises:
        ValueError: if the file has no place for them.
    """
    figures = _TEXTS[name](run)
    if figures is None:
        return text
    if len(_PLACE.findall(text)) != 1:
        raise ValueError(f"{name} must have one line '{_BEGIN}' and after it one '{_END}'.")
    return _PLACE.sub(lambda _: f"{_BEGIN}\n{figures}\n\n{_END}", text)


def outdated() -> dict[Path, str]:
    """Return the files whose figures are not those of the last whole run, each with the text that it should have."""
    run = msgspec.json.decode(RESULTS.read_bytes(), type=Run)
    found = {ROOT / name: (ROOT / name).read_text("utf-8") for name in _TEXTS}
    new = {path: updated(path.relative_to(ROOT).as_posix(), text, run) for path, text in found.items()}
    return {path: text for path, text in new.items() if text != found[path]}


def _figure(claim: Claim) -> str:
    return number(claim.found.median)


def _median(table: Table, place: str, figure: str) -> str:
    samples = table.samples.get(place, {}).get(figure)
    return "" if samples is None else number(spread(samples).median)


if __name__ == "__main__":
    for path, text in outdated().items():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)}: written\n")
