"""A failure is reported in the user's own lines."""

from __future__ import annotations

import json

import pytest
from awkward import ERRORS

from colony_jupyter.errors import UsageError
from colony_jupyter.executor import error_report
from colony_jupyter.wire.storable import storable


def raised(function):
    try:
        function()
    except BaseException as error:  # noqa: BLE001 - that is what is asked for
        return error
    raise AssertionError


def inner():
    raise ValueError("bad step")


def outer():
    inner()


def test_the_way_through_the_users_code():
    lines = error_report.trace(raised(outer)).splitlines()
    assert [line.partition(", in ")[2] for line in lines[-2:]] == [
        "outer: inner()",
        'inner: raise ValueError("bad step")',
    ]
    assert all(line.startswith("test_error_report.py, line ") for line in lines)


def test_the_librarys_own_lines_are_left_out():
    lines = error_report.trace(raised(lambda: json.loads("{"))).splitlines()
    assert "json" not in lines[-1].partition(":")[0]
    assert len(lines) == 2


def test_a_deep_way_is_cut_to_its_inner_end():
    def down(n):
        return down(n - 1) if n else inner()

    lines = error_report.trace(raised(lambda: down(50))).splitlines()
    assert len(lines) == 6
    assert "inner" in lines[-1]


def test_a_cell_of_a_notebook_is_named_so():
    code = compile("def f():\n    raise ValueError\nf()", "/tmp/ipykernel_12/34.py", "exec")
    lines = error_report.trace(raised(lambda: exec(code, {}))).splitlines()
    assert lines[-2:] == ["the notebook, line 3, in <module>", "the notebook, line 2, in f"]


def test_messages():
    assert error_report.message(ValueError("bad")) == "ValueError: bad"
    assert error_report.message(ValueError()) == "ValueError"
    assert error_report.message(SystemExit(3)) == "SystemExit: 3"
    assert error_report.message(UsageError("Do this.")) == "UsageError: Do this."


@pytest.mark.parametrize("name", ERRORS)
def test_a_report_has_the_type_and_only_texts_that_can_be_stored(name):
    make, expected = ERRORS[name]

    def fail():
        raise make()

    message, trace = error_report.report(raised(fail))
    assert message.startswith(expected)
    assert "in fail: raise make()" in trace
    assert message == storable(message)
    assert len(message) < 25_000


async def test_stop_iteration_in_a_coroutine_is_reported_with_the_users_line():
    async def fail():
        return next(iter([]))

    with pytest.raises(RuntimeError) as caught:
        await fail()
    message, trace = error_report.report(caught.value)
    assert message == "StopIteration"
    assert trace.endswith("return next(iter([]))")
