"""What is required of a release, in the order in which the page of results shows it (pure)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.tables import Claim

ROWS: Final = (
    ("An append, beside pycolonies", r"ours, .*beside pycolonies"),
    ("An append, beside a bare socket", r"ours, async, beside a bare socket"),
    ("From an append to the entry, beside a bare loop", r"ours, beside the bare loop"),
    ("Reading entries that exist, beside decoding their frames by hand", r"[\d,]+ entries, beside the bare loop"),
    (
        "Followed processes and groups",
        r"sockets for |processor time for a hundred, beside asking for each|following a group",
    ),
    ("Ten panes of a hundred channels, 1,000 entries a second", r"ten panes"),
    ("10,000 entries at 500 a second in a pane", r"pane: (?!10,000)|pane, beside"),
    ("10,000 entries at once; beginning", r"pane: 10,000|import |%load_ext"),
    ("Embedded colony, to the first reply", r"embedded colony, to the first|the same, with .* of history"),
    (
        "Durable appends",
        r"embedded, beside the (real server$|bare application)|an append with [\d,]+ (channels|streams)",
    ),
    ("Memory", r"an embedded colony whose entries|a kernel's panes"),
    ("Values and plots", r".*(beside tolist|: memory$)|plot, "),
    ("Kernels on executors", r"a cell beside a local kernel|interrupt of|lost, "),
    ("Text streams, and cuts", r"write |back after a cut"),
    ("Growth", r"an append with|a delivery"),
)
"""Titles, each with what the texts of its claims begin with. A claim belongs to the first that fits."""

OTHER: Final = "Other"


def grouped(claims: Sequence[Claim]) -> list[tuple[str, list[Claim]]]:
    """Return the claims of each row of the table, those of no row at the end."""
    found: dict[str, list[Claim]] = {title: [] for title, _ in ROWS}
    for claim in claims:
        title = next((title for title, begins in ROWS if re.match(begins, claim.text)), OTHER)
        found.setdefault(title, []).append(claim)
    return list(found.items())
