"""Which functions are taken, and how a spec's arguments fit them."""

from __future__ import annotations

import functools
from typing import Literal

import pytest

import colony_jupyter as cj
from colony_jupyter.errors import InvalidSpec, UsageError
from colony_jupyter.executor.functions import Functions, Unfit, as_output, define, define_chat
from colony_jupyter.wire.models import FunctionSpec


async def task(context, steps: int = 10, *, label: str = "x") -> str:
    """Do it.

    In detail.
    """
    return f"{context} {steps} {label}"


def plain(context, *numbers):
    return [context, *numbers]


@pytest.mark.parametrize(
    ("args", "kwargs", "result"),
    [
        ([], {}, ["c"]),
        ([1, 2], {}, ["c", 1, 2]),
    ],
)
def test_arguments_are_bound(args, kwargs, result):
    assert define("plain", plain).bind("c", args, kwargs)() == result


async def test_named_arguments_are_bound():
    assert await define("task", task).bind("c", [3], {"label": "y"})() == "c 3 y"


@pytest.mark.parametrize(
    ("args", "kwargs", "fault"),
    [
        ([1, 2], {}, "too many positional arguments"),
        ([], {"stops": 1}, "unexpected keyword argument 'stops'"),
        ([1], {"steps": 1}, "multiple values for argument 'steps'"),
        ([], {"context": 1}, "multiple values for argument 'context'"),
    ],
)
def test_a_mismatch_is_a_sentence_with_the_signature(args, kwargs, fault):
    with pytest.raises(Unfit) as raised:
        define("task", task).bind("c", args, kwargs)
    assert fault in str(raised.value)
    assert str(raised.value).endswith(". The function is task(steps=10, *, label='x').")


def test_an_error_inside_the_function_is_no_mismatch():
    def fails(context):
        raise TypeError("inside")

    call = define("fails", fails).bind("c", [], {})
    with pytest.raises(TypeError, match="inside"):
        call()


def test_a_function_that_is_not_there():
    functions = Functions()
    with pytest.raises(Unfit, match=r"type 'cli' has no function 'x'\. It has: none at all\."):
        functions.find(FunctionSpec(funcname="x"), "cli")
    functions.add(define("b", plain))
    functions.add(define("a", task))
    with pytest.raises(Unfit, match=r"It has: a, b\."):
        functions.find(FunctionSpec(funcname="x"), "cli")


def test_a_later_function_replaces_the_one_of_its_name():
    functions = Functions()
    functions.add(define("a", plain))
    functions.add(define("a", task))
    assert functions.find(FunctionSpec(funcname="a"), "cli").handler is task
    assert functions.offers()["a"].description == "Do it."


def described(context, image: str, scale: float = 1.0, *more, mode: Literal["fast", "fine"] = "fast", **others):
    """Make an image larger.

    Args:
        image: where it is, as an
            address: a URL or a path.
        scale (float): how much larger.
        mode: how: the one or the other.

    Returns:
        image: not an argument.
    """


async def answering(context, message, name: str = "you"):
    """Answer."""
    yield name


def test_what_the_colony_lists_of_arguments():
    arguments = define("a", described).offer.arguments
    assert [(each.name, each.type, each.required, each.description, each.enum) for each in arguments] == [
        ("image", "str", True, "where it is, as an address: a URL or a path.", None),
        ("scale", "float", False, "how much larger.", None),
        ("*more", "", False, "", None),
        ("mode", "Literal['fast', 'fine']", False, "how: the one or the other.", ["fast", "fine"]),
    ]
    (name,) = define_chat("a", answering, "chat").offer.arguments  # not the message, which is no argument of a spec
    assert (name.name, name.type, name.required) == ("name", "str", False)
    assert define("a", plain).offer.description == ""


def test_kinds():
    async def pieces(context, message):
        yield "x"

    assert define("task", task).is_async
    assert not define("plain", plain).is_async
    assert define("partial", functools.partial(task, label="z")).is_async
    chat = define_chat("chat", pieces, "talk")
    assert (chat.is_async, chat.is_generator, chat.channel) == (True, True, "talk")


def no_context():
    return 1


def only_context(context):
    return 1


def generator(context):
    yield 1


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (lambda: define("f", no_context), "must take context first"),
        (lambda: define("f", generator), "is a generator"),
        (lambda: define("f", 3), "is given a int, which is no function"),
        (lambda: define_chat("f", only_context, "c"), "must take context and message first"),
        (lambda: define_chat("f", None, "c"), "no function"),
    ],
)
def test_what_could_never_be_called_is_refused(make, fault):
    with pytest.raises(UsageError, match=fault):
        make()


@pytest.mark.parametrize("decorator", ["function", "chat"])
def test_a_decorator_without_its_parentheses_is_refused(decorator):
    with pytest.raises(UsageError, match=rf'@executor\.{decorator}\("name"\)'):
        getattr(cj.Executor("task"), decorator)(only_context)


def test_a_decorated_function_stays_what_it_was():
    executor = cj.Executor("task")
    assert executor.function("f")(only_context) is only_context
    assert executor.chat("c")(plain) is plain


def test_a_function_name_with_a_colon_is_refused():
    with pytest.raises(InvalidSpec):
        define("a:b", plain)


@pytest.mark.parametrize(
    ("value", "output"),
    [(None, []), ("x", ["x"]), ([], []), ([1, 2], [1, 2]), ((1, 2), [1, 2]), ({"a": 1}, [{"a": 1}]), (0, [0])],
)
def test_what_is_returned_is_the_output(value, output):
    assert as_output(value).value == output


def test_what_is_no_json_is_a_fault_and_the_rest_is_the_output():
    alone = as_output(object())
    assert alone.value == []
    assert "result is an object, which has no JSON form" in alone.complaint()
    endless: list = [1]
    endless.append(endless)
    converted = as_output(endless)
    assert converted.value == [1, None]
    assert "result[1] contains itself" in converted.complaint()
