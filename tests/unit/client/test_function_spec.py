from __future__ import annotations

import math

import numpy as np
import pytest

from colony_jupyter.client.function_spec import check_name, make_spec
from colony_jupyter.errors import InvalidSpec
from colony_jupyter.wire.models import Conditions, FunctionSpec, Gpu


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


def test_times_without_a_limit_are_sent_to_the_server():
    spec = make("f", 1, "two", kwargs={"three": [3]})
    assert (spec.maxexectime, spec.maxwaittime, spec.maxretries) == (-1, -1, 0)
    assert (spec.args, spec.kwargs, spec.conditions.colonyname) == ([1, "two"], {"three": [3]}, "dev")


def test_a_running_time_of_nothing_becomes_no_limit_with_a_warning():
    with pytest.warns(UserWarning, match="maxexectime=0"):
        assert make(maxexectime=0).maxexectime == -1


def test_what_a_server_ignores_is_warned_of_once():
    with pytest.warns(UserWarning, match=r"gpu\.nodecount is not stored by a server") as caught:
        make(conditions=Conditions(gpu=Gpu(count=1, nodecount=2)))
    assert len(caught) == 1


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
        ({"priority": True}, "priority is True: a whole number is needed"),
        ({"channels": None}, "channels is None: a list of texts is needed"),
        ({"kwargs": [1]}, r"kwargs is \[1\]: a dict of values by their names is needed"),
        ({"env": ["A"]}, r"env is \['A'\]: a dict is needed, as env=\{'NAME': 'value'\}"),
        ({"maxexectime": 2**31}, "maxexectime is 2147483648: it must not be more than 2,147,483,647"),
        ({"maxexectime": -2}, "maxexectime is -2: use -1 for no limit"),
        ({"maxwaittime": -60}, "maxwaittime is -60: use -1 for no limit"),
        ({"function": None}, "The function is of type NoneType: its name, a cj.FunctionSpec or a Python function"),
        ({"function": {"funcname": "f"}}, r"type dict: .*cj.FunctionSpec\(\*\*spec\)"),
        ({"function": [FunctionSpec(funcname="f")]}, r"type list: .*cj.Workflow.of\(specs\)"),
        ({"function": FunctionSpec(funcname="f", args="abc")}, "args is 'abc': a list of values is needed"),
        ({"label": 3}, "label is 3: a text is needed"),
        ({"maxwaittime": 1.5}, "maxwaittime is 1.5: a whole number of seconds is needed"),
        ({"label": "a\0b"}, r"label has the character '\\x00', which no server can store: leave it out"),
        ({"channels": ["a", "caf\udce9"]}, r"channels\[1\] has the character '\\udce9'"),
        ({"executortype": "a\0"}, r"executortype has the character '\\x00'"),
        (
            {"env": {"A": "\0secret"}},
            r"^env\['A'\] has the character '\\x00', which no server can store: leave it out\.$",
        ),
        ({"env": {"A\0": "b"}}, r"a name in env has the character '\\x00'"),
        ({"env": {"A": 1}}, r"env\['A'\] is 1: the variables of an executor are texts, as env=\{'A': '1'\}"),
    ],
)
def test_a_value_of_the_wrong_type_is_named(given, sentence):
    with pytest.raises(InvalidSpec, match=sentence):
        make(**given)


def test_whole_numbers_of_numpy_are_numbers():
    spec = make("f", priority=np.int64(3), maxexectime=np.uint8(60), conditions=Conditions(nodes=np.int32(2)))
    assert [type(each) for each in (spec.priority, spec.maxexectime, spec.conditions.nodes)] == [int, int, int]
    assert (spec.priority, spec.maxexectime, spec.conditions.nodes) == (3, 60, 2)


def test_a_bare_text_in_a_whole_spec_is_named():
    with pytest.raises(InvalidSpec, match="channels is the single text 'progress'"):
        make(FunctionSpec(funcname="f", channels="progress"))
