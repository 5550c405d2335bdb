"""The judge sees each kind of difference, and no other."""

from __future__ import annotations

import pytest
from colony_contract.cast import Cast, Place, Unbound
from colony_contract.comparing import ABSENT, Comparison, look_up

ID = "ab" * 32


@pytest.fixture
def cast():
    made = Cast(Place("127.0.0.1", 1))
    made.bind("$pid1", ID)
    made.bind("$pid", "short")
    return made


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (1, 1.0),
        ({"a": [1, None, True]}, {"a": [1, None, True]}),
        ("$pid1", ID),
        ("<$pid1> and $pid", f"<{ID}> and short"),
        ("$time", "2026-01-02T03:04:05.123456789Z"),
        ("$time", "2026-01-02T03:04:05+01:00"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("$int", -1),
        ("$num", 1.5),
        ("$str", ""),
        ("$bool", False),
        ("$hex64", ID),
        ("$list", []),
        ("$any", None),
    ],
)
def test_alike(cast, expected, got):
    assert list(Comparison(cast).differences(expected, got)) == []


@pytest.mark.parametrize(
    ("expected", "got", "paths"),
    [
        (1, True, [""]),
        (True, 1, [""]),
        (1, "1", [""]),
        (0, None, [""]),
        ([], None, [""]),
        (None, [], [""]),
        ({}, [], [""]),
        ("", None, [""]),
        ({"a": 1}, {}, ["a"]),
        ({}, {"a": None}, ["a"]),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, ["a.b.1"]),
        ([1, 2], [2, 1], ["0", "1"]),
        ([1], [1, 1], [".length", ""]),
        ("$pid1", "ba" * 32, [""]),
        ("$time", "0001-01-01T00:00:00Z", [""]),
        ("$time", "yesterday", [""]),
        ("0001-01-01T00:00:00Z", "2026-01-02T03:04:05Z", [""]),
        ("$int", 1.5, [""]),
        ("$int", True, [""]),
        ("$num", "1", [""]),
        ("$str", None, [""]),
        ("$bool", 0, [""]),
        ("$hex64", ID.upper(), [""]),
        ("$list", None, [""]),
        ({"a": "$any"}, {}, ["a"]),
    ],
)
def test_different(cast, expected, got, paths):
    assert [found.path.removeprefix(".") for found in Comparison(cast).differences(expected, got)] == [
        path.removeprefix(".") for path in paths
    ]


def test_an_unbound_placeholder_is_the_judges_own_fault(cast):
    with pytest.raises(Unbound, match="pid2"):
        list(Comparison(cast).differences("$pid2", "x"))


def test_a_second_binding_does_not_replace_the_first(cast):
    cast.bind("$pid1", "another")
    assert [found.expected for found in Comparison(cast).differences("$pid1", "another")] == [ID]


def test_null_and_empty_are_alike_only_when_asked(cast):
    assert list(Comparison(cast, lenient_null=True).differences({"a": None}, {"a": []})) == []
    assert list(Comparison(cast, lenient_null=True).differences({"a": None}, {"a": 0})) != []


class TestUnordered:
    @pytest.fixture
    def compare(self, cast):
        comparison = Comparison(cast, frozenset({"payload", "payload.nodes"}))
        return lambda expected, got, path="payload": [str(d) for d in comparison.differences(expected, got, path)]

    def test_any_order_will_do(self, compare):
        assert compare([1, 2, 3], [3, 1, 2]) == []

    def test_a_placeholder_by_type_leaves_the_exact_one_to_its_match(self, compare):
        assert compare(["$int", 5], [5, 6]) == []

    def test_below_lists_the_index_is_no_part_of_the_path(self, compare):
        assert compare([{"nodes": [1, 2]}], [{"nodes": [2, 1]}]) == []

    def test_another_item_is_a_difference(self, compare):
        assert compare([1, 2], [2, 3]) == ["payload.0: expected 1, got 3"]

    def test_so_is_another_number_of_them(self, compare):
        assert "payload.length: expected 2, got 1" in compare([1, 1], [1])

    def test_lists_at_other_paths_keep_their_order(self, compare):
        assert compare([1, 2], [2, 1], "payload.edges") != []


def test_paths_lead_into_lists_and_members():
    assert look_up({"a": [{"b": 0}]}, "a.0.b") == 0
    assert look_up({"a": []}, "a.0") is ABSENT
    assert look_up(None, "a") is ABSENT
