"""Specs of functions whose source is sent with them."""

from __future__ import annotations

from typing import Any

import pytest

from colony_jupyter.client.carried import carry, pack_for
from colony_jupyter.errors import InvalidSpec, UsageError
from colony_jupyter.functions.receiving import define, receive


def train(rate, epochs=1):
    return rate * epochs


def test_a_spec_carries_the_function_its_arguments_and_the_variables():
    spec = carry(pack_for(train, "python-executor"), [0.1], {"epochs": 3}, {"THREADS": "2"})
    assert spec.funcname == "train"
    assert spec.env["THREADS"] == "2"
    scope: dict[str, Any] = {}
    assert define(receive(spec.funcname, spec.env), scope)(*spec.args, **spec.kwargs) == train(0.1, 3)


def test_a_variable_of_the_caller_does_not_replace_the_source():
    packed = pack_for(train, "python-executor")
    name = next(iter(packed.env))
    assert carry(packed, [0.1], None, {name: "something else"}).env[name] == packed.env[name]


def test_the_type_of_executor_is_needed_and_one_is_named():
    with pytest.raises(InvalidSpec, match=r"that run 'train', whose source is sent.*executortype='python-executor'"):
        pack_for(train, "")


def test_arguments_that_do_not_fit_are_refused():
    with pytest.raises(UsageError, match="rate"):
        carry(pack_for(train, "python-executor"), [], None, None)


def test_a_function_without_source_is_refused():
    with pytest.raises(UsageError):
        pack_for(len, "python-executor")
