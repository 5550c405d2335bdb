"""Displayed objects in a real JupyterLab: pictures, HTML, JSON, results; in both themes and in a narrow cell."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

PICTURES = """
import json, os
from matplotlib.figure import Figure
from PIL import Image
import pandas as pd
from IPython.display import HTML, Markdown, Math, SVG
from colony_jupyter.values.display import display_bundle

figure = Figure(figsize=(4, 2))
figure.subplots().plot([1, 3, 2, 5])
noise = Image.frombytes("RGB", (1500, 1500), os.urandom(1500 * 1500 * 3))
shape = "<rect width='60' height='20' fill='teal'/>"
drawing = f"<svg xmlns='http://www.w3.org/2000/svg' width='60' height='20'>{shape}</svg>"
objects = [
    figure,
    Image.new("RGB", (40, 20), "orange"),
    SVG(drawing),
    HTML("<b>bold</b> and <table><tr><td>cell</td></tr></table>"),
    Markdown("**strong** and `code`"),
    Math("x^2"),
    pd.DataFrame({"loss": [0.5, 0.25]}),
    {"rate": 0.1, "steps": [1, 2]},
    "text",
    noise,
]
view = opened(title="plot")
running(view, funcname="plot", channels=("plots",))
for each in objects:
    shown = entry(json.dumps(display_bundle(each)), kind="display")
    view.feed(NewEntries("plots", [shown], {"e" * 64: "laptop-7f3a"}, "a" * 64))
output = [display_bundle(figure)]
done = record(ProcessState.SUCCESS, funcname="plot", channels=("plots",), output=output)
view.feed(ProcessChange(done, "laptop-7f3a"))
view.finish()
"""

RESULT = """
%load_ext colony_jupyter
from colony_jupyter.values.mime import MimeBundle
MimeBundle(display_bundle(figure))
"""


@pytest.mark.parametrize(("theme", "width"), [("light", 1400), ("dark", 1400), ("light", 500)])
def test_displayed_objects(notebook, theme, width):
    book = notebook(PICTURES, RESULT, theme=theme, width=width)
    book.run(1)
    pane = book.cell(1).locator(".cj")
    pane.scroll_into_view_if_needed()  # nothing is drawn out of sight
    rows = pane.locator(".cj-row")
    expect(rows).to_have_count(10)
    pictures = pane.locator(".cj-row img.cj-picture")
    expect(pictures).to_have_count(3)
    expect(pictures.first).to_be_visible()
    sizes = "images => images.map(({ complete, naturalWidth }) => complete && naturalWidth > 0)"
    book.page.wait_for_function(
        "() => [...document.querySelectorAll('.cj-picture')].every((one) => one.naturalWidth > 0)"
    )
    assert pictures.evaluate_all(sizes) == [True, True, True]
    expect(rows.nth(3).locator("b")).to_have_text("bold")
    expect(rows.nth(4).locator("strong")).to_have_text("strong")
    expect(rows.nth(5)).to_contain_text("x^2")
    expect(rows.nth(6).locator("td")).to_have_text(["0.50", "0.25"])
    rows.nth(7).get_by_role("button", name="unfold").click()
    expect(rows.nth(7)).to_contain_text('"rate": 0.1')
    expect(rows.nth(8)).to_contain_text("text")
    # A large picture is loaded on request.
    load = rows.nth(9).get_by_role("button", name="Load the picture")
    expect(load).to_contain_text("MB")
    load.click()
    expect(rows.nth(9).locator("img")).to_be_visible()
    # Full size, by keyboard, and download.
    zoom = rows.nth(0).get_by_role("button", name="full size")
    zoom.focus()
    book.page.keyboard.press("Enter")
    expect(zoom).to_have_attribute("aria-pressed", "true")
    with book.page.expect_download() as download:
        rows.nth(0).get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "picture-0.png"
    assert download.value.path().read_bytes().startswith(b"\x89PNG")
    zoom.press("Enter")
    expect(pane.locator(".cj-result img")).to_be_visible()
    rows.nth(0).scroll_into_view_if_needed()
    book.shot(f"display-{theme}-{width}", 1)
    book.run(2)
    expect(book.cell(2).locator(".jp-OutputArea-output img")).to_be_visible()
    book.shot(f"display-result-{theme}-{width}", 2)
