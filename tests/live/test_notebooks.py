"""The tutorial on a real ColonyOS server, unchanged: the same cells show the same."""

from __future__ import annotations

import asyncio
from typing import Any

import nbformat
import pytest

from tools.transcripts import NOTEBOOKS, comparable, execute, shown

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]

PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))

ELSEWHERE = (
    "%load_ext colony_jupyter",
    "%colony ps",
    "%colony status",
    "%colony connect",
    "%colony log --search",
    "%colony top",
)
"""Beginnings of cells that show where they run, or what else goes on there."""


def outputs_of(notebook: Any) -> list[tuple[str, Any]]:
    return [(source, outputs) for source, outputs in comparable(notebook) if not source.startswith(ELSEWHERE)]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
async def test_runs_unchanged(path, real_server):
    made = await execute(path)
    loaded = shown(next(cell for cell in made.cells if cell.source.startswith("%load_ext")))
    assert f"at {real_server['COLONIES_SERVER_HOST']}:" in loaded
    assert outputs_of(made) == outputs_of(nbformat.read(path, as_version=4))


async def test_two_at_once():
    made = await asyncio.gather(*(execute(path) for path in PATHS[:2]))
    for path, notebook in zip(PATHS, made, strict=False):
        assert outputs_of(notebook) == outputs_of(nbformat.read(path, as_version=4))
