"""A notebook that another user opens: it is not trusted, and its kernel is not the one that made it."""

from __future__ import annotations

import json

from playwright.sync_api import expect

STREAM = """
view = opened()
running(view)
feed(view, "progress", "Processing step 1/2", "<b>Processing</b> step 2/2")
view.feed(ProcessChange(record(ProcessState.SUCCESS, output=["Task completed!"]), "laptop-7f3a"))
view.finish()
"""


def test_an_untrusted_notebook_shows_the_transcript(notebook):
    book = notebook(STREAM)
    book.run(1)
    expect(book.cell(1).locator(".cj-state").first).to_have_text("SUCCESS")
    document = book.save()
    assert "pane of" not in json.dumps(document["cells"][1]["outputs"])
    book.end_kernel()
    document["cells"][1]["source"] += "\n# changed by other means: no signature fits any more"
    book.name = f"untrusted-{book.name}"
    book.path = book.path.with_name(book.name)
    book.path.write_text(json.dumps(document))
    book.open()
    transcript = book.cell(1).locator("details")
    expect(transcript).to_be_visible()
    expect(transcript).to_contain_text("laptop-7f3a  Processing step 1/2")
    expect(transcript).to_contain_text("<b>Processing</b> step 2/2")
    expect(transcript).to_contain_text("Task completed!")
    # The widget's own output takes no room.
    expect(book.cell(1).locator(".jp-OutputArea-output").first).to_be_empty()
    book.shot("untrusted", 1)
