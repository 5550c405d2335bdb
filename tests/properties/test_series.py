"""What is drawn of a line is what a screen can show of it, however it came."""

from __future__ import annotations

from unittest import mock

from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from colony_jupyter.notebook.model import series as module
from colony_jupyter.notebook.model.series import ENTRY, TIME, Series

FINITE = st.floats(-1e6, 1e6)
ENTRIES = st.lists(st.dictionaries(st.sampled_from("abs"), FINITE, min_size=1), max_size=120)


def lines_of(held, answer):
    """Merge an answer into what a page has, as static/plot/curves.js does."""
    if held is None or held.size != answer.size:
        return {key: list(line) for key, line in answer.lines.items()}
    lines = {}
    for key, line in answer.lines.items():
        kept = held.all.get(key, [])[: held.ends.get(key, 0)]
        lines[key] = kept + list(line)
    return lines


class Page:
    """A page that asks for what it lacks."""

    def __init__(self) -> None:
        self.size = self.bucket = 0
        self.all: dict[str, list[float]] = {}
        self.ends: dict[str, int] = {}

    def ask(self, series, x):
        answer = series.points(x, size=self.size, bucket=self.bucket)
        begun = {key: self.ends.get(key, 0) if self.size == answer.size else 0 for key in answer.lines}
        self.all = lines_of(self if self.size else None, answer)
        self.ends = {key: begun[key] + answer.closed[key] for key in answer.lines}
        self.size, self.bucket = answer.size, answer.bucket


@settings(max_examples=examples(150), deadline=None)
@given(ENTRIES, st.sampled_from([ENTRY, TIME, "s"]), st.lists(st.booleans(), min_size=120, max_size=120))
def test_a_page_that_asks_now_and_then_has_what_one_has_that_asks_at_the_end(entries, x, asks):
    with mock.patch.object(module, "BUCKETS", 4):
        series, page = Series(), Page()
        for at, numbers in enumerate(entries):
            series.add(numbers, float(at))
            if asks[at]:
                page.ask(series, x)
        page.ask(series, x)
        assert page.all == {key: list(line) for key, line in series.points(x).lines.items()}
        for key in series.keys:
            if key == x:
                continue
            column = [numbers[key] for numbers in entries if key in numbers and (x in (ENTRY, TIME) or x in numbers)]
            drawn = page.all[key][1::2]
            assert len(drawn) <= 2 * 2 * module.BUCKETS
            if x in (ENTRY, TIME):
                assert (min(drawn), max(drawn)) == (min(column), max(column))
