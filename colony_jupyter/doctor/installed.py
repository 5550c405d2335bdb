"""Checks of the installed packages."""

from __future__ import annotations

import asyncio
import importlib.metadata
import platform
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

from colony_jupyter.doctor.report import Finding, Mark

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.specifiers import SpecifierSet

_NEEDED: Final = {
    "ipykernel": Version("6.30"),
    "ipywidgets": Version("8.1"),
    "anywidget": Version("0.9.18"),
    "jupyterlab": Version("4.3"),
    "jupyterlab_widgets": Version("3"),
}
"""Oldest versions that this package is tested with."""

_ELSEWHERE: Final = frozenset({"jupyterlab", "jupyterlab_widgets"})
"""They may be installed in the environment of the Jupyter server instead."""


@dataclass(frozen=True)
class _Pair:
    """Versions of two packages that do not work together.

    Attributes:
        one, other: name of a package, and the versions that are meant.
        remedy: what to do.
    """

    one: tuple[str, SpecifierSet]
    other: tuple[str, SpecifierSet]
    remedy: str


def _pair(one: str, other: str, remedy: str) -> _Pair:
    first, second = Requirement(one), Requirement(other)
    return _Pair((first.name, first.specifier), (second.name, second.specifier), remedy)


_BAD_PAIRS: Final = (
    # The packages of the kernel and of the page must have matching versions.
    _pair("ipywidgets>=8", "jupyterlab_widgets<3", "pip install -U jupyterlab_widgets"),
    _pair("ipywidgets<8", "jupyterlab_widgets>=3", "pip install -U ipywidgets"),
    _pair("ipywidgets>=8", "widgetsnbextension<4", "pip install -U widgetsnbextension"),
    # Earlier versions have no extension for JupyterLab 4.
    _pair("jupyterlab>=4", "anywidget<0.9", "pip install -U anywidget"),
    # Its patch of asyncio hides the current task, which asyncio.timeout needs.
    _pair(
        "python>=3.14",
        "nest_asyncio_in_use",
        "restart the kernel, and use `await` instead of asyncio.run; or nest_asyncio2, which is maintained",
    ),
)
"""Pairs that fail although each version works by itself."""


def versions(found: Mapping[str, str | None]) -> list[Finding]:
    """Check each installed version; None stands for a package that is not installed."""
    findings = [Finding(Mark.FINE, "python", f"{platform.python_version()} on {sys.platform}")]
    for name, needed in _NEEDED.items():
        version = found.get(name)
        if version is None:
            if name in _ELSEWHERE:
                text = f"{name} is not installed here, which is fine if JupyterLab is installed somewhere else."
                findings.append(Finding(Mark.FINE, "versions", text))
            else:
                text = f"{name} is not installed: pip install '{name}>={needed}'."
                findings.append(Finding(Mark.FAILURE, "versions", text))
        elif is_older(version, needed):
            oldest = f"{needed}, the oldest that panes are tested with"
            text = f"{name} {version} is older than {oldest}: pip install -U {name}."
            findings.append(Finding(Mark.WARNING, "versions", text))
        else:
            findings.append(Finding(Mark.FINE, "versions", f"{name} {version}"))
    return findings


def pairs(found: Mapping[str, str | None]) -> list[Finding]:
    """Find installed versions that are known not to work together; None stands for a package that is not installed."""
    findings = []
    for pair in _BAD_PAIRS:
        present = []
        for name, meant in (pair.one, pair.other):
            version = found.get(name)
            if version is not None and _is_in(version, meant):
                present.append(f"{name.replace('_in_use', ' in use')} {version}")
        if len(present) == len((pair.one, pair.other)):
            text = f"{' and '.join(present)} do not work together: {pair.remedy}."
            findings.append(Finding(Mark.WARNING, "versions", text))
    return findings


def installed() -> dict[str, str | None]:
    """Return the installed version of each package that matters; None for a package that is not installed."""
    found = {"python": platform.python_version(), **{name: _version(name) for name in (*_NEEDED, "widgetsnbextension")}}
    if hasattr(asyncio, "_nest_patched") and "nest_asyncio2" not in sys.modules:
        found["nest_asyncio_in_use"] = _version("nest_asyncio") or "(a copy)"
    return found


def is_older(version: str, least: Version) -> bool:
    """Whether a version is older than another; False if it is no version, such as the hash of a commit."""
    parsed = _parsed(version)
    return parsed is not None and parsed < least


def _is_in(version: str, meant: SpecifierSet) -> bool:
    parsed = _parsed(version)
    return not meant or (parsed is not None and meant.contains(parsed, prereleases=True))


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _parsed(version: str) -> Version | None:
    try:
        return Version(version)
    except InvalidVersion:
        return None
