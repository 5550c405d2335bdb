"""Functions as text: what is sent, what is refused, and what runs at the other end."""

from __future__ import annotations

import base64
import email.mime.text
import functools
import inspect
import json
import linecache
import logging
import math
import re
import statistics as stats
from collections import OrderedDict as Ordered
from collections import namedtuple
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

import pytest

import colony_jupyter as cj
from colony_jupyter.errors import UsageError
from colony_jupyter.functions.packing import ARGS_SPEC, CODE, ORIGIN, pack
from colony_jupyter.functions.receiving import define, receive

RATE = 0.5
NOTHING = float("nan")
LIMITS = {"low": [1, 2], "high": (3,), "names": {"a"}, "none": None, "infinite": math.inf}
LOGGER = logging.getLogger("a.b")
WORDS = re.compile(r"\w+", re.IGNORECASE)
DATA = object()
LARGE = ["x" * 1000] * 100
executor = cj.Executor("not-started")


def code_of(function):
    return base64.b64decode(pack(function).env[CODE]).decode()


def run(function, *args, **kwargs):
    """Run what is sent with nothing of this module, and as our executor does."""
    packed = pack(function)
    positional, named = packed.bind(args, kwargs)
    named = json.loads(json.dumps(named))
    return define(receive(packed.funcname, packed.env), {"__name__": "__main__"})(*positional, **named)


def run_like_colonyos(function, *args, **kwargs):
    """Run what is sent as ColonyOS's Python executor does: `exec` inside a function, by position, with `ctx`."""
    packed = pack(function)
    positional, _ = packed.bind(args, kwargs)
    scope = {"__name__": "__main__"}
    program = "def start(code, name, args):\n    exec(code)\n    return eval(name)(*tuple(args), ctx={})"
    exec(program, scope)
    start: Any = scope["start"]
    return start(base64.b64decode(packed.env[CODE]).decode("ascii"), packed.funcname, positional)


BOTH = pytest.mark.parametrize("run", [run, run_like_colonyos])


def plain(n1, n2, ctx={}):  # noqa: B006 - as in ColonyOS's example
    return n1 + n2


def test_a_plain_function_is_sent_as_pycolonies_sends_it():
    import pycolonies  # with boto3, which few tests need

    theirs = pycolonies.func_spec(plain, [1, 2], "dev", "python-executor")
    ours = pack(plain)
    assert (ours.funcname, ours.env[ARGS_SPEC]) == (theirs.funcname, theirs.env["args_spec"])
    assert code_of(plain) == "global plain\n\n\n" + base64.b64decode(theirs.env["code"]).decode()


def typed(steps: int, *, label: Ordered | None = None) -> "Unknown":  # type: ignore[name-defined]  # noqa: F821, UP037
    """Münze"""
    return steps


def test_the_text_may_be_of_any_language():
    import pycolonies  # likewise

    with pytest.raises(UnicodeEncodeError):
        pycolonies.func_spec(typed, [1], "dev", "python-executor")
    assert '"""Münze"""' in code_of(typed)
    assert run(typed, 3) == 3


def test_annotations_need_nothing_at_the_other_end():
    assert "import" not in code_of(typed).replace("from __future__ import annotations", "")


def helper(value):
    return value * RATE


other_name = helper


@dataclass
class Point:
    x: float = RATE

    def double(self):
        return helper(self.x) * 4


class Bare:
    limit = RATE


def doubled(points):
    return sum(point.double() for point in points)


def uses_all(values, scale=RATE):
    points = [Point(), Point(2.0)]
    assert Bare.limit == RATE
    assert isinstance(Ordered(), dict)
    assert LOGGER.name == "a.b"
    assert WORDS.findall("ab cd") == ["ab", "cd"]
    assert math.isnan(NOTHING)
    assert LIMITS["names"] == {"a"}
    assert LIMITS["infinite"] == math.inf
    means = [stats.fmean(values) for _ in range(2)]
    return [
        *means,
        scale,
        other_name(4),
        email.mime.text.MIMEText("a").get_payload(),
        sum(point.double() for point in points),
    ]


@BOTH
def test_imports_constants_and_helpers_go_along(run):
    assert run(uses_all, [1, 3]) == [2.0, 2.0, 0.5, 2.0, "a", 5.0]


def factorial(number):
    return number * factorial(number - 1) if number else 1


product = factorial


def uses_a_second_name(number):
    return product(number)


@BOTH
def test_a_helper_goes_along_with_its_second_name_and_finds_itself(run):
    assert run(uses_a_second_name, 4) == 24


Pair = namedtuple("Pair", "low high", defaults=[7])  # noqa: PYI024 - as it is without types
Kind = TypeVar("Kind")


class Typed(NamedTuple):
    value: int

    def double(self):
        return self.value * 2


class Box(Generic[Kind]):
    def __init__(self, held: Kind) -> None:
        self.held = held


def uses_generated_classes(value: Kind) -> list[Any]:
    return [Pair(1), Typed(4).double(), Box(value).held]


@BOTH
def test_classes_that_no_class_statement_defines_go_along(run):
    pair, doubled, held = run(uses_generated_classes, "x")
    assert (*pair, pair.high, type(pair).__name__) == (1, 7, 7, "Pair")
    assert (doubled, held) == (8, "x")


def defines_a_global():
    global defined  # type: ignore[name-defined]  # noqa: PLW0603
    defined = 3  # type: ignore[name-defined]
    return defined  # type: ignore[name-defined]


@BOTH
def test_a_global_that_the_function_itself_defines_is_none_of_its_needs(run):
    assert run(defines_a_global) == 3


@functools.singledispatch
def area(value):
    return "any"


@area.register
def _(value: int):
    return "an integer"


def measures(value):
    return area(value)


@pytest.mark.parametrize("function", [area, measures])
def test_a_function_of_several_types_is_refused_since_its_text_has_one_only(function):
    with pytest.raises(UsageError, match=r"'area' is a functools.singledispatch"):
        pack(function)


def test_a_line_for_the_shell_is_named(monkeypatch):
    monkeypatch.setitem(globals(), "get_ipython", Model().train)

    def lists():
        return get_ipython().getoutput("ls")  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(UsageError, match=r"a line with `%` or `!` belongs to this kernel.*subprocess\.run"):
        pack(lists)


def recursive(n):
    return n if n < 2 else recursive(n - 1) + recursive(n - 2)


def even(n):
    return n == 0 or odd(n - 1)


def odd(n):
    return n != 0 and even(n - 1)


@BOTH
def test_functions_that_call_each_other_find_themselves(run):
    assert run(recursive, 10) == 55
    assert run(even, 10) is True


def keywords(first, second=2, *, third=3):
    return [first, second, third]


def test_arguments_are_sent_by_position_where_possible():
    assert pack(keywords).bind([1], {"second": 5, "third": 6}) == ([1, 5], {"third": 6})
    assert run(keywords, 1, third=0) == [1, 2, 0]
    assert run_like_colonyos(keywords, 1, second=7) == [1, 7, 3]


def test_arguments_that_do_not_fit_are_refused_before_anything_is_sent():
    with pytest.raises(UsageError, match=r"missing a required argument: 'first'. The function is keywords\(first"):
        pack(keywords).bind([], {})


def with_context(context, steps, ctx=None):
    return steps


def test_a_context_is_no_argument_of_the_caller():
    packed = pack(with_context)
    assert packed.env[ARGS_SPEC] == "context,steps,ctx"
    assert packed.bind([3], {}) == ([3], {})


@executor.function("decorated")
@functools.lru_cache(
    maxsize=3,
)
def decorated(value):
    return value + 1


def test_our_decorators_are_stripped_and_others_are_not():
    code = code_of(decorated)
    assert "executor" not in code.partition("def _with_ctx")[0]
    assert "@functools.lru_cache(" in code
    assert run(decorated, 1) == 2


async def asynchronous(value):
    return value


def test_an_asynchronous_function_is_one():
    packed = pack(asynchronous)
    assert inspect.iscoroutinefunction(define(receive("asynchronous", packed.env), {}))


def test_a_function_inside_another_is_dedented():
    def inner(value):
        text = """
at the margin"""
        return text + value

    def simple():
        return 1

    assert run(inner, "!") == "\nat the margin!"
    assert "\n\n\ndef simple():\n    return 1\n" in code_of(simple)


def needs_data():
    return DATA, executor, LARGE, never_defined  # type: ignore[name-defined]  # noqa: F821


def test_what_cannot_be_sent_is_named_with_what_to_do():
    with pytest.raises(UsageError) as raised:
        pack(needs_data)
    text = str(raised.value)
    assert text.startswith("'needs_data' cannot be sent: ")
    assert "`DATA` is a global object: pass it as an argument" in text
    assert "`LARGE` is a global list: pass it as an argument" in text
    assert "`executor` is a global Executor, which belongs to this kernel" in text
    assert "`never_defined` is not defined" in text


def test_a_dataframe_is_to_be_an_argument(monkeypatch):
    pandas = pytest.importorskip("pandas")
    monkeypatch.setitem(globals(), "DATA", pandas.DataFrame({"a": [1]}))
    with pytest.raises(UsageError, match="`DATA` is a global DataFrame: pass it as an argument"):
        pack(needs_data)


def with_closure(rate):
    def inner(x):
        return x * rate

    return inner


def generator():
    yield 1


class Model:
    def train(self):
        return 1


class Called:
    def __call__(self) -> int:
        return 1


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (lambda x: x, "A lambda cannot be sent"),
        (with_closure(2), r"'inner' uses `rate` of the function around it.*pass it as an argument"),
        (Model().train, "'Model.train' is a method, whose object stays here"),
        (Model, "'Model' is a class: define a function that makes"),
        (Called(), "An object of class 'Called' cannot be sent"),
        (len, "'len' is not written in Python: define a function with `def` that calls it"),
        (functools.partial(plain, 1), "submit its function, with the arguments"),
        (generator, "'generator' is a generator: return a list"),
    ],
)
def test_what_is_no_plain_function_is_refused(function, sentence):
    with pytest.raises(UsageError, match=sentence):
        pack(function)


def test_a_function_without_source_is_refused():
    scope = {}
    exec("def made(): pass", scope)
    with pytest.raises(UsageError, match="The source of 'made' is not available: define it in a cell of its own"):
        pack(scope["made"])


def test_generated_code_is_not_the_text_of_the_command_line(monkeypatch):
    # Since Python 3.13 linecache has the text of `python -c` under the name that generated code has.
    text = "def made(): return 'another'\n"
    monkeypatch.setitem(linecache.cache, "<string>", (len(text), None, [text], "<string>"))
    scope = {}
    exec("def made(): return 1", scope)
    with pytest.raises(UsageError, match="The source of 'made' is not available"):
        pack(scope["made"])


def test_a_file_that_has_changed_is_refused(tmp_path, monkeypatch):
    file = tmp_path / "changing_module.py"
    file.write_text("def f():\n    return 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    import changing_module

    assert "\n\n\ndef f():\n    return 1\n" in code_of(changing_module.f)
    file.write_text("# a comment\n\n\ndef f():\n    return 1\n")
    with pytest.raises(UsageError, match=r"The source of 'f' in changing_module.py has changed"):
        pack(changing_module.f)


def fails(value):
    text = f"{value}"
    raise ValueError(text)


def test_tracebacks_name_the_file_and_the_line():
    packed = pack(fails)
    function = define(receive("fails", packed.env), {})
    with pytest.raises(ValueError, match="1") as raised:
        function(1)
    frame = raised.traceback[-1]
    assert (str(frame.path), frame.lineno) == ("test_packing.py", inspect.getsourcelines(fails)[1] + 1)
    assert ORIGIN in packed.env
