"""Constraints that pin each dependency to the lowest version allowed."""

import pytest

from tools.lowest import ROOT, constraints, lowest

PYPROJECT = """
[project]
dependencies = ["one>=1.2,<4 # why", "Two_Words>=3; python_version > '3'"]
[project.optional-dependencies]
dev = ["tool>=5", "two-words>=3"]
lab = ["lab[extra]>=6"]
"""


def test_lower_bounds_become_pins():
    assert lowest(["one>=1.2,<4", "Two_Words[x]>=3; python_version > '3'"]) == {
        "one": "one==1.2",
        "two-words": "Two_Words==3",
    }


@pytest.mark.parametrize("text", ["one", "one<4", "one==3", "one>=1,>=2"])
def test_a_dependency_without_one_lower_bound_is_an_error(text):
    with pytest.raises(ValueError, match="has no lower bound"):
        lowest([text])


def test_tools_have_their_known_versions():
    known = "one==3.9\nTool==5.5\nunrelated==1\ntwo-words==9\nlab==6.1\n"
    assert constraints(PYPROJECT.replace(" # why", ""), known) == ["Two_Words==3", "one==1.2", "Tool==5.5", "lab==6.1"]


def test_every_dependency_of_ours_has_a_lower_bound():
    lines = constraints((ROOT / "pyproject.toml").read_text("utf-8"), (ROOT / "constraints.txt").read_text("utf-8"))
    names = [line.partition("==")[0] for line in lines]
    assert len(names) == len(set(names))
    assert {"httpx", "ipykernel", "pytest"} <= set(names)
