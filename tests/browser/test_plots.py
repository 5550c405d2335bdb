"""Plots of channels in a real JupyterLab."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

TRAIN = """
import json, math
def losses(first, count):
    return [
        json.dumps({"step": at * 10, "epoch": at // 20, "loss": 2 * math.exp(-at / 30) + 0.05 * math.sin(at),
                    "validation loss": 2.1 * math.exp(-at / 40), "accuracy": 1 - math.exp(-at / 25), "note": "x"})
        for at in range(first, first + count)
    ]
view = opened(title="train")
running(view, funcname="train", channels=("metrics", "lr"))
feed(view, "metrics", *losses(0, 100))
feed(view, "lr", *(f"{0.1 * 0.97 ** at}" for at in range(40)))
"""
MORE = 'feed(view, "metrics", *losses(100, 50))'
ALONE = """
alone = opened(kind="plot", title="train")
alone.feed(PlotChoice("metrics", "#time", ["loss"]))
running(alone, funcname="train", channels=("metrics",))
feed(alone, "metrics", *losses(0, 60))
"""
ODD = """
odd = opened(kind="plot", title="odd")
odd.feed(PlotChoice("metrics", "", ["accuracy"]))
running(odd, funcname="odd", channels=("metrics",))
feed(odd, "metrics", json.dumps({"loss": -1, "rate": math.nan}), "no number", '{"loss": -1}', '{"late": 3}')
"""
MANY = """
many = opened(title="sensor")
running(many, funcname="sensor", channels=("values",))
feed(many, "values", *(str(math.sin(at / 5000) + (3 if at == 77_777 else 0)) for at in range(100_000)))
"""


def pixels(plot, opacity=200):
    """How many pixels of each canvas have a colour of a line; a level line may be spread over two rows of pixels."""
    return plot.locator("canvas").evaluate(
        """(canvas, opacity) => {
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          let found = 0;
          for (let at = 0; at < data.length; at += 4) {
            const [r, g, b, a] = data.slice(at, at + 4);
            if (a > opacity && Math.max(r, g, b) - Math.min(r, g, b) > 60) found += 1;
          }
          return found;
        }""",
        opacity,
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_numbers_of_a_channel_become_lines(notebook, theme):
    book = notebook(TRAIN, MORE, ALONE, theme=theme)
    book.run(1)
    pane = book.cell(1).locator(".cj")
    pane.scroll_into_view_if_needed()
    expect(pane.locator(".cj-tab")).to_have_text(["all140", "metrics100", "lr40", "plot metrics", "plot lr"])
    pane.get_by_role("tab", name="plot metrics").click()
    plot = pane.locator(".cj-plot")
    expect(plot.locator("canvas")).to_be_visible()
    expect(pane.locator(".cj-log")).to_be_hidden()
    expect(plot.get_by_role("button", name="loss", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(plot.get_by_role("button", name="epoch")).to_have_attribute("aria-pressed", "false")
    expect(plot.get_by_label("x axis")).to_have_value("step")
    expect(plot.locator("canvas")).to_have_attribute(
        "aria-label",
        "Plot of metrics: loss, validation loss, accuracy; 100 entries. The arrow keys go through the values.",
    )
    assert pixels(plot) > 300
    # It goes on by itself.
    book.run(2)
    pane.scroll_into_view_if_needed()
    expect(plot.locator("canvas")).to_have_attribute(
        "aria-label",
        "Plot of metrics: loss, validation loss, accuracy; 150 entries. The arrow keys go through the values.",
    )
    # The values under the pointer.
    plot.locator("canvas").hover(position={"x": 300, "y": 60})
    expect(plot.locator(".cj-tip")).to_contain_text("step ")
    expect(plot.locator(".cj-tip .cj-curve")).to_have_count(3)
    book.shot(f"plot-{theme}", 1)
    # The legend switches lines, the button the axis.
    plot.get_by_role("button", name="accuracy").click()
    expect(plot.get_by_role("button", name="accuracy")).to_have_attribute("aria-pressed", "false")
    plot.get_by_role("button", name="log", exact=True).click()
    plot.get_by_label("x axis").select_option("#entry")
    expect(plot.get_by_label("x axis")).to_have_value("#entry")
    expect(plot.get_by_role("button", name="step")).to_be_visible()
    book.shot(f"plot-log-{theme}", 1)
    found = Axe().run(book.page, context=".cj").response
    assert [f"{fault['id']}: {node['html']}" for fault in found["violations"] for node in fault["nodes"]] == []
    # A plot alone, with the lines and the axis that were asked for.
    book.run(3)
    alone = book.cell(3).locator(".cj")
    alone.scroll_into_view_if_needed()
    expect(alone.get_by_label("x axis")).to_have_value("#time")
    expect(alone.locator(".cj-legend [aria-pressed='true']")).to_have_text(["loss"])
    expect(alone.locator(".cj-log")).to_have_count(0)
    book.shot(f"plot-alone-{theme}", 3)


def test_with_the_keyboard_and_read_out(notebook):
    book = notebook(TRAIN, width=800)
    book.run(1)
    pane = book.cell(1).locator(".cj")
    pane.scroll_into_view_if_needed()
    pane.locator(".cj-tab.cj-on").focus()
    for _ in range(3):
        book.page.keyboard.press("ArrowRight")
    expect(pane.locator(".cj-tab.cj-on")).to_have_text("plot metrics")
    plot = pane.locator(".cj-plot")
    table = plot.get_by_role("table", name="Numbers of metrics")
    expect(table.get_by_role("row").nth(2)).to_contain_text("loss100")
    canvas = plot.locator("canvas")
    canvas.focus()
    book.page.keyboard.press("End")
    expect(plot.get_by_role("status")).to_contain_text("step 990, loss 0.")
    book.page.keyboard.press("ArrowLeft")
    expect(plot.get_by_role("status")).to_contain_text("step 980, loss 0.")
    book.shot("plot-narrow", 1)
    book.page.keyboard.press("Escape")
    expect(plot.locator(".cj-tip")).to_be_hidden()


def test_odd_numbers_are_drawn_and_what_cannot_be_is_explained(notebook):
    book = notebook(TRAIN, ODD)
    book.run(1)
    book.run(2)
    plot = book.cell(2).locator(".cj-plot")
    plot.scroll_into_view_if_needed()
    note = plot.locator(".cj-plot-note")
    expect(note).to_have_text("No entry has the key 'accuracy'. There are: loss, late.")
    plot.get_by_role("button", name="loss").click()
    expect(note).to_be_hidden()
    book.shot("plot-constant", 2)
    assert pixels(plot, opacity=90) > 300
    # One point is a dot.
    plot.get_by_role("button", name="late").click()
    book.shot("plot-odd", 2)
    plot.get_by_role("button", name="loss").click()
    expect(plot.get_by_role("button", name="loss")).to_have_attribute("aria-pressed", "false")
    assert 10 < pixels(plot, opacity=90) < 100
    # A logarithmic axis has no place for -1.
    plot.get_by_role("button", name="log", exact=True).click()
    expect(note).to_be_hidden()
    plot.get_by_role("button", name="late").click()
    plot.get_by_role("button", name="loss").click()
    expect(note).to_have_text("None of the values is above 0, which a logarithmic axis needs.")


def test_a_hundred_thousand_points_have_their_extremes(notebook):
    book = notebook(TRAIN, MANY)
    book.run(1)
    book.run(2)
    pane = book.cell(2).locator(".cj")
    pane.scroll_into_view_if_needed()
    pane.get_by_role("tab", name="plot").click()
    plot = pane.locator(".cj-plot")
    row = plot.get_by_role("table", name="Numbers of values").get_by_role("row").nth(1)
    expect(row).to_contain_text("100000")
    plot.locator("canvas").focus()
    book.page.keyboard.press("Home")
    expect(plot.get_by_role("status")).to_contain_text("entry 1, values 0")
    # The peak is one entry of a hundred thousand, and higher than all others.
    highest = float(row.get_by_role("cell").last.inner_text())
    assert highest > 2
    book.shot("plot-many", 2)
