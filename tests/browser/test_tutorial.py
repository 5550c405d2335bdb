"""The first tutorial notebooks as a person meets them: cell by cell in a real JupyterLab, on the embedded colony."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
LONG = 60_000


def code_of(name: str) -> list[str]:
    cells = json.loads((NOTEBOOKS / name).read_text("utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def where(cells: list[str], words: str) -> int:
    """Number of the first cell that holds some words; the harness puts one cell before ours."""
    return next(number for number, source in enumerate(cells, start=1) if words in source)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_ten_entries_arrive_one_after_the_other_and_then_the_result(notebook, theme):
    cells = code_of("01-streaming-progress.ipynb")
    book = notebook(*cells, theme=theme)
    book.run(where(cells, "%load_ext"))
    expect(book.cell(where(cells, "%load_ext")).locator(".jp-Cell-outputArea")).to_contain_text("embedded colony")
    book.run(where(cells, "cj.Executor"))
    submit = where(cells, "%colony submit")
    book.run(submit, wait=False)
    pane = book.cell(submit).locator(".cj")
    expect(pane.locator(".cj-state").first).to_have_text("RUNNING", timeout=LONG)
    rows = pane.locator(".cj-row .cj-text")
    counts = set()
    while (count := rows.count()) < 10:
        counts.add(count)
        book.page.wait_for_timeout(50)
    assert len(counts) >= 6, f"the entries came in lumps: {sorted(counts)}"
    assert rows.all_inner_texts()[:10] == [f"Processing step {step}/10" for step in range(1, 11)]
    expect(pane.locator(".cj-state").first).to_have_text("SUCCESS", timeout=LONG)
    expect(pane.locator(".cj-result")).to_contain_text("Task completed!")
    book.shot(f"tutorial-1-{theme}", submit)
    stop = where(cells, "executor.stop()")
    book.run(stop)


def test_the_chat_goes_on_in_cells_and_in_the_text_box(notebook):
    cells = code_of("02-chat.ipynb")
    book = notebook(*cells)
    first = where(cells, "%%colony_chat")
    for number in range(1, first):
        book.run(number)
    book.run(first)
    bubbles = book.cell(first).locator(".cj")
    expect(bubbles).to_contain_text("Hello! How can I help you?", timeout=LONG)
    box = book.cell(first).locator("textarea")
    box.fill("What time is it?")
    box.press("Enter")
    expect(bubbles).to_contain_text("I received your message!", timeout=LONG)
    book.shot("tutorial-2-light", first)
    goodbye = where(cells, "Goodbye") if any("Goodbye" in cell and "%%colony_chat" in cell for cell in cells) else None
    if goodbye is not None and goodbye > first:
        book.run(goodbye)
        expect(book.cell(goodbye).locator(".cj")).to_contain_text("Goodbye! Have a great day!", timeout=LONG)
    book.run(where(cells, ".stop()"))
