"""Amounts of cpu and memory as texts: what is read, and what is not."""

from __future__ import annotations

import pytest

from colony_jupyter.wire.limits import INT64_MAX
from colony_jupyter.wire.quantities import mebibytes, millicores, unit


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("500m", 500),
        ("0m", 0),
        (f"{INT64_MAX}m", INT64_MAX),
        (f"{INT64_MAX + 1}m", None),
        ("9" * 5000 + "m", None),
        ("500", None),
        ("-1m", None),
        ("0.5m", None),
        ("500M", None),
        ("", None),
    ],
)
def test_cpu_is_read_in_thousandths_of_a_core(text, expected):
    assert millicores(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2Gi", 2048),
        ("1GiB", 1024),
        ("1024Ki", 1),
        ("1023Ki", 0),  # rounded down
        ("3M", 2),
        ("1TiB", 1 << 20),
        (f"{INT64_MAX // 1024}Ki", INT64_MAX // 1024 // 1024),
        (f"{INT64_MAX}Ki", None),
        ("9" * 5000 + "Ki", None),
        ("1MB", None),  # accepted at random
        ("1", None),
        ("-1Mi", None),
        ("1 Mi", None),
        ("", None),
    ],
)
def test_memory_is_read_in_whole_mebibytes(text, expected):
    assert mebibytes(text) == expected


@pytest.mark.parametrize(("text", "expected"), [("2Gi", "Gi"), ("1MB", "MB"), ("5", ""), ("x", "")])
def test_the_unit_is_what_follows_the_digits(text, expected):
    assert unit(text) == expected
