"""The page's side of the pane, read from its files once.

anywidget accepts one script. Ours is written as small ES modules that import each other by name, so that an editor and
``deno`` read them as they are. Here they are joined in the order in which they build on each other, without their
import lines and without ``export`` before what is no default export. Names are therefore unique across the modules,
which the tests check.

That script is the same for all panes, so a loader of a few lines is what each pane has of its own.
"""

from __future__ import annotations

import functools
import hashlib
import re
from importlib.resources import files
from typing import Final

MODULES: Final = (
    "text.js",
    "dom.js",
    "frames.js",
    "store.js",
    "view.js",
    "media.js",
    "log/rows.js",
    "log/log.js",
    "tabs.js",
    "plot/scale.js",
    "plot/curves.js",
    "plot/canvas.js",
    "plot/plot.js",
    "workflow/graph.js",
    "panels.js",
    "chat.js",
    "head.js",
    "input.js",
    "board/store.js",
    "board/table.js",
    "board/board.js",
    "pane.js",
)
"""In the order in which they build on each other."""

_IMPORT: Final = re.compile(r"^import [^;]*;\n", re.MULTILINE)
_EXPORT: Final = re.compile(r"^export (?!default)", re.MULTILINE)


@functools.cache
def script() -> str:
    """Return the one script of the pane."""
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", _read(name))) for name in MODULES)


@functools.cache
def version() -> str:
    """Return what distinguishes this script of the pane from that of another version."""
    return hashlib.sha256(script().encode()).hexdigest()


@functools.cache
def loader() -> str:
    """Return the few lines that load the script once for all panes of a page."""
    return _read("loader.js")


@functools.cache
def style() -> str:
    """Return the style sheet of the pane."""
    return _read("pane.css")


def _read(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")
