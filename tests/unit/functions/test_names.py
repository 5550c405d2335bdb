"""Global names that a text of Python uses."""

from __future__ import annotations

import ast

import pytest

from colony_jupyter.functions.names import attribute_chains, global_names, has_annotations


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("def f(x): return x + RATE", {"RATE"}),
        ("def f(x, y=DEFAULT): return x", {"DEFAULT"}),
        ("@decorate\ndef f(): pass", {"decorate"}),
        ("def f():\n local = 1\n def g(): return local + OUTER\n return g", {"OUTER"}),
        ("def f(): return [each * RATE for each in VALUES]", {"RATE", "VALUES"}),
        ("def f():\n global COUNT\n COUNT = 1", set()),
        ("def f():\n global COUNT\n COUNT += 1", {"COUNT"}),
        ("def f(x: int) -> Frame: return x", set()),
        ("async def f(x: int) -> Frame: return await g(x)", {"g"}),
        ("class C(Base):\n size = SIZE\n def f(self): return helper(self)", {"Base", "SIZE", "helper"}),
        ("def f(): return f", set()),
        ("def f():\n try: pass\n except Failure as error: return error", {"Failure"}),
        ("f = lambda: VALUE", {"VALUE"}),
    ],
)
def test_names_that_the_text_does_not_define_itself(text, names):
    assert global_names(ast.parse(text)) - {"staticmethod"} == names


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("def f(x): return x", False),
        ("def f(x: int): return x", True),
        ("def f() -> int: return 1", True),
        ("async def f(*, x: int): return x", True),
        ("class C:\n size: int = 1", True),
        ("def f():\n x: int = 1\n return x", True),
    ],
)
def test_annotations_are_found(text, has):
    assert has_annotations(ast.parse(text)) is has


def test_dotted_paths_of_a_name():
    tree = ast.parse("scipy.optimize.minimize(x)\nother.scipy.linalg\nscipy\nf().scipy.stats")
    assert attribute_chains(tree, "scipy") == {"optimize", "optimize.minimize"}
