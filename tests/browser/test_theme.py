"""A theme that was chosen, in a page that has the other one."""

from __future__ import annotations

import pytest

OPEN = """
from colony_jupyter.notebook.views.choose import open_view
view = open_view("long-task", theme={theme!r})
"""


def luminance(colour: str) -> float:
    """Return how light a colour is that a browser computed, from 0 to 1."""
    numbers = colour[colour.index("(") + 1 : -1].split(",")
    red, green, blue = (int(number) / 255 for number in numbers[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(("theme", "page"), [("dark", "light"), ("light", "dark"), ("auto", "light"), ("auto", "dark")])
def test_a_pane_in_its_own_theme(notebook, theme, page):
    book = notebook(OPEN.format(theme=theme), theme=page)
    book.run(1)
    pane = book.cell(1).locator(".cj")
    pane.wait_for()
    ground, text = pane.evaluate("pane => [getComputedStyle(pane).backgroundColor, getComputedStyle(pane).color]")
    is_dark = (page if theme == "auto" else theme) == "dark"
    assert (luminance(ground) < 0.2) == is_dark
    assert (luminance(text) > 0.8) == is_dark
