"""Warnings name the line of the program that called the package."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import pytest

from colony_jupyter import caller
from colony_jupyter.client.portal import LoopThread
from colony_jupyter.settings import resolve


@pytest.fixture
def portal():
    loop = LoopThread("test-caller")
    yield loop
    loop.stop()


def of_the_package(source):
    """Return the coroutine function `run` of a source text, as if it were a module of the package."""
    namespace: dict[str, Any] = {"__name__": "colony_jupyter.somewhere"}
    exec(compile(source, "<somewhere>", "exec"), namespace)
    return namespace["run"]


warning_coroutine = of_the_package("from colony_jupyter import caller\nasync def run(): caller.warn('take care')")


def line_of(function):
    """Return the number of the marked line of a function."""
    lines, first = inspect.getsourcelines(function)
    return first + next(number for number, line in enumerate(lines) if "# here" in line)


def test_a_warning_of_the_loops_thread_names_the_blocking_caller(portal):
    with pytest.warns(UserWarning, match="take care") as issued:
        portal.run(warning_coroutine)  # here
    line = line_of(test_a_warning_of_the_loops_thread_names_the_blocking_caller)
    assert (issued[0].filename, issued[0].lineno) == (__file__, line)


@pytest.mark.parametrize("in_thread", [False, True])
def test_a_warning_names_the_line_of_a_function_that_an_earlier_call_started(portal, in_thread):
    """Functions of executors run in the context of the call that started the executor."""

    def function():
        caller.warn("take care")  # here

    start = of_the_package(
        "import asyncio\n"
        "async def run(function, in_thread):\n"
        "    await asyncio.to_thread(function) if in_thread else function()\n"
    )
    with pytest.warns(UserWarning, match="take care") as issued:
        portal.run(start, function, in_thread)
    assert (issued[0].filename, issued[0].lineno) == (__file__, line_of(function))


def test_a_loop_shows_a_warning_once(portal):
    with warnings.catch_warnings(record=True) as issued:
        warnings.simplefilter("default")
        for _ in range(3):
            portal.run(warning_coroutine)
    assert len(issued) == 1


def test_a_warning_of_a_magic_names_the_line_of_its_cell():
    ipython: dict[str, Any] = {"__name__": "IPython.core.interactiveshell"}
    exec("def run_line_magic(magic): magic('take care')", ipython)
    with pytest.warns(UserWarning, match="take care") as issued:
        ipython["run_line_magic"](caller.warn)  # here
    line = line_of(test_a_warning_of_a_magic_names_the_line_of_its_cell)
    assert (issued[0].filename, issued[0].lineno) == (__file__, line)


def test_a_warning_of_a_submission_names_its_line(colony_server):
    import colony_jupyter as cj

    with (
        cj.Colony(resolve(colony_server.environ())) as colony,
        pytest.warns(UserWarning, match="maxexectime=0") as issued,
    ):
        colony.submit("f", executortype="caller-x", maxexectime=0)  # here
    assert (issued[0].filename, issued[0].lineno) == (
        __file__,
        line_of(test_a_warning_of_a_submission_names_its_line),
    )


async def test_an_awaited_submission_names_its_line(colony_server):
    import colony_jupyter as cj

    async with cj.AsyncColony(resolve(colony_server.environ())) as colony:
        with pytest.warns(UserWarning, match="maxexectime=0") as issued:
            await colony.submit("f", executortype="caller-x", maxexectime=0)  # here
    assert (issued[0].filename, issued[0].lineno) == (__file__, line_of(test_an_awaited_submission_names_its_line))
