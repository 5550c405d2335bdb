"""The pane in a real JupyterLab, fed by a thread of the kernel: no colony is needed to look at it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

STREAM = """
view = opened()
waiting = "waiting for an executor of type 'cli': none is registered"
view.feed(ProcessChange(record(ProcessState.WAITING), waiting_for=waiting))
begin = threading.Event()
def work():
    begin.wait(60)
    running(view)
    for step in range(1, 11):
        time.sleep(0.3)
        feed(view, "progress", f"Processing step {step}/10")
    view.feed(ProcessChange(record(ProcessState.SUCCESS, output=["Task completed!"]), "laptop-7f3a"))
    view.finish()
threading.Thread(target=work).start()
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_stream_is_seen_as_it_happens(notebook, theme):
    book = notebook(STREAM, "begin.set()", theme=theme)
    book.run(1)
    pane = book.cell(1).locator(".cj")
    expect(pane.locator(".cj-state").first).to_have_text("WAITING")
    expect(pane).to_contain_text("none is registered")
    book.run(2, wait=False)
    expect(pane.locator(".cj-state").first).to_have_text("RUNNING")
    seen = []
    rows = pane.locator(".cj-row .cj-text")
    while (count := rows.count()) < 10:
        seen.append(count)
        book.page.wait_for_timeout(50)
    assert len(set(seen)) >= 5, "the entries came in lumps"  # of ten; a busy machine draws some together
    assert rows.all_inner_texts() == [f"Processing step {step}/10" for step in range(1, 11)]
    expect(pane.locator(".cj-state").first).to_have_text("SUCCESS")
    expect(pane.locator(".cj-result")).to_contain_text('"Task completed!"')
    expect(pane.locator(".cj-progress")).to_contain_text("10/10")
    # The transcript is there for readers of the file: beside the pane it would be the same text twice.
    transcript = book.cell(1).locator("details.cj-transcript")
    expect(transcript).to_have_count(1)
    expect(transcript).to_be_hidden()
    book.shot(f"stream-{theme}", 1)
    saved = book.save()["cells"][1]["outputs"]
    transcript = next(output for output in saved if "".join(output["data"].get("text/html", "")))
    assert re.search(r"laptop-7f3a  Processing step 10/10", "".join(transcript["data"]["text/plain"]))
    assert "Task completed!" in "".join(transcript["data"]["text/html"])


def test_the_transcript_is_shown_when_the_pane_has_gone(notebook):
    book = notebook("view = opened(); running(view); feed(view, 'progress', 'one')", "view.widget.close()")
    book.run(1)
    transcript = book.cell(1).locator("details.cj-transcript")
    expect(book.cell(1).locator(".cj-row")).to_have_count(1)
    expect(transcript).to_be_hidden()
    book.run(2)
    expect(book.cell(1).locator(".cj")).to_have_count(0)
    expect(transcript).to_be_visible()


FORMS = """
reported = {"3/10": "3/10", "Processing step 4/8": "4/8", "30%": "30 %", '{"progress": 0.3}': "30 %",
            '{"current": 6, "total": 8, "message": "fitting"}': "6/8"}
views = [opened(title=text) for text in reported]
for view, text in zip(views, reported):
    running(view)
    feed(view, "progress", text)
"""

STEADY = """
view = opened()
running(view)
start = datetime.now(UTC)
def at(step):
    when = (start + timedelta(seconds=step)).isoformat().replace("+00:00", "Z")
    return Entry(sequence=2 * step, timestamp=when, senderid="e" * 64, payload=f"{step}/10".encode())
view.feed(NewEntries("progress", [at(step) for step in range(1, 5)], {}, "a" * 64))
"""


def test_progress_in_every_form_that_is_read(notebook):
    book = notebook(FORMS, "from datetime import timedelta\n" + STEADY, "quiet = opened(); running(quiet)")
    for number in (1, 2, 3):
        book.run(number)
    bars = book.cell(1).locator(".cj-progress")
    labels = ["3/10", "4/8", "30 %", "30 %", "6/8"]
    expect(bars).to_have_count(len(labels))
    for number, (label, percent) in enumerate(zip(labels, (30, 50, 30, 30, 75), strict=True)):
        expect(bars.nth(number)).to_contain_text(label)
        expect(bars.nth(number).get_by_role("progressbar")).to_have_attribute("aria-valuenow", str(percent))
    expect(bars.nth(4)).to_contain_text("fitting")
    # A step a second: the rate, and what is left.
    expect(book.cell(2).locator(".cj-progress")).to_contain_text("40 % · 1.0/s · 6.0 s left")
    book.shot("progress-light", 2)
    # Nothing reported: a bar without an end.
    bar = book.cell(3).get_by_role("progressbar")
    expect(bar).to_be_visible()
    assert bar.get_attribute("aria-valuenow") is None


def test_while_it_waits_it_shows_for_what_and_can_be_cancelled(notebook):
    waiting = "view = opened(); view.feed(ProcessChange(record(ProcessState.WAITING), waiting_for='waiting for {}'))"
    book = notebook(waiting.format("an executor of type cli"), "print(calls)")
    book.run(1)
    pane = book.cell(1).locator(".cj")
    expect(pane.locator(".cj-head")).to_contain_text("waiting for an executor of type cli")
    expect(pane.get_by_role("status")).to_have_text("long-task: waiting")
    first = pane.locator(".cj-time").inner_text()
    expect(pane.locator(".cj-time")).not_to_have_text(first)  # time goes by
    pane.get_by_role("button", name="Cancel").click()
    book.run(2)
    assert book.output(2).strip() == "[('on_cancel',)]"


@pytest.mark.parametrize(("theme", "width"), [("light", 1400), ("dark", 500)])
def test_a_waiting_pane_shows_when_an_executor_was_last_heard(notebook, theme, width):
    heard = "waiting for 1 executor of type 'x', last heard 4 min ago"
    waiting = f"view = opened(); view.feed(ProcessChange(record(ProcessState.WAITING), waiting_for={heard!r}))"
    book = notebook(waiting, theme=theme, width=width)
    book.run(1)
    expect(book.cell(1).locator(".cj-head")).to_contain_text(heard)
    book.shot(f"last-heard-{theme}-{width}", 1)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("resuming", "resuming"),
        ("broken", "connection lost"),
        ("polling", "polling: the server does not answer"),
    ],
)
def test_the_connection_stands_beside_the_state_when_it_is_not_simply_live(notebook, state, words):
    book = notebook(
        "view = opened(); running(view)",
        f"view.feed(ConnectionChange({state!r}, 'the server does not answer'))",
        "view.feed(ConnectionChange('open'))",
    )
    book.run(1)
    link = book.cell(1).locator(".cj-link")
    expect(link).to_be_hidden()
    book.run(2)
    expect(link).to_have_text(words)
    expect(link).to_have_attribute("title", "the server does not answer")
    book.run(3)
    expect(link).to_be_hidden()


@pytest.mark.parametrize(("theme", "width"), [("light", 1400), ("dark", 500)])
def test_a_pane_without_a_websocket_names_what_refused_it(notebook, theme, width):
    reason = "WebSocket refused by the proxy http://proxy.example:3128 (403)"
    book = notebook(
        f"view = opened(); running(view); view.feed(ConnectionChange('polling', {reason!r}))", theme=theme, width=width
    )
    book.run(1)
    expect(book.cell(1).locator(".cj-link")).to_have_text(f"polling: {reason}")
    book.shot(f"polling-{theme}-{width}", 1)
