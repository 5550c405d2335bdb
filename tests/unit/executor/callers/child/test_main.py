"""The process of a caller's function: what the function is called with, and what is reported of its end."""

from __future__ import annotations

import sys

import msgspec
import pytest

from colony_jupyter.executor.callers.child import main as child_main
from colony_jupyter.executor.callers.protocol import Raised, Returned, Start
from colony_jupyter.functions.packing import pack
from colony_jupyter.functions.receiving import receive
from colony_jupyter.wire.models import Conditions, FunctionSpec, ProcessRecord


@pytest.fixture(autouse=True)
def main_module(monkeypatch):
    """Put the module back that the function's code takes the place of."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


def run(function, *args, kwargs=None, inputs=(), **changed):
    """Run a function as its process does, but here; return its last message."""
    packed = pack(function)
    received = receive(packed.funcname, packed.env)
    conditions = Conditions(colonyname="dev", executortype="t")
    spec = FunctionSpec(funcname=packed.funcname, args=list(args), kwargs=kwargs or {}, conditions=conditions)
    record = ProcessRecord(processid="a" * 64, spec=spec, input=list(inputs), assignedexecutorid="e" * 64)
    start = Start(received.funcname, received.text, list(received.segments), received.python, record, "ex", "type")
    for name, value in changed.items():
        setattr(start, name, value)
    return child_main._run(start, None)  # type: ignore[arg-type]  # these functions call nothing


def output(*args, **options):
    last = run(*args, **options)
    assert isinstance(last, Returned), last
    return msgspec.json.decode(last.output)


def errors(*args, **options):
    last = run(*args, **options)
    assert isinstance(last, Raised)
    return last.errors


def give(*values, **named):
    return [list(values), named]


def test_a_function_is_called_with_the_arguments_of_the_spec():
    assert output(give, 1, [2], kwargs={"a": None}) == [[[1, [2]], {"a": None}]]


@pytest.mark.parametrize(
    ("value", "expected"), [(None, []), (5, [5]), ([1, 2], [[1, 2]]), ((1, [2]), [1, [2]]), ((), [])]
)
def test_members_of_a_tuple_are_the_outputs(value, expected):
    literal = repr(value)

    def returns(text):
        import ast

        return ast.literal_eval(text)

    assert output(returns, literal) == expected


def test_without_arguments_it_gets_the_outputs_of_its_parents():
    assert output(give, inputs=[3, 4]) == [[[3, 4], {}]]
    assert output(give, 1, inputs=[3, 4]) == [[[1], {}]]


def test_a_function_written_for_colonyos_gets_its_context_and_the_outputs_of_its_parents():
    def classic(value, ctx={}):  # noqa: B006 - as ColonyOS's examples have it
        return [value, ctx["colonyname"], ctx["executorid"], ctx["process"].processid]

    assert output(classic, 1, inputs=[3]) == [[3, "dev", "e" * 64, "a" * 64]]
    assert output(classic, 1) == [[1, "dev", "e" * 64, "a" * 64]]


def test_a_function_with_a_context_is_handed_one():
    def plain(context, value):
        return [value, context.process.processid, type(context).__name__]

    async def asynchronous(context, value):
        return [value, context.process.processid, type(context).__name__]

    assert output(plain, 1) == [[1, "a" * 64, "ChildContext"]]
    assert output(asynchronous, 1) == [[1, "a" * 64, "AsyncChildContext"]]


def test_arguments_that_do_not_fit_are_one_sentence():
    def adds(a, b):
        return a + b

    assert errors(adds, 1) == [
        "The arguments do not fit: missing a required argument: 'b'. The function is adds(a, b)."
    ]


def test_an_exception_is_reported_with_the_users_lines_also_one_that_ends_interpreters():
    def fails():
        raise ValueError("no luck")

    def leaves():
        raise SystemExit(3)

    message, trace = errors(fails)
    assert message == "ValueError: no luck"
    assert trace.endswith('in fails: raise ValueError("no luck")')
    assert errors(leaves)[0] == "SystemExit: 3"


def test_a_missing_module_names_the_executor_its_type_and_its_python():
    def needs():
        import a_module_that_is_missing

        return a_module_that_is_missing

    message = errors(needs)[0]
    assert "Executor 'ex' (type 'type') has Python " in message
    assert "without this module: install it there, or submit to another executor." in message


def test_code_that_this_python_cannot_read_names_both_versions():
    message = errors(give, text="def give(: pass", python="3.99.0")[0]
    assert message.startswith("SyntaxError")
    assert message.endswith("and the function was written with Python 3.99.0.")
    assert "was written with" not in errors(give, text="def give(: pass", python="")[0]


def test_a_value_without_a_json_form_is_an_error_and_changed_numbers_are_noted():
    def returns_an_object():
        return object()

    assert errors(returns_an_object)[0].startswith("result is an object, which has no JSON form")

    def returns_nan_only():
        return float("nan")

    last = run(returns_nan_only)
    assert msgspec.json.decode(last.output) == [None]
    assert "NaN" in last.notes[0]


def test_names_of_the_code_are_found_in_main():
    def pickles():
        import pickle

        return pickle.loads(pickle.dumps(helper)) is helper

    assert output(pickles) == [True]


def helper():
    return 1
