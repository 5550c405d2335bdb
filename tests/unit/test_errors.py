"""Every error survives pickling and copying, as process pools and debuggers do it."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import Any

import pytest

from colony_jupyter import errors
from colony_jupyter.wire.models import Entry

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ColonyError)]
VALUES = {
    "int": 3,
    "int | None": 4,
    "float": 1.5,
    "bool": True,
    "Entry": Entry(sequence=1, payload=b"boo", type="error"),
}


def example(kind):
    """Make an error with a value for each parameter, so that none is lost unnoticed."""
    if kind.__init__ is Exception.__init__:
        return kind("words")
    positional, named = [], {}
    for parameter in inspect.signature(kind).parameters.values():
        text = str(parameter.annotation)
        value = ["x"] if "Sequence" in text else VALUES.get(text, "words")
        if parameter.kind is parameter.KEYWORD_ONLY:
            named[parameter.name] = value
        else:
            positional.append(value)
    return kind(*positional, **named)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("duplicate", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy])
def test_a_duplicate_equals_the_error(kind, duplicate):
    error = example(kind)
    error.add_note("a note")
    again = duplicate(error)
    assert type(again) is kind
    assert str(again) == str(error)
    assert again.args == error.args
    assert vars(again) == vars(error)


def test_what_ipython_displays_is_not_pickled():
    error: Any = errors.UsageError("no")
    error._render_traceback_ = lambda: ["no"]
    assert vars(pickle.loads(pickle.dumps(error))) == {}


def test_a_channel_whose_name_is_unknown_is_not_quoted():
    assert str(errors.ChannelNotFound(404, "Channel not found")) == "Channel not found: declare it when submitting."


@pytest.mark.parametrize(
    ("size", "limit", "shown"),
    [
        (3 << 20, 2 << 20, ("3.0 MiB", "2.0 MiB")),
        (9000, 5000, ("8.8 KiB", "4.9 KiB")),
        ((2 << 20) + 1, 2 << 20, ("2,097,153 bytes", "2,097,152 bytes")),
    ],
)
def test_a_size_and_its_limit_are_shown_so_that_they_differ(size, limit, shown):
    assert errors.sizes(size, limit) == shown


def test_a_request_that_is_too_large_compares_its_content_with_what_would_fit():
    """The request is larger than its content by what encoding adds, and so is the limit."""
    error = errors.RequestTooLarge(2000 << 10, 1000 << 10, "addlogmsg")
    assert str(error).startswith("The request (addlogmsg) is 2.0 MiB, the limit is 1000.0 KiB. Send less")
    assert error.compared(1200 << 10).startswith("1.2 MiB, the limit is 600.0 KiB.")
    assert "over the limit of the gateway in front of the server (HTTP 413)" in str(errors.RequestTooLarge(5000))
