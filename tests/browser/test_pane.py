"""The pane in a real JupyterLab, fed by a thread of the kernel: no colony is needed to look at it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

STREAM = """
view = opened()
view.process(record(ProcessState.WAITING), waiting_for="waiting for an executor of type 'cli': none is registered")
def work():
    time.sleep(0.7)
    running(view)
    for step in range(1, 11):
        time.sleep(0.3)
        feed(view, "progress", f"Processing step {step}/10")
    view.process(record(ProcessState.SUCCESS, output=["Task completed!"]), "laptop-7f3a")
    view.finish()
threading.Thread(target=work).start()
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_stream_is_seen_as_it_happens(notebook, theme):
    book = notebook(STREAM, theme=theme)
    book.run(1, wait=False)
    pane = book.cell(1).locator(".cj")
    expect(pane.locator(".cj-state").first).to_have_text("WAITING")
    expect(pane).to_contain_text("none is registered")
    expect(pane.locator(".cj-state").first).to_have_text("RUNNING")
    seen = []
    rows = pane.locator(".cj-row .cj-text")
    while (count := rows.count()) < 10:
        seen.append(count)
        book.page.wait_for_timeout(50)
    assert len(set(seen)) >= 8, "the entries came in lumps"
    assert rows.all_inner_texts() == [f"Processing step {step}/10" for step in range(1, 11)]
    expect(pane.locator(".cj-state").first).to_have_text("SUCCESS")
    expect(pane.locator(".cj-result")).to_contain_text('"Task completed!"')
    expect(pane.locator(".cj-progress")).to_contain_text("10/10")
    book.shot(f"stream-{theme}", 1)
    saved = book.save()["cells"][1]["outputs"]
    transcript = next(output for output in saved if "text/html" in output["data"])
    assert re.search(r"laptop-7f3a  Processing step 10/10", "".join(transcript["data"]["text/plain"]))
    assert "Task completed!" in "".join(transcript["data"]["text/html"])
