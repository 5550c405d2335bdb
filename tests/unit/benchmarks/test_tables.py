"""Samples, and what was wanted of them."""

from __future__ import annotations

import pytest

from benchmarks.tables import Claim, Spread, Table, percentile, spread


@pytest.mark.parametrize(
    ("samples", "percent", "found"),
    [([1.0], 99, 1.0), ([3.0, 1.0, 2.0], 50, 2.0), (range(1, 101), 99, 99), (range(1, 101), 50, 50), ([1, 2], 0, 1)],
)
def test_a_percentile_is_a_sample(samples, percent, found):
    assert percentile(samples, percent) == found


def test_a_spread_is_a_median_with_its_bounds():
    assert spread([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0)


@pytest.mark.parametrize(
    ("median", "bound", "holds"),
    [(0.5, "at most", True), (0.51, "at most", False), (0.5, "at least", True), (0.49, "at least", False)],
)
def test_a_claim_holds_up_to_its_goal(median, bound, holds):
    assert Claim("x", Spread(median, 0, 1), 0.5, bound=bound).holds is holds


def test_a_ratio_is_one_of_figures_of_the_same_round():
    table = Table("t", {"p50": "ms"})
    for ours, other in ((1.0, 2.0), (10.0, 40.0), (3.0, 3.0)):
        table.add("ours", p50=ours)
        table.add("other", p50=other)
    table.claim_ratio("ours beside other", ("ours", "other"), "p50", 0.6)
    (claim,) = table.claims
    assert claim.found == Spread(0.5, 0.25, 1.0)
    assert claim.holds


def test_contestants_that_missed_a_round_cannot_be_compared():
    table = Table("t", {"p50": "ms"})
    table.add("ours", p50=1.0)
    table.add("ours", p50=1.0)
    table.add("other", p50=1.0)
    with pytest.raises(ValueError, match="shorter"):
        table.claim_ratio("ours beside other", ("ours", "other"), "p50", 1)


def test_a_figure_without_a_unit_is_a_mistake():
    with pytest.raises(KeyError):
        Table("t", {"p50": "ms"}).add("ours", p99=1.0)
