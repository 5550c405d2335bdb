"""Compares the coverage of the package's folders with what each must have: ``make coverage`` runs it.

Statements and branches count alike. What is measured is unit and property tests alone.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

GATES: Final = {"channels": 95.0, "client": 95.0, "executor": 90.0, "server": 90.0}
"""Percent that the files of a folder of ``colony_jupyter/`` must have together."""


def per_folder(files: Mapping[str, Any]) -> dict[str, float]:
    """Return the percentage of each folder directly below ``colony_jupyter/``.

    Args:
        files: as in the report of ``coverage json``: a path, and its summary.
    """
    covered: dict[str, int] = {}
    total: dict[str, int] = {}
    for path, file in files.items():
        parts = Path(path).parts
        folder = parts[parts.index("colony_jupyter") + 1] if len(parts) > parts.index("colony_jupyter") + 2 else "."
        summary = file["summary"]
        covered[folder] = covered.get(folder, 0) + summary["covered_lines"] + summary.get("covered_branches", 0)
        total[folder] = total.get(folder, 0) + summary["num_statements"] + summary.get("num_branches", 0)
    return {folder: 100.0 * covered[folder] / total[folder] for folder in sorted(total) if total[folder]}


def below(found: Mapping[str, float], gates: Mapping[str, float]) -> list[str]:
    """Return a sentence for each folder that has less than it must have; a folder that is not there has nothing."""
    return [
        f"colony_jupyter/{folder}/ is covered by {found.get(folder, 0.0):.1f} %, and must be by {gate:g} %: "
        "add tests to tests/unit or tests/properties."
        for folder, gate in gates.items()
        if found.get(folder, 0.0) < gate
    ]


def main(report: str) -> int:
    """Print the table; the exit status is 1 if a folder is below its gate."""
    found = per_folder(json.loads(Path(report).read_text("utf-8"))["files"])
    for folder, percent in found.items():
        gate = f"  (at least {GATES[folder]:g})" if folder in GATES else ""
        sys.stdout.write(f"{folder:12} {percent:5.1f} %{gate}\n")
    faults = below(found, GATES)
    sys.stdout.write("".join(f"{fault}\n" for fault in faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
