"""Prints constraints that pin each dependency of the package to the lowest version that pyproject.toml allows.

The tools that tests need keep the versions of constraints.txt, since users do not install them: ``make lowest``.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT: Final = Path(__file__).parents[1]
_OWN: Final = "colony-jupyter"


def lowest(dependencies: Iterable[str]) -> dict[str, str]:
    """Return a constraint for each dependency, by its canonical name.

    Args:
        dependencies: requirements as in pyproject.toml, each with a lower bound (``>=``).

    Raises:
        ValueError: if a requirement has no lower bound.
    """
    pinned: dict[str, str] = {}
    for text in dependencies:
        requirement = Requirement(text)
        bounds = [bound.version for bound in requirement.specifier if bound.operator == ">="]
        if len(bounds) != 1:
            raise ValueError(f"'{text}' in pyproject.toml has no lower bound: write one, as in 'name>=1.2'.")
        pinned[canonicalize_name(requirement.name)] = f"{requirement.name}=={bounds[0]}"
    return pinned


def constraints(pyproject: str, known: str) -> list[str]:
    """Return the lines of a constraints file.

    Args:
        pyproject: text of pyproject.toml.
        known: text of constraints.txt.
    """
    project = tomllib.loads(pyproject)["project"]
    pinned = lowest(project["dependencies"])
    extras = project["optional-dependencies"]
    tools = {canonicalize_name(Requirement(text).name) for name in ("dev", "lab") for text in extras[name]} - {_OWN}
    kept = [line for line in known.splitlines() if canonicalize_name(line.partition("==")[0]) in tools - pinned.keys()]
    return [*sorted(pinned.values()), *kept]


if __name__ == "__main__":
    texts = [(ROOT / name).read_text("utf-8") for name in ("pyproject.toml", "constraints.txt")]
    sys.stdout.write("\n".join(constraints(*texts)) + "\n")
