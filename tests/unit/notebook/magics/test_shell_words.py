"""How lines are read: shell words, JSON values, variables as whole words."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colony_jupyter.errors import UsageError
from colony_jupyter.notebook.magics.shell_words import split, value, variable


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        ("  a   b\t c ", ["a", "b", "c"]),
        ("'a b' c", ["a b", "c"]),
        ('"a b"c', ["a bc"]),
        (r"a\ b", ["a b"]),
        ("''", [""]),
        (r'"\"x\" \n"', [r'"x" \n']),
        (r"'\n'", [r"\n"]),
        ("$5 {x}y", ["$5", "{x}y"]),
        ("""'{"a": [1, "b c"]}'""", ['{"a": [1, "b c"]}']),
        ("a # b", ["a", "#", "b"]),
    ],
)
def test_words(line, words):
    assert split(line) == words


@given(st.text(alphabet="ab '\"\\$\t", max_size=20))
def test_words_are_the_shells(line):
    try:
        expected = shlex.split(line)
    except ValueError:
        with pytest.raises(UsageError):
            split(line)
        return
    # A backslash before a dollar within double quotes: the shell takes it away, shlex does not.
    if "\\$" not in line:
        assert split(line) == expected


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=5))
def test_what_is_quoted_comes_back(words):
    assert split(shlex.join(words)) == words


@pytest.mark.parametrize("line", ["'a", 'x "b', "\\"])
def test_an_open_quote_is_said(line):
    with pytest.raises(UsageError, match=r"not closed|backslash"):
        split(line)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("10", 10),
        ("1.5", 1.5),
        ("true", True),
        ("null", None),
        ("""'"10"'""", "10"),
        ("ten", "ten"),
        ("NaN", "NaN"),
        ("01", "01"),
        ("""'{"a": [1]}'""", {"a": [1]}),
        ("$data", [1, 2]),
        ("{data}", [1, 2]),
        ("'$data'", "$data"),
        (r"\$data", "$data"),
        ("$5", "$5"),
        ("x$data", "x$data"),
        ("{data}x", "{data}x"),
        ("{}", {}),
    ],
)
def test_values(line, expected):
    (word,) = split(line)
    found = value(word, {"data": [1, 2]})
    assert found == expected
    assert type(found) is type(expected)


def test_a_variable_is_passed_as_the_object_itself():
    data = object()
    assert value(split("$data")[0], {"data": data}) is data


def test_an_unknown_variable_suggests_the_nearest():
    with pytest.raises(UsageError, match=r"no variable 'dat' .* Did you mean 'data'\? .* in quotes"):
        value(split("$dat")[0], {"data": 1, "_dat": 2})


def test_a_part_of_a_word_is_no_variable():
    assert variable(split("a=$b")[0]) is None
    assert variable(split("$b")[0]) == "b"
