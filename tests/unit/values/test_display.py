"""What is displayed of any object."""

from __future__ import annotations

import numpy as np
import pytest

from colony_jupyter.client.writer import payload_bytes
from colony_jupyter.errors import UsageError
from colony_jupyter.values.conversion import convert
from colony_jupyter.values.display import display_bundle


class Raising:
    def _repr_html_(self):
        raise KeyError("gone")


class Opaque:
    def __repr__(self) -> str:
        return "<opaque>"


@pytest.mark.parametrize(
    ("value", "bundle"),
    [
        ("text", {"text/plain": "text"}),
        (3, {"text/plain": "3"}),
        ({"a": 1}, {"text/plain": "{'a': 1}", "application/json": {"a": 1}}),
        ({"image/png": "AAAA"}, {"image/png": "AAAA"}),
        ([np.arange(2)], {"text/plain": "[array([0, 1])]", "application/json": [[0, 1]]}),
        ([2**60], {"text/plain": f"[{2**60}]", "application/json": [2**60]}),
        ([Opaque()], {"text/plain": "[<opaque>]"}),
        (Opaque(), {"text/plain": "<opaque>"}),
        (None, {"text/plain": "None"}),
    ],
    ids=str,
)
def test_everything_can_be_displayed(value, bundle):
    assert display_bundle(value) == bundle
    assert payload_bytes(display_bundle(value))


def test_a_representation_that_raises_is_named():
    with pytest.raises(UsageError, match="Raising cannot be displayed: its representation raises KeyError: 'gone'"):
        display_bundle(Raising())


class Unprintable(Exception):
    def __str__(self) -> str:
        raise ValueError


class RaisingUnprintably:
    def _repr_html_(self):
        raise Unprintable

    def __array__(self) -> object:
        raise Unprintable


def test_an_error_without_a_text_is_named_all_the_same():
    with pytest.raises(UsageError, match="its representation raises Unprintable: its text cannot be shown"):
        display_bundle(RaisingUnprintably())
    (fault,) = convert(RaisingUnprintably(), "result", large="keep").faults
    assert "could not be converted (Unprintable: its text cannot be shown)" in str(fault)


def test_a_long_representation_is_cut():
    assert len(display_bundle(list(range(10_000)))["text/plain"]) == 2000
