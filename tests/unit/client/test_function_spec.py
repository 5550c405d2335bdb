from __future__ import annotations

import math

import pytest

from colony_jupyter.client.function_spec import check_name, check_workflow, make_spec
from colony_jupyter.errors import InvalidSpec
from colony_jupyter.wire.models import Conditions, FunctionSpec, WorkflowSpec


def make(function="f", *args, kwargs=None, channels=(), executortype="t", executornames=(), **options):
    return make_spec(
        function,
        args,
        kwargs=kwargs,
        channels=channels,
        executortype=executortype,
        executornames=executornames,
        colonyname="dev",
        options=options,
    )


def test_times_without_a_limit_are_said_to_the_server():
    spec = make("f", 1, "two", kwargs={"three": [3]})
    assert (spec.maxexectime, spec.maxwaittime, spec.maxretries) == (-1, -1, 0)
    assert (spec.args, spec.kwargs, spec.conditions.colonyname) == ([1, "two"], {"three": [3]}, "dev")


def test_a_running_time_of_nothing_becomes_no_limit_with_a_warning():
    with pytest.warns(UserWarning, match="maxexectime=0"):
        assert make(maxexectime=0).maxexectime == -1


def test_a_whole_spec_is_added_to_and_not_changed():
    given = FunctionSpec(funcname="f", args=[1], channels=["a"], label="mine")
    spec = make(given, 2, channels=["a", "b"], priority=3)
    assert (spec.args, spec.channels, spec.label, spec.priority) == ([1, 2], ["a", "b"], "mine", 3)
    assert given == FunctionSpec(funcname="f", args=[1], channels=["a"], label="mine")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"function": ""}, "name is missing"),
        ({"priority": 50_001}, "priority is 50001"),
        ({"channels": [str(n) for n in range(101)]}, "at most 100"),
        ({"executornames": ["*"]}, "matches no executor"),
        ({"maxwaittime": 1.5}, "maxwaittime is 1.5"),
        ({"kwargs": {"x": object()}}, r'kwargs\["x"\] is an object, which has no JSON form'),
    ],
)
def test_what_could_never_run_is_refused(options, words):
    with pytest.raises(InvalidSpec, match=words):
        make(**options)


def test_not_a_number_is_sent_as_null_with_a_warning():
    with pytest.warns(UserWarning, match="args: 2 numbers are NaN or infinite"):
        assert make("f", math.nan, [math.inf, 1]).args == [None, [None, 1]]


def test_a_large_integer_is_refused_since_a_server_changes_it():
    with pytest.raises(InvalidSpec, match=r"args\[0\]\[1\] is an integer beyond"):
        make("f", [1, 2**53 + 1])


def test_an_unknown_option_names_those_there_are():
    with pytest.raises(TypeError, match="maxexectime"):
        make(maxexcetime=3)


def node(name, *needs):
    return FunctionSpec(funcname="f", nodename=name, conditions=Conditions(dependencies=list(needs)))


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ([node("")], "has no nodename"),
        ([node("a"), node("a")], "named 'a'"),
        ([node("a", "b")], "depends on 'b'"),
        ([node("r"), node("a", "b"), node("b", "a")], "in a circle.*a, b"),
    ],
)
def test_a_workflow_that_would_ruin_lists_or_never_start_is_refused(nodes, words):
    with pytest.raises(InvalidSpec, match=words):
        check_workflow(WorkflowSpec(functionspecs=nodes))


def test_a_workflow_in_any_order_is_fine():
    check_workflow(WorkflowSpec(functionspecs=[node("c", "a", "b"), node("b", "a"), node("a")]))


@pytest.mark.parametrize("name", ["", "a:b"])
def test_names_that_ruin_lists_are_refused(name):
    with pytest.raises(InvalidSpec, match="colon"):
        check_name(name, "an executor")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"channels": "progress"}, r"channels is the single text 'progress': use a list, channels=\['progress'\]"),
        ({"executornames": "one"}, "executornames is the single text 'one'"),
        ({"channels": ["a", 3]}, r"channels is \['a', 3\]: a list of texts is needed"),
        ({"priority": "high"}, "priority is 'high': a whole number is needed"),
        ({"priority": 1.5}, "priority is 1.5: a whole number is needed"),
        ({"label": 3}, "label is 3: a text is needed"),
        ({"maxwaittime": 1.5}, "maxwaittime is 1.5: whole numbers are needed"),
        ({"env": {"A": 1}}, "env holds a name or a value that is not a text"),
    ],
)
def test_a_value_of_the_wrong_type_is_named(given, sentence):
    with pytest.raises(InvalidSpec, match=sentence):
        make(**given)


def test_a_bare_text_in_a_whole_spec_is_named():
    with pytest.raises(InvalidSpec, match="channels is the single text 'progress'"):
        make(FunctionSpec(funcname="f", channels="progress"))
