"""Function specs in JSON, and KEY=VALUE words."""

from __future__ import annotations

import pytest

from colony_jupyter.errors import InvalidSpec, UsageError
from colony_jupyter.notebook.actions.submit import container_spec, named_values, pairs, spec_of_json
from colony_jupyter.notebook.magics.shell_words import split
from colony_jupyter.wire.models import Conditions, Gpu


def test_a_spec_as_the_command_line_reads_it():
    spec = spec_of_json(
        '{"conditions": {"executortype": "cli", "executornames": ["a"]}, "FuncName": "echo", "args": ["hi", 1],'
        ' "kwargs": {"x": {"y": null}}, "channels": ["log"], "env": null, "nonsense": 1}'
    )
    assert (spec.funcname, spec.args, spec.kwargs, spec.channels) == ("echo", ["hi", 1], {"x": {"y": None}}, ["log"])
    assert (spec.conditions.executortype, spec.conditions.executornames) == ("cli", ["a"])


def test_what_is_left_out_is_safe():
    """Trap 1: an absent maxexectime must not become 0."""
    spec = spec_of_json('{"funcname": "echo", "maxwaittime": null}')
    assert (spec.maxexectime, spec.maxwaittime, spec.env) == (-1, -1, {})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is no JSON"),
        (" \n", "The cell is empty: write the function spec, in JSON, below the line with the magic"),
        (
            '{\n  "funcname": "f"\n  "args": [1, 2]\n}',
            "no JSON: Expecting ',' delimiter in line 3 of the cell's text, at character 3, marked ▸:   ▸.args",
        ),
        ("[" * 100_000, "nested too deeply"),
        ("1", "must be a JSON object"),
        ("[]", "holds a list: `%%colony workflow` submits"),
        ('{"funcname": 1}', r"not as it must be.*funcname"),
        ('{"funcname": "f", "chanels": []}', "no field 'chanels'. Did you mean 'channels'"),
        ('{"conditions": {"executortyp": "x"}}', "Did you mean 'executortype'"),
        ('{"fs": []}', 'fs is a list, the form of earlier versions of ColonyOS.*"fs": {"mount":"/cfs","dirs":'),
    ],
)
def test_the_error_of_a_wrong_spec_states_where(text, sentence):
    with pytest.raises(InvalidSpec, match=sentence):
        spec_of_json(text)


def test_named_values():
    assert named_values(["a=1", "b=x=y", "c="], "--kw", {}) == {"a": 1, "b": "x=y", "c": ""}
    assert named_values(["data=$d"], "--kw", {"d": [1]}) == {"data": [1]}
    assert named_values(None, "--kw", {}) == {}


def test_a_key_that_is_given_twice_is_refused():
    with pytest.raises(UsageError, match="--kw has 'a' twice"):
        named_values(["a=1", "b=2", "a=3"], "--kw", {})


@pytest.mark.parametrize("word", ["a", "=1"])
def test_a_pair_needs_its_equals_sign(word):
    with pytest.raises(UsageError, match="--env needs KEY=VALUE"):
        pairs([word], "--env")


def test_a_quoted_variable_is_text():
    (quoted,), (plain,) = split("'a=$d'"), split("a=$d")
    assert named_values([quoted], "--kw", {"d": 1}) == {"a": "$d"}
    assert named_values([plain], "--kw", {"d": 1}) == {"a": 1}


def test_chosen_conditions_replace_those_of_a_spec():
    text = '{"funcname": "f", "conditions": {"cpu": "100m", "mem": "1Gi", "gpu": {"name": "A100", "count": 1}}}'
    conditions = spec_of_json(text, Conditions(cpu="2000m", gpu=Gpu(count=4))).conditions
    assert (conditions.cpu, conditions.mem, conditions.gpu) == ("2000m", "1Gi", Gpu(name="A100", count=4))


@pytest.mark.parametrize(
    ("chosen", "given", "times"),
    [
        (None, {}, (3600, 3600)),
        (Conditions(walltime=60), {}, (60, 60)),
        (None, {"maxexectime": 90}, (90, 90)),
        (Conditions(walltime=600), {"maxexectime": 90}, (90, 600)),
        (None, {"maxexectime": -1}, (-1, 3600)),
    ],
)
def test_the_times_of_a_container_fit_together(chosen, given, times):
    spec = container_spec("ubuntu", "true", rebuild=False, chosen=chosen, given=given)
    assert (spec.maxexectime, spec.conditions.walltime) == times
