"""Samples, and what was wanted of them."""

from __future__ import annotations

import pytest

from benchmarks.tables import Claim, Curve, Spread, Table, percentile, spread


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


@pytest.mark.parametrize(
    ("costs", "slope"),
    [((5, 5, 5), 0.0), ((1, 10, 100), 1.0), ((100, 10, 1), -1.0), ((1, 100, 10_000), 2.0), ((7, 0, 0), None)],
)
def test_a_slope_is_the_power_by_which_a_cost_grows(costs, slope):
    curve = Curve("panes", "us", [(10**at, Spread(cost, cost, cost)) for at, cost in enumerate(costs)])
    assert curve.slope == (None if slope is None else pytest.approx(slope))


def test_a_curve_has_the_contestants_that_took_part():
    table = Table("t", {"kernel": "us"})
    for value in (1.0, 3.0, 2.0):
        table.add("1 pane", kernel=value)
    table.curve("open panes", {1: "1 pane", 10: "10 panes"}, "kernel")
    assert table.curves == [Curve("open panes", "kernel (us)", [(1, Spread(2.0, 1.0, 3.0))])]
