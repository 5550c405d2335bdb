"""The table of names for those who port a script: what it names here, and in pycolonies, exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import colony_jupyter as cj

PAGE = (Path(__file__).parents[2] / "docs" / "porting.md").read_text("utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| `")]
OWNERS = {"colony": cj.Colony, "process": cj.Process, "entry": cj.Entry, "channel": cj.Channel, "spec": cj.FunctionSpec}


def test_there_are_two_tables_of_four_columns():
    assert len(ROWS) > 40
    assert {len(row) for row in ROWS} == {4}


@pytest.mark.parametrize("cell", [row[0] for row in ROWS])
def test_what_is_named_here_exists(cell):
    found = re.findall(r"\b(colony|process|entry|channel|spec)\.(\w+)", cell)
    missing = [f"{owner}.{name}" for owner, name in found if not hasattr(OWNERS[owner], name)]
    missing += [name for name in re.findall(r"\bcj\.(\w+)", cell) if not hasattr(cj, name)]
    assert missing == []


@pytest.mark.parametrize("cell", [row[2] for row in ROWS if "(" in row[2]])
def test_what_is_named_of_pycolonies_exists(cell):
    import pycolonies  # with boto3, which no other test needs

    called = [name for name in re.findall(r"(?<![.\w])(\w+)\(", cell) if name != "Colonies"]
    missing = [name for name in called if not hasattr(pycolonies.Colonies, name) and not hasattr(pycolonies, name)]
    assert missing == []
