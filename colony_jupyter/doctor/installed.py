"""Checks of the installed packages."""

from __future__ import annotations

import asyncio
import importlib.metadata
import platform
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from colony_jupyter.doctor.report import Finding, Mark

if TYPE_CHECKING:
    from collections.abc import Mapping

_NEEDED: Final[dict[str, tuple[int, ...]]] = {
    "ipykernel": (6, 30),
    "ipywidgets": (8, 1),
    "anywidget": (0, 9, 18),
    "jupyterlab": (4, 3),
    "jupyterlab_widgets": (3,),
}
"""Oldest versions that this package is tested with."""

_ELSEWHERE: Final = frozenset({"jupyterlab", "jupyterlab_widgets"})
"""They may be installed in the environment of the Jupyter server instead."""


_Version = tuple[int, ...]


@dataclass(frozen=True)
class _Pair:
    """Versions of two packages that do not work together.

    Attributes:
        one, other: name of a package, the first of the versions, and the first later one that works again.
        remedy: what to do.
    """

    one: tuple[str, _Version, _Version]
    other: tuple[str, _Version, _Version]
    remedy: str


_NEWEST: Final = (1_000_000,)
_BAD_PAIRS: Final = (
    # The packages of the kernel and of the page must have matching versions.
    _Pair(("ipywidgets", (8,), _NEWEST), ("jupyterlab_widgets", (0,), (3,)), "pip install -U jupyterlab_widgets"),
    _Pair(("ipywidgets", (0,), (8,)), ("jupyterlab_widgets", (3,), _NEWEST), "pip install -U ipywidgets"),
    _Pair(("ipywidgets", (8,), _NEWEST), ("widgetsnbextension", (0,), (4,)), "pip install -U widgetsnbextension"),
    # Earlier versions have no extension for JupyterLab 4.
    _Pair(("jupyterlab", (4,), _NEWEST), ("anywidget", (0,), (0, 9)), "pip install -U anywidget"),
    # Its patch of asyncio hides the current task from httpx.
    _Pair(
        ("python", (3, 14), _NEWEST),
        ("nest_asyncio in use", (0,), _NEWEST),
        "restart the kernel, and use `await` instead of asyncio.run; or nest_asyncio2, which is maintained",
    ),
)
"""Pairs that fail although each version works by itself."""


def versions(found: Mapping[str, str | None]) -> list[Finding]:
    """Check each installed version; None stands for a package that is not installed."""
    findings = [Finding(Mark.FINE, "python", f"{platform.python_version()} on {sys.platform}")]
    for name, needed in _NEEDED.items():
        version = found.get(name)
        least = ".".join(map(str, needed))
        if version is None:
            if name in _ELSEWHERE:
                text = f"{name} is not installed here, which is fine if JupyterLab is installed somewhere else."
                findings.append(Finding(Mark.FINE, "versions", text))
            else:
                text = f"{name} is not installed: pip install '{name}>={least}'."
                findings.append(Finding(Mark.FAILURE, "versions", text))
        elif numbers(version) < needed:
            text = (
                f"{name} {version} is older than {least}, the oldest that panes are tested with: pip install -U {name}."
            )
            findings.append(Finding(Mark.WARNING, "versions", text))
        else:
            findings.append(Finding(Mark.FINE, "versions", f"{name} {version}"))
    return findings


def pairs(found: Mapping[str, str | None]) -> list[Finding]:
    """Find installed versions that are known not to work together; None stands for a package that is not installed."""
    findings = []
    for pair in _BAD_PAIRS:
        present = []
        for name, least, below in (pair.one, pair.other):
            version = found.get(name)
            if version is not None and least <= numbers(version) < below:
                present.append(f"{name} {version}".strip())
        if len(present) == len((pair.one, pair.other)):
            text = f"{' and '.join(present)} do not work together: {pair.remedy}."
            findings.append(Finding(Mark.WARNING, "versions", text))
    return findings


def installed() -> dict[str, str | None]:
    """Return the installed version of each package that matters; None for a package that is not installed."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for name in (*_NEEDED, "widgetsnbextension"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    if hasattr(asyncio, "_nest_patched") and "nest_asyncio2" not in sys.modules:
        found["nest_asyncio in use"] = importlib.metadata.version("nest_asyncio")
    return found


def numbers(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version; none if it does not begin with one."""
    found = re.match(r"v?(\d+(?:\.\d+)*)", version)
    return tuple(map(int, found[1].split("."))) if found else ()
