"""Shift+Tab: cells that run on an executor ask the kernel there, others the kernel here."""

from __future__ import annotations

import inspect

import pytest

from colony_jupyter.notebook.magics.ipython_inspector import Inspector, remote_code

CELL = "%%colony run --type hpc\nx = 1\nprint(x)"


@pytest.mark.parametrize(
    ("code", "position", "found"),
    [
        (CELL, len(CELL), ("x = 1\nprint(x)", 14)),
        (CELL, 24, ("x = 1\nprint(x)", 0)),
        (CELL, 23, None),
        ("%%colony  run\nx", 15, ("x", 1)),
        ("%%colony running\nx", 18, None),
        ("%%colony submit\n{}", 17, None),
        ("x = 1", 2, None),
        ("", 0, None),
    ],
)
def test_the_code_of_a_remote_cell_begins_after_its_first_line(code, position, found):
    assert remote_code(code, position) == found


class Kernel:
    def do_inspect(self, code, cursor_pos, detail_level=0, omit_sections=()):
        return {"here": (code, cursor_pos, detail_level)}


async def test_the_kernel_of_the_cell_is_asked_until_the_extension_is_unloaded():
    kernel = Kernel()
    inspector = Inspector(kernel, lambda *asked: {"there": asked})
    assert kernel.do_inspect("x", 1, 0, set()) == {"here": ("x", 1, 0)}
    reply = kernel.do_inspect(CELL, len(CELL), 1, omit_sections=set())
    assert inspect.isawaitable(reply)
    assert await reply == {"there": ("x = 1\nprint(x)", 14, 1)}
    inspector.close()
    assert kernel.do_inspect(CELL, len(CELL)) == {"here": (CELL, len(CELL), 0)}


def test_an_ipython_without_a_kernel_has_nothing_to_replace():
    Inspector(None, lambda *_: {}).close()
