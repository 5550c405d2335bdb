"""The pages of reference: up to date, complete, and what a docstring becomes."""

from __future__ import annotations

import re

import pytest

import colony_jupyter
from colony_jupyter.notebook.magics import commands
from tools import reference

HOW = "`make docs` makes it anew"


@pytest.fixture(scope="module")
def pages():
    return reference.pages()


def test_each_page_is_up_to_date(pages):
    assert [path.name for path, text in pages.items() if path.read_text("utf-8") != text] == [], HOW


def test_no_page_cites_what_its_readers_do_not_have(pages):
    assert re.findall(r".*(?:\btraps?\s\d|docs/\w+\.md).*", "\n".join(pages.values())) == []


def test_every_public_name_has_its_heading():
    headings = set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^### .*$", reference.api(), flags=re.MULTILINE))))
    assert set(colony_jupyter.__all__) - headings == set()
    assert headings - set(colony_jupyter.__all__) == set()


def test_every_magic_and_command_has_its_heading():
    headings = re.findall(r"^##+ `(.*)`$", reference.magics(), flags=re.MULTILINE)
    typed = {f"%colony {name}" for name in commands.LINES} | {f"%%colony {name}" for name in commands.CELLS}
    typed |= {"%colony", "%%colony_chat"}
    shell = {f"colony-jupyter {name}" for name in ("demo", "serve", "lab", "executor", "kernel", "doctor")}
    shell |= {f"colony-jupyter kernel {name}" for name in ("serve", "install", "list", "attach", "stop")}
    assert typed | shell == set(headings)


def test_every_option_of_a_magic_is_listed():
    page = reference.magics()
    for command in [*commands.LINES.values(), *commands.CELLS.values(), commands.CHAT]:
        assert [option for option in command.options if option not in page] == []


def test_every_method_is_described():
    parts = re.split(r"^#### ", reference.api(), flags=re.MULTILINE)[1:]
    assert len(parts) > 100
    texts = {part.splitlines()[0]: re.sub(r"```python.*?```", "", part, flags=re.DOTALL) for part in parts}
    assert [name for name, text in texts.items() if len(text.split("\n", 1)[1].strip()) < 10] == []


def test_sections_of_a_docstring_become_lists():
    doc = """Does ``this``.

Args:
    one, two: first
        and more.
    three: last.

Raises:
    Some: why."""
    assert (
        "\n".join(reference.markdown(doc))
        == """Does `this`.

*Arguments*

* `one`, `two`: first
  and more.
* `three`: last.

*Raises*

* `Some`: why.
"""
    )


def test_arguments_of_what_users_do_not_make_are_left_out():
    page = reference.api()
    head = {name: page.split(f"### `{name}`", 1)[1].split("\n###", 1)[0] for name in ("Colony", "Stream", "Channel")}
    assert {name for name, text in head.items() if "*Arguments*" in text} == {"Colony"}


class Some:
    def __init__(self, one: int, *, two: str = "x") -> None: ...

    def method(self, one: int, /, two: str = "x", *rest: int, three: bool = False, **more: object) -> list[int]: ...

    def long(self, a_parameter: dict[str, int], another_parameter: dict[str, int], the_last_parameter: str) -> None: ...


def test_signatures():
    assert reference.signature("Some", Some) == "Some(one: int, *, two: str = 'x')"
    assert reference.signature("method", Some.method) == (
        "method(one: int, /, two: str = 'x', *rest: int, three: bool = False, **more: object) -> list[int]"
    )
    assert reference.signature("long", Some.long).splitlines() == [
        "long(",
        "    a_parameter: dict[str, int],",
        "    another_parameter: dict[str, int],",
        "    the_last_parameter: str,",
        ") -> None",
    ]
