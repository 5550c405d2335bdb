"""The nearest known name to what was typed."""

from __future__ import annotations

import pytest

from colony_jupyter.notebook.magics.suggestions import did_you_mean, nearest


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("sumbit", "submit"), ("SUBMIT", "submit"), ("exectors", "executors"), ("zzz", None), ("", None)],
)
def test_nearest(typed, expected):
    assert nearest(typed, ["submit", "executors", "ps"]) == expected
    assert did_you_mean(typed, ["submit", "executors"]) == (f" Did you mean '{expected}'?" if expected else "")


def test_the_likeness_can_be_lower():
    assert nearest("sbt", ["submit"], 0.9) is None
    assert nearest("sbt", ["submit"], 0.3) == "submit"
