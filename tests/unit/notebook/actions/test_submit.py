"""Function specs in JSON, and KEY=VALUE words."""

from __future__ import annotations

import pytest

from colony_jupyter.errors import InvalidSpec, UsageError
from colony_jupyter.notebook.actions.submit import named_values, pairs, spec_of_json
from colony_jupyter.notebook.magics.shell_words import split


def test_a_spec_as_the_command_line_takes_it():
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
        ("[]", "must be a JSON object"),
        ('{"funcname": 1}', r"not as it must be.*funcname"),
        ('{"funcname": "f", "chanels": []}', "no field 'chanels'. Did you mean 'channels'"),
        ('{"conditions": {"executortyp": "x"}}', "Did you mean 'executortype'"),
    ],
)
def test_a_wrong_spec_says_where(text, sentence):
    with pytest.raises(InvalidSpec, match=sentence):
        spec_of_json(text)


def test_named_values():
    assert named_values(["a=1", "b=x=y", "c="], "--kw", {}) == {"a": 1, "b": "x=y", "c": ""}
    assert named_values(["data=$d"], "--kw", {"d": [1]}) == {"data": [1]}
    assert named_values(None, "--kw", {}) == {}


@pytest.mark.parametrize("word", ["a", "=1"])
def test_a_pair_needs_its_equals_sign(word):
    with pytest.raises(UsageError, match="--env takes KEY=VALUE"):
        pairs([word], "--env")


def test_a_quoted_variable_is_text():
    (quoted,), (plain,) = split("'a=$d'"), split("a=$d")
    assert named_values([quoted], "--kw", {"d": 1}) == {"a": "$d"}
    assert named_values([plain], "--kw", {"d": 1}) == {"a": 1}
