"""What a function displays arrives as an entry, and what it returns as a value that a notebook shows."""

from __future__ import annotations

import inspect
import math

import pytest

from colony_jupyter.errors import ProcessFailed
from colony_jupyter.executor.progress import display_channel
from colony_jupyter.values.mime import MimeBundle


class Picture:
    def _repr_png_(self):
        return b"\x89PNG\r\n\x1a\n"

    def __repr__(self) -> str:
        return "Picture()"


BUNDLE = {"image/png": "iVBORw0KGgo=", "text/plain": "Picture()"}


@pytest.mark.parametrize(
    ("declared", "chosen", "expected"),
    [
        (["progress"], None, "progress"),
        (["sync", "log", "plots"], None, "log"),
        (["log", "display"], None, "display"),
        (["log", "display"], "log", "log"),
    ],
)
def test_the_channel_of_a_displayed_object(declared, chosen, expected):
    assert display_channel(declared, chosen) == expected


@pytest.mark.parametrize("kind", ["async", "plain"])
def test_a_displayed_object_is_an_entry_and_a_returned_one_the_output(make_executor, submit, kind):
    async def async_plot(context):
        await context.display(Picture())
        await context.display("text", channel="other")
        return Picture()

    def plain_plot(context):
        context.display(Picture())
        context.display("text", channel="other")
        return Picture()

    executor = make_executor()
    executor.function("plot")(async_plot if kind == "async" else plain_plot)
    executor.start()
    process = submit("plot", channels=["plots", "other", "sync"])
    entries = list(process.channel("plots"))
    assert [(entry.type, entry.json()) for entry in entries] == [("display", BUNDLE)]
    result = process.result(timeout=10)
    assert isinstance(result, MimeBundle)
    assert result == BUNDLE


def test_without_a_channel_the_error_names_the_remedy(make_executor, submit):
    executor = make_executor()

    @executor.function("plot")
    def plot(context):
        context.display(Picture())

    executor.start()
    with pytest.raises(ProcessFailed, match=r"no channel to display on: submit it with one \(--channel display\)"):
        submit("plot").result(timeout=10)


@pytest.mark.parametrize("kind", ["async", "plain"])
def test_a_warning_about_what_a_function_sends_names_its_line(make_executor, submit, kind):
    async def async_send(context):
        await context.channel("out").send(math.nan)  # here

    def plain_send(context):
        context.channel("out").send(math.nan)  # here

    function = async_send if kind == "async" else plain_send
    executor = make_executor()
    executor.function("send")(function)
    executor.start()
    with pytest.warns(UserWarning, match="became null") as issued:
        submit("send", channels=["out"]).result(timeout=10)
    lines, first = inspect.getsourcelines(function)
    (marked,) = [number for number, line in enumerate(lines, first) if "# here" in line]
    assert (issued[0].filename, issued[0].lineno) == (__file__, marked)
