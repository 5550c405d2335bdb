"""The names that docstrings, messages and pages mention can be imported from the package."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import colony_jupyter
from colony_jupyter import errors
from colony_jupyter.executor import context, executor
from colony_jupyter.wire import identity, models

ROOT = Path(colony_jupyter.__file__).parent


def test_every_error_is_public():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ColonyError)]
    assert [kind.__name__ for kind in kinds if getattr(colony_jupyter, kind.__name__, None) is not kind] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PrivateKey", identity.PrivateKey),
        ("Context", context.Context),
        ("ThreadContext", context.ThreadContext),
        ("Conditions", models.Conditions),
        ("Gpu", models.Gpu),
        ("Executor", executor.Executor),
    ],
)
def test_a_value_that_users_make_is_public(name, value):
    assert getattr(colony_jupyter, name) is value
    assert name in colony_jupyter.__all__


def texts():
    """Texts in the source of the package, and pages."""
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
    for folder in (".", "docs", "notebooks"):
        yield from (path.read_text("utf-8") for path in (ROOT.parent / folder).glob("*.md"))


def test_every_mentioned_name_can_be_imported():
    mentioned = {
        name
        for text in texts()
        for either in re.findall(r"(?<![\w.])(?:cj\.([A-Za-z]\w*)|colony_jupyter\.([A-Z]\w*))", text)
        for name in either
        if name
    }
    assert {"Executor", "Colony", "remote"} <= mentioned
    assert sorted(name for name in mentioned if not hasattr(colony_jupyter, name)) == []


def public_docstrings():
    """Docstrings of all public names and of their members."""
    for name in colony_jupyter.__all__:
        value = getattr(colony_jupyter, name)
        for member in [value, *vars(value).values()] if isinstance(value, type) else [value]:
            yield getattr(member, "__doc__", None) or ""


def test_every_class_that_a_public_docstring_names_can_be_imported():
    named = {
        name for text in public_docstrings() for name in re.findall(r"(?<!`)`([A-Z]\w*)(?:[.(][^`]*)?`(?!`)", text)
    }
    assert {"AsyncColony", "MimeBundle"} <= named
    assert sorted(name for name in named if not hasattr(colony_jupyter, name)) == []


def test_every_exception_that_a_public_docstring_promises_can_be_imported():
    promised = set()
    for text in public_docstrings():
        section = text.partition("Raises:")[2]
        promised |= {
            each for line in re.findall(r"^\s+([A-Z][\w, ]+):", section, re.MULTILINE) for each in line.split(", ")
        }
    assert {"WaitTimeout", "UsageError"} <= promised
    builtin = {"TypeError", "ValueError", "KeyError"}
    assert sorted(name for name in promised - builtin if not hasattr(colony_jupyter, name)) == []
