"""Amounts of cpu and memory, and their bounds."""

from __future__ import annotations

import pytest

from colony_jupyter.server.errors import Refused
from colony_jupyter.server.state import quantities

BEYOND = ["9223372036854775808", "-9223372036854775809", "9" * 5000]


@pytest.mark.parametrize("digits", BEYOND)
def test_cpu_beyond_64_bits_is_refused_as_on_a_real_server(digits):
    with pytest.raises(Refused) as refused:
        quantities.millicores(f"{digits}m")
    assert (refused.value.status, refused.value.message) == (400, "Error converting CPU to int")


@pytest.mark.parametrize("digits", BEYOND)
def test_memory_beyond_64_bits_is_refused(digits):
    with pytest.raises(Refused, match="value out of range") as refused:
        quantities.mebibytes(f"{digits}Mi")
    assert refused.value.status == 400
    assert len(refused.value.message) < 250


def test_memory_whose_bytes_are_beyond_64_bits_is_refused():
    with pytest.raises(Refused, match="value out of range"):
        quantities.mebibytes("9000000000000000000TiB")


@pytest.mark.parametrize(
    ("text", "amount"), [("", 0), ("1500m", 1500), ("-3m", -3), ("2", 0), ("9223372036854775807m", 2**63 - 1)]
)
def test_cpu(text, amount):
    assert quantities.millicores(text) == amount


@pytest.mark.parametrize(("text", "amount"), [("", 0), ("2Gi", 2048), ("1Ki", 0), ("-1Mi", -1), ("10M", 9)])
def test_memory(text, amount):
    assert quantities.mebibytes(text) == amount


@pytest.mark.parametrize(
    ("seconds", "later"), [(0, 5), (1, 1_000_000_005), (2**62, 2**63 - 1), (9_223_372_036, 9_223_372_036_000_000_005)]
)
def test_a_time_beyond_64_bits_is_the_last_one(seconds, later):
    assert quantities.later(5, seconds) == later


@pytest.mark.parametrize(("seconds", "waited"), [(-1, 0.0), (7, 7.0), (2**62, 30 * 86_400.0)])
def test_a_wait_is_neither_negative_nor_too_long_for_an_event_loop(seconds, waited):
    assert quantities.wait(seconds) == waited


def test_memory_of_an_unknown_unit_is_refused():
    with pytest.raises(Refused, match="error converting memory to int: 3parsec"):
        quantities.mebibytes("3parsec")
