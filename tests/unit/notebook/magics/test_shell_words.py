"""How lines are read: shell words, JSON values, variables as whole words."""

from __future__ import annotations

import json
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


@given(st.text(alphabet="+, '\"\\$\t", max_size=20))  # a backslash before a letter is not the shell's
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
def test_an_open_quote_is_reported(line):
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
        ("007", "007"),
        ("True", True),
        ("False", False),
        ("None", None),
        ("'True'", "True"),
        ('{"lr": 0.1}', {"lr": 0.1}),
        ('["a", "b c"]', ["a", "b c"]),
        ("""{"it's": "}] \\" {"}""", {"it's": '}] " {'}),
        ("[]", []),
        (r"D:\data\new.csv", r"D:\data\new.csv"),
        (r"..\_x\1", r"..\_x\1"),
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


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4, alphabet="a '\"{[\\"), inner),
    max_leaves=6,
)
CONTAINER = st.lists(JSON, max_size=3) | st.dictionaries(st.text(max_size=4, alphabet="b \"'"), JSON, max_size=3)


@given(CONTAINER, st.sampled_from([None, 1]), st.booleans())
def test_json_is_one_word_whatever_is_in_it(data, indent, ascii_only):
    written = json.dumps(data, indent=indent, ensure_ascii=ascii_only)
    first, word, last = split(f"f  {written} 'x y'")
    assert (first, word, last) == ("f", written, "x y")
    assert value(word, {}) == data
    assert split(f"f --kw a={written} b=2") == ["f", "--kw", f"a={written}", "b=2"]
    assert split(f"f --kw docker-image={written}") == ["f", "--kw", f"docker-image={written}"]


@given(st.lists(st.text(alphabet="abZé09._", min_size=1, max_size=4), min_size=2, max_size=5))
def test_backslashes_of_a_path_remain(parts):
    path = "\\".join(parts)
    assert split(path) == [path]


@given(st.text(alphabet='{}[]":, 1', max_size=12), st.sampled_from("{["))
def test_a_word_that_begins_as_json_is_json_or_an_error(rest, opening):
    line = opening + rest
    try:
        words = split(line)
    except UsageError:
        return
    assert words[0].startswith(opening)
    assert isinstance(value(words[0], {}), list | dict)


@pytest.mark.parametrize(
    ("line", "position"),
    [
        ('{"lr" 0.1}', 7),
        ("{'lr': 0.1}", 2),
        ("[1, 2", 6),
        ('{"a": 1}x', 9),
        ("[a-z]*.csv", 2),
        ("[1, NaN]", 5),
        ("[1, -Infinity]", 5),
        (r'["\ud800"]', 1),
        ("[" * 100_000, 1),
        ('{"a": True}', 7),
    ],
)
def test_malformed_json_is_an_error_that_marks_the_position(line, position):
    with pytest.raises(UsageError, match=f"at character {position}, marked ▸: .*single quotes") as caught:
        split(f"f {line}")
    before, _, after = str(caught.value).partition("marked ▸: ")[2].partition("▸")
    assert line[position - 1 :].startswith(after.partition(" (")[0].removesuffix("…"))
    assert line[: position - 1].endswith(before.removeprefix("…"))


def test_a_value_that_is_text_needs_no_quotes():
    assert split("--label [nightly]", text_follows=lambda option: option == "--label") == ["--label", "[nightly]"]
    assert split("a={b c=[d") == ["a={b", "c=[d"]


def test_a_constant_of_python_gives_a_note():
    notes: list[str] = []
    assert value(split("None")[0], {}, note=notes.append) is None
    assert value(split("none")[0], {}, note=notes.append) == "none"
    assert notes == ["None was passed as the JSON value null, not as text. Write 'None' in quotes for text."]
