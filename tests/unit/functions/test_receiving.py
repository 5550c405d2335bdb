"""Code of callers, as it is read from a spec and compiled."""

from __future__ import annotations

import base64
import linecache

import msgspec
import pytest

from colony_jupyter.errors import UsageError
from colony_jupyter.functions.packing import CODE, ORIGIN, Origin, Segment
from colony_jupyter.functions.receiving import carries_code, define, receive, register_lines


def env(text, origin=None):
    found = {CODE: base64.b64encode(text.encode()).decode()}
    return found if origin is None else {**found, ORIGIN: msgspec.json.encode(origin).decode()}


def test_code_of_pycolonies_has_its_name_for_a_file():
    received = receive("f", env("def f():\n    return 1\n"))
    assert define(received, {})() == 1
    assert received.segments[0].place == "f.py"
    assert not carries_code({})


@pytest.mark.parametrize("variables", [{}, {CODE: "?"}, {CODE: base64.b64encode(b"\xff").decode()}])
def test_what_is_no_code_is_refused(variables):
    with pytest.raises(UsageError, match="is not UTF-8 text in base64"):
        receive("f", variables)


@pytest.mark.parametrize("origin", ["", "[]", "{", '{"python": 3}'])
def test_an_origin_that_cannot_be_read_is_left_out(origin):
    received = receive("f", {**env("def f():\n    return 1\n"), ORIGIN: origin})
    assert define(received, {})() == 1


def test_code_that_does_not_define_the_function_is_refused():
    with pytest.raises(UsageError, match="does not define 'f'"):
        define(receive("f", env("x = 1")), {})


@pytest.mark.parametrize(
    ("text", "place", "line"),
    [
        ("import os\n\n\ndef f():\n    return 1 +\n", "Cell In[7]", 11),
        ("import os\n\n\ndef f() -> 1 +:\n    return 1\n", "Cell In[7]", 10),
        ("import os +\n\n\ndef f():\n    return 1\n", "f.py", 1),
        ("import os\n\n\ndef f():\n    return 1\nx = 1 +\n", "f.py", 6),
    ],
    ids=["last line of the cell", "first line of the cell", "a line before it", "a line after it"],
)
def test_a_syntax_error_names_the_cell_and_its_line(text, place, line):
    origin = Origin("3.14", 6, [Segment(4, 2, "Cell In[7]", 10)])
    with pytest.raises(SyntaxError) as raised:
        define(receive("f", env(text, origin)), {})
    assert (raised.value.filename, raised.value.lineno) == (place, line)


def test_annotations_are_evaluated_unless_the_code_states_otherwise():
    text = "from os import path\ndef f(x: Unknown):\n    return 1\n"
    assert define(receive("f", env(f"from __future__ import annotations\n{text}")), {})(0) == 1
    with pytest.raises(NameError, match="Unknown"):
        define(receive("f", env(text)), {})


def test_lines_are_known_by_their_cell_and_number():
    text = "import os\n\n\ndef f():\n    return 1\n"
    register_lines(receive("f", env(text, Origin("3.14", 5, [Segment(4, 2, "Cell In[7]", 10)]))))
    try:
        assert linecache.getline("Cell In[7]", 11) == "    return 1\n"
        assert linecache.getline("Cell In[7]", 3) == "\n"
    finally:
        del linecache.cache["Cell In[7]"]
