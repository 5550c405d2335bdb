"""Progress bars that overwrite themselves, and running lines of text, in a real JupyterLab."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

BARS = """
view = opened(title="train")
running(view, funcname="train", channels=("progress",))
feed(view, "progress", "downloading\\n", "\\router:   0%|          | 0/3\\n\\rinner:  20%|##        | 1/5\\x1b[A")
"""
MORE = """
feed(view, "progress", "\\n\\rinner:  80%|########  | 4/5\\x1b[A")
feed(view, "progress", "\\router:  67%|######6   | 2/3")
"""
LINES = """
view = opened(title="build")
running(view, funcname="build", channels=("output",))
for start in range(0, 3000, 500):
    feed(view, "output", "".join(f"compiling module {at}\\n" for at in range(start, start + 500)))
view.feed(ProcessChange(record(ProcessState.SUCCESS, funcname="build", channels=("output",)), "laptop-7f3a"))
view.finish()
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_frames_overwrite_and_lines_run(notebook, theme):
    book = notebook(BARS, MORE, LINES, theme=theme)
    book.run(1)
    pane = book.cell(1).locator(".cj")
    pane.scroll_into_view_if_needed()
    texts = pane.locator(".cj-row .cj-text")
    expect(texts).to_have_text(["downloading", "outer:   0%|          | 0/3", "inner:  20%|##        | 1/5"])
    book.run(2)
    pane.scroll_into_view_if_needed()
    expect(texts).to_have_text(["downloading", "outer:  67%|######6   | 2/3", "inner:  80%|########  | 4/5"])
    bar = pane.get_by_role("progressbar")
    expect(bar).to_have_attribute("aria-valuenow", "67")
    book.shot(f"frames-{theme}", 1)
    book.run(3)
    build = book.cell(3).locator(".cj")
    build.scroll_into_view_if_needed()
    expect(build.locator(".cj-row").last).to_contain_text("compiling module 2999")
    expect(build.get_by_role("button", name="unfold")).to_have_count(0)
    book.shot(f"lines-{theme}", 3)
