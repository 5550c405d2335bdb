"""JSON in the line of a magic: where it ends, and what is wrong with it."""

from __future__ import annotations

import json

import pytest

from colony_jupyter.errors import UsageError
from colony_jupyter.notebook.magics.json_words import json_end


@pytest.mark.parametrize(
    ("line", "start", "word"),
    [
        ('{"lr": 0.1} ["a"]', 0, '{"lr": 0.1}'),
        ('show {"a b": "}"} x', 5, '{"a b": "}"}'),
        ('["a", "b"]', 0, '["a", "b"]'),
        ("[1, 2]\tx", 0, "[1, 2]"),
        ('{"ü": "\\u00fc"}', 0, '{"ü": "\\u00fc"}'),
    ],
)
def test_where_it_ends(line, start, word):
    end = json_end(line, start)
    assert line[start:end] == word
    json.loads(word)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{lr: 0.1}", "character 2, marked ▸: {▸lr: 0.1}"),
        ('{"a": 1', "Expecting ',' delimiter"),
        ("[1, 2]x", "Unexpected character after the end"),
        ("[NaN]", "JSON has no NaN or infinity"),
        ("[-Infinity]", "JSON has no NaN or infinity"),
        ('["\\ud800"]', "not valid Unicode"),
        ("[" * 100_000, "Nested too deeply"),
        ('{"' + "a" * 100 + '": x}', "…"),
    ],
)
def test_a_mistake_is_marked(line, problem):
    with pytest.raises(UsageError) as caught:
        json_end(line, 0)
    assert problem in str(caught.value)
    assert "put single quotes around the word" in str(caught.value)
