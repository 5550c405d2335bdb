"""No loop iterates over a collection that other tasks can change while the loop awaits.

Such a loop raises "changed size during iteration" when a task adds or removes an element meanwhile. It has to iterate
over a copy: ``for writer in list(self.writers.values())``.
"""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "colony_jupyter"
VIEWS = frozenset({"items", "keys", "values"})
PAUSES = (ast.Await, ast.AsyncFor, ast.AsyncWith, ast.Yield, ast.YieldFrom)


def iterations(tree):
    """Yield the iterated expression and the repeated code of each loop and comprehension."""
    for node in ast.walk(tree):
        if isinstance(node, ast.For):
            yield node.iter, node.body
        elif isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp)):
            yield from ((each.iter, [node.elt, *each.ifs]) for each in node.generators)
        elif isinstance(node, ast.DictComp):
            yield from ((each.iter, [node.key, node.value, *each.ifs]) for each in node.generators)


def pauses(nodes):
    """Return whether code can be interrupted by other tasks; functions that it defines do not count."""
    for node in nodes:
        if isinstance(node, PAUSES):
            return True
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) and pauses(
            ast.iter_child_nodes(node)
        ):
            return True
    return False


def is_shared(expression):
    """Return whether an expression is an attribute or a view of a dictionary, not a copy."""
    if isinstance(expression, ast.Call) and isinstance(expression.func, ast.Attribute):
        return expression.func.attr in VIEWS and isinstance(expression.func.value, (ast.Name, ast.Attribute))
    return isinstance(expression, ast.Attribute)


def faults(source):
    return [
        expression.lineno
        for expression, body in iterations(ast.parse(source))
        if is_shared(expression) and pauses(body)
    ]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("for x in self.writers.values():\n    await x.aclose()", [1]),
        ("for x in self.tasks:\n    if x:\n        async with x:\n            pass", [1]),
        ("found = [await x.read() for x in self.channels.values()]", [1]),
        ("for x in list(self.writers.values()):\n    await x.aclose()", []),
        ("for x in self.copied_writers().values():\n    await x.aclose()", []),
        ("for x in self.writers.values():\n    x.cancel()", []),
        ("for x in self.names:\n    async def late():\n        await x", []),
    ],
)
def test_the_check_finds_loops_that_await(source, expected):
    indented = textwrap.indent(source, "    ")
    assert faults(f"async def f(self):\n{indented}") == [line + 1 for line in expected]


def test_no_loop_that_awaits_iterates_over_a_shared_collection():
    found = [
        f"{path.relative_to(PACKAGE)}:{line}" for path in PACKAGE.rglob("*.py") for line in faults(path.read_text())
    ]
    assert not found, "iterate over a copy"
