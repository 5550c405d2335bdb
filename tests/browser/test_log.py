"""The log of a pane in a real JupyterLab: everything a person can do with it."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

SEVERAL = """
view = opened(title="train")
running(view, funcname="train", channels=("log", "metrics"))
feed(view, "log", "loading data", "\\x1b[1;32mready\\x1b[0m on \\x1b[31mgpu:0\\x1b[0m", "line " * 300)
feed(view, "metrics", '{"epoch": 20, "loss": 0.1432, "lr": 12345678901234567890, "empty": {}}')
feed(view, "log", bytes(range(200, 256)) * 20)
feed(view, "log", "skip the plots please", who="a")
feed(view, "log", "CUDA out of memory: tried to allocate 2.0 GiB", kind="error")
feed(view, "metrics", "", kind="end")
view.feed(Note("connection lost, resumed after 0.4 s, nothing missed"))
view.feed(Fault("the callback failed: KeyError"))
"""

FAIL = """
story = "Traceback (most recent call last):\\n  File \\"train.py\\", line 88\\nRuntimeError: CUDA out of memory"
failed = record(ProcessState.FAILED, funcname="train", channels=("log", "metrics"), errors=[story])
view.feed(ProcessChange(failed, "gpu-node-3"))
view.finish()
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_kind_of_entry_and_a_failure(notebook, theme):
    book = notebook(SEVERAL, FAIL, theme=theme)
    book.run(1)
    pane = book.cell(1).locator(".cj")
    rows = pane.locator(".cj-row")
    expect(rows).to_have_count(10)
    expect(pane.locator(".cj-tab")).to_have_text(["all7", "log6", "metrics1"])
    expect(rows.nth(1).locator(".cj-sgr-green.cj-sgr-bold")).to_have_text("ready")
    expect(rows.nth(1).locator(".cj-text")).to_have_text("ready on gpu:0")
    # A long text folds.
    assert 8 <= rows.nth(2).inner_text().count("line") < 200
    rows.nth(2).get_by_role("button", name="unfold").click()
    assert rows.nth(2).inner_text().count("line") == 300
    rows.nth(2).get_by_role("button", name="fold").click()
    # JSON folds out, and keeps its digits.
    rows.nth(3).get_by_role("button", name="unfold").click()
    expect(rows.nth(3).locator(".cj-text")).to_contain_text(
        '{\n  "epoch": 20,\n  "loss": 0.1432,\n  "lr": 12345678901234567890,\n  "empty": {}\n}'
    )
    # Bytes.
    expect(rows.nth(4).locator(".cj-text")).to_contain_text("1.1 kB c8 c9 ca cb")
    with book.page.expect_download() as download:
        rows.nth(4).get_by_role("button", name="Download").click()
    assert download.value.path().read_bytes() == bytes(range(200, 256)) * 20
    expect(rows.nth(5).locator(".cj-who")).to_have_text("you")
    expect(pane.locator(".cj-err")).to_have_count(2)
    expect(rows.nth(7)).to_be_hidden()
    pane.get_by_role("button", name="Details").click()
    expect(rows.nth(7)).to_be_visible()
    details = rows.nth(7).evaluate("row => [getComputedStyle(row, '::after').content, row.dataset.details]")
    assert (
        details == ["attr(data-details)", "metrics · end · sequence 8"] or details[0] == '"metrics · end · sequence 8"'
    )
    book.shot(f"details-{theme}", 1)
    pane.get_by_role("button", name="Details").click()
    # Channels by keyboard.
    pane.locator(".cj-tab.cj-on").focus()
    book.page.keyboard.press("ArrowRight")
    book.page.keyboard.press("ArrowRight")
    expect(pane.locator(".cj-tab.cj-on")).to_have_text("metrics1")
    expect(rows).to_have_count(4)  # its two, and ours
    pane.locator(".cj-tab").first.click()
    book.run(2)
    expect(pane.locator(".cj-state").first).to_have_text("FAILED")
    expect(pane.locator(".cj-result .cj-text")).to_contain_text("RuntimeError: CUDA out of memory")
    assert "Traceback" not in pane.locator(".cj-result").inner_text()
    book.shot(f"failed-{theme}", 1)
    pane.locator(".cj-result").get_by_role("button").click()
    expect(pane.locator(".cj-result")).to_contain_text('File "train.py", line 88')


MANY = """
view = opened(title="many")
running(view, channels=("progress",))
feed(view, "progress", *(f"entry {at} of the log" for at in range(3000)))
"""


def test_following_reading_searching_and_keeping(notebook):
    book = notebook(MANY, "feed(view, 'progress', *(f'late {at}' for at in range(12)))")
    book.run(1)
    pane = book.cell(1).locator(".cj")
    rows = pane.locator(".cj-row")
    log = pane.locator(".cj-log")
    expect(rows.last).to_contain_text("entry 2999 of the log")
    assert log.evaluate("list => list.scrollHeight - list.scrollTop - list.clientHeight") < 2
    assert rows.count() == 1000
    # Reading further up: nothing moves, what is new is counted.
    log.evaluate("list => (list.scrollTop = 5000)")
    book.page.wait_for_timeout(200)
    before = log.evaluate("list => [list.scrollTop, list.scrollHeight]")
    book.run(2)
    fresh = pane.locator(".cj-new")
    expect(fresh).to_have_text("12 new")
    assert log.evaluate("list => [list.scrollTop, list.scrollHeight]") == before
    book.shot("new-light", 1)
    fresh.click()
    expect(rows.last).to_contain_text("late 11")
    expect(fresh).to_be_hidden()
    # All older rows come by scrolling.
    for _ in range(40):
        if "entry 0 of" in rows.first.inner_text():
            break
        log.evaluate("list => (list.scrollTop = 0)")
        book.page.wait_for_timeout(100)
    expect(rows.first).to_contain_text("entry 0 of the log")
    assert rows.count() <= 1000
    # And all newer ones again.
    for _ in range(40):
        if "late 11" in rows.last.inner_text():
            break
        log.evaluate("list => (list.scrollTop = list.scrollHeight)")
        book.page.wait_for_timeout(100)
    expect(rows.last).to_contain_text("late 11")
    numbers = [int(row) for row in rows.evaluate_all("rows => rows.map(row => row.dataset.n)")]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    # Searching finds what the page does not hold.
    pane.get_by_role("button", name="Search").click()
    book.page.keyboard.type("entry 17 of")
    expect(pane.locator(".cj-search")).to_contain_text("1 found")
    expect(rows).to_have_count(1)
    book.shot("search-light", 1)
    book.page.keyboard.press("Escape")
    expect(rows.last).to_contain_text("late 11")
    # All of it, to keep and to paste.
    with book.page.expect_download() as download:
        pane.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "long-task-424d6828.jsonl"
    lines = [json.loads(line) for line in download.value.path().read_text().splitlines()]
    assert [line["text"] for line in lines] == [f"entry {at} of the log" for at in range(3000)] + [
        f"late {at}" for at in range(12)
    ]
    pane.get_by_role("button", name="Copy", exact=True).click()
    assert book.copied().count("\n") == 3012


def test_replying_stopping_and_the_id(notebook):
    book = notebook(SEVERAL, "print(calls)")
    book.run(1)
    pane = book.cell(1).locator(".cj")
    expect(pane.locator("textarea")).to_be_hidden()
    pane.get_by_role("button", name="Reply").click()
    expect(pane.locator("textarea")).to_be_focused()
    pane.get_by_label("Channel").select_option("metrics")
    book.page.keyboard.press("Tab")
    pane.locator("textarea").press_sequentially("stop at epoch 30")
    pane.get_by_role("button", name="Send").click()
    book.shot("reply-light", 1)
    pane.get_by_role("button", name="Stop").click()
    pane.get_by_role("button", name="No").click()
    pane.get_by_role("button", name="Stop").click()
    pane.get_by_role("button", name="Yes").click()
    pane.get_by_role("button", name="Copy process id").click()
    assert book.page.evaluate("navigator.clipboard.readText()") == "424d6828" + "0" * 56
    book.run(2)
    assert book.output(2).strip() == "[('on_send', 'metrics', 'stop at epoch 30'), ('on_cancel',)]"


SENDERS = """
LONG = "tutorial-python-laptop-7f3a"
view = opened()
view.feed(ProcessChange(record(ProcessState.RUNNING), LONG))
def add(*texts, who="e"):
    entries = [entry(text, who=who) for text in texts]
    view.feed(NewEntries("progress", entries, {"e" * 64: LONG, "c" * 64: "ops"}, "a" * 64))
add(*(f"step {at} of the first phase" for at in range(3)))
"""
END = """who => {
  const text = document.createRange();
  text.selectNodeContents(who);
  return text.getBoundingClientRect().right;
}"""
ANOTHER = 'add("please skip the plots", who="a"); add("skipped", "step 4"); add("hello", who="c"); add("step 5")'


@pytest.mark.parametrize(("theme", "width"), [("light", 1400), ("dark", 1400), ("light", 500), ("dark", 500)])
def test_a_row_names_its_sender_only_where_it_changes(notebook, theme, width):
    book = notebook(SENDERS, ANOTHER, theme=theme, width=width)
    if width < 1000:
        book.page.keyboard.press("Control+b")  # the side bar
    book.run(1)
    pane = book.cell(1).locator(".cj")
    rows = pane.locator(".cj-row")
    senders = pane.locator(".cj-row:not(:hover) .cj-who:visible")
    height = "row => row.getBoundingClientRect().height"
    expect(rows).to_have_count(3)
    expect(senders).to_have_count(0)  # the head line names it
    expect(pane.locator(".cj-head")).to_contain_text("tutorial-python-laptop-7f3a")
    alone = rows.first.evaluate(height)
    book.shot(f"one-sender-{theme}-{width}", 1)
    book.run(2)
    expect(rows).to_have_count(8)
    expect(senders).to_have_text(["tutorial-…ptop-7f3a", "you", "tutorial-…ptop-7f3a", "ops", "tutorial-…ptop-7f3a"])
    expect(senders.first).to_have_attribute("title", re.compile(r"· tutorial-python-laptop-7f3a$"))
    assert {row.evaluate(height) for row in rows.all()} == {alone}
    # No name reaches into the text beside it.
    beside = "row => row.querySelector('.cj-text').getBoundingClientRect().left"
    for row in rows.all():
        who = row.locator(".cj-who").evaluate(END)
        assert who <= row.evaluate(beside)
    book.shot(f"several-senders-{theme}-{width}", 1)


WATCHED = """
view = opened()
running(view, channels=("sync", "residual", "field"))
view.feed(ReadChannels(["residual"]))
feed(view, "residual", *(f"{at} 0.1" for at in range(6)))
feed(view, "residual", "", kind="end")
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_tab_counts_what_it_shows(notebook, theme):
    book = notebook(WATCHED, theme=theme)
    book.run(1)
    pane = book.cell(1).locator(".cj")
    expect(pane.locator(".cj-row:visible")).to_have_count(6)
    expect(pane.locator(".cj-tab")).to_have_text(["all6", "residual6", "field"])
    book.shot(f"watched-{theme}", 1)


NARROW = """
view = opened()
running(view, channels=("progress",))
feed(view, "progress", "Processing step 61/100", "Processing step 62/100")
view.feed(ConnectionChange("resuming", "the server does not answer"))
"""


def test_a_narrow_cell(notebook):
    book = notebook(NARROW, width=500)
    book.page.keyboard.press("Control+b")  # the side bar
    book.run(1)
    pane = book.cell(1).locator(".cj")
    expect(pane.locator(".cj-link")).to_have_text("resuming")
    expect(pane.locator(".cj-progress")).to_contain_text("62/100")
    width = pane.evaluate("pane => pane.getBoundingClientRect().width")
    assert width <= 420
    assert pane.evaluate("pane => pane.scrollWidth <= pane.clientWidth + 1")
    expect(pane.get_by_role("button", name="Search")).to_be_hidden()
    pane.get_by_role("button", name="More").click()
    expect(pane.get_by_role("button", name="Search")).to_be_visible()
    book.shot("narrow-light", 1)


RESULTS = """
for output in (["text"], [42], [], [{"a": 1}], [[{"name": "x", "n": 1}, {"name": "<b>y</b>", "n": 2}]], ["one", 2]):
    view = opened()
    view.feed(ProcessChange(record(ProcessState.SUCCESS, output=output), "laptop-7f3a"))
    view.finish()
"""


def test_results_of_every_shape(notebook):
    book = notebook(RESULTS)
    book.run(1)
    results = book.cell(1).locator(".cj-result")
    expect(results).to_have_count(6)
    book.cell(1).locator(".cj").last.scroll_into_view_if_needed()  # nothing is drawn out of sight
    expect(results.nth(0)).to_contain_text('"text"')
    expect(results.nth(1)).to_contain_text("42")
    expect(results.nth(2)).to_have_text("Done")
    expect(results.nth(3)).to_contain_text('{"a":1}')
    expect(results.nth(4).locator("th")).to_have_text(["name", "n"])
    expect(results.nth(4).locator("td")).to_have_text(["x", "1", "<b>y</b>", "2"])
    expect(results.nth(5)).to_contain_text('["one",2]')
    book.shot("results-light", 1)


FRAME = """
import pandas as pd
from colony_jupyter.values.conversion import convert
frame = pd.DataFrame({"loss": [0.5, None], "best": [True, False]}, index=pd.Index(["a", "b"], name="run"))
view = opened(title="train")
output = [convert(frame, "output", large="text").value]
view.feed(ProcessChange(record(ProcessState.SUCCESS, output=output), "laptop-7f3a"))
view.finish()
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_dataframe_as_a_result_is_a_table(notebook, theme):
    book = notebook(FRAME, theme=theme)
    book.run(1)
    result = book.cell(1).locator(".cj-result")
    expect(result.locator("th")).to_have_text(["run", "loss", "best"])
    expect(result.locator("td")).to_have_text(["a", "0.5", "true", "b", "null", "false"])
    book.shot(f"dataframe-{theme}", 1)
