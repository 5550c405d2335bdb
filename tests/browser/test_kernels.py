"""The pane on kernels of other ipykernel versions: each takes what the page sends in a way of its own.

The server is one and the same; `make test` puts the other versions into folders, and a kernel's PYTHONPATH names one.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import ipykernel
import pytest
from playwright.sync_api import expect

OTHERS = ("6.30.1", "7.1.0")
"""As in the Makefile."""

SETUP = """
import ipykernel
from pathlib import Path

def until_released():
    while not Path({released!r}).exists():
        time.sleep(0.02)

print(ipykernel.__version__)
"""


@pytest.fixture(params=[*OTHERS, ipykernel.__version__])
def version(request):
    return request.param


@pytest.fixture
def kernel(lab, version):
    """Return the name of a kernel that is this very interpreter with one version of ipykernel."""
    if version == ipykernel.__version__:
        return "python3"
    name = f"ipykernel-{version}"
    folder = Path(sys.prefix) / "kernels" / name
    if not folder.is_dir():
        missing = f"ipykernel {version} is not there: `make test` installs it"
        if os.environ.get("CI"):
            pytest.fail(missing, pytrace=False)
        pytest.skip(missing)
    spec = json.loads((folder / "share/jupyter/kernels/python3/kernel.json").read_text())
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    lab.add_kernel(name, {**spec, "display_name": name, "env": {"PYTHONPATH": path}})
    return name


@pytest.fixture
def released(tmp_path):
    """A file whose making ends the wait of `until_released` in the kernel, whether or not that takes messages."""
    return tmp_path / "released"


@pytest.fixture
def opened(notebook, kernel, version, released):
    """Open a notebook on that kernel; the cells given are numbered from 2."""

    def make(*cells):
        book = notebook(SETUP.format(released=str(released)), *cells, kernel=kernel)
        book.run(1)
        assert book.output(1).strip() == version
        return book

    return make


CHAT = """
heard = []

def on_send(channel, text):
    heard.append(text)
    view.feed(NewEntries(channel, [entry(text, who="a")], {}, "a" * 64))

view = open_view("chat", kind="chat", callbacks=PaneCallbacks(on_send=on_send))
running(view, funcname="chat", channels=("chat",))
"""

TYPED = ["are you there?", "ok", "ok"]


def test_messages_typed_while_a_cell_runs(opened, version, released):
    """They arrive at once, or after the cell, which the pane shows. None is lost or repeated, and the order stays."""
    book = opened(CHAT, "until_released(); print(heard)", "print(heard)")
    book.run(2)
    pane = book.cell(2).locator(".cj")
    area, hint, mine = pane.locator("textarea"), pane.locator(".cj-hint"), pane.locator(".cj-me")
    expect(hint).to_contain_text("Enter sends")
    running = book.cell(3).locator(".jp-InputArea-prompt:text('[*]:')")
    book.run(3, wait=False)
    expect(running).to_be_visible()
    for text in TYPED:
        area.press_sequentially(text)
        area.press("Enter")
    at_once = int(version.partition(".")[0]) >= 7
    if at_once:
        expect(mine).to_have_count(len(TYPED))
        expect(hint).to_contain_text("Enter sends")
    else:
        expect(hint).to_have_text("The kernel is busy: your message will be sent when it is free.")
        expect(mine).to_have_count(0)
    expect(running).to_be_visible()
    released.touch()
    expect(mine).to_have_text([f"you{text}" for text in TYPED])
    expect(hint).to_contain_text("Enter sends")
    expect(book.cell(3).locator(".jp-OutputArea-output")).to_have_text(str(TYPED if at_once else []))
    book.run(4)
    assert book.output(4).strip() == str(TYPED)


STREAM = """
view = opened()
running(view)

def work():
    for at in range(150):
        feed(view, "progress", f"entry {at}.")
        time.sleep(0.01)
    until_released()
    feed(view, "progress", "the last one.")
    view.feed(ProcessChange(record(ProcessState.SUCCESS, output=["ok"]), "laptop-7f3a"))
    view.finish()

threading.Thread(target=work).start()
"""


def test_a_stream_goes_on_after_its_cell(opened, released):
    """All of it comes, into the pane and into what is saved of its cell, though other cells run meanwhile."""
    book = opened(STREAM, "print('another cell')")
    book.run(2)
    book.run(3)
    released.touch()
    pane = book.cell(2).locator(".cj")
    expect(pane.locator(".cj-state").first).to_have_text("SUCCESS", timeout=20_000)
    expected = [*(f"entry {at}." for at in range(150)), "the last one."]
    expect(pane.locator(".cj-row .cj-text")).to_have_text(expected)
    expect(book.cell(2).locator("details")).to_contain_text('"ok"')
    cells = book.save()["cells"]
    [transcript] = [output["data"] for output in cells[2]["outputs"] if "".join(output["data"].get("text/html", ""))]
    for form in ("text/html", "text/plain"):
        lines = re.findall(r"laptop-7f3a  (.*\.)(?:$|<)", "".join(transcript[form]), re.MULTILINE)
        assert lines == expected, form
    assert [output["text"] for output in cells[3]["outputs"]] == [["another cell\n"]]


ENDLESS = """
view = opened()
running(view)

def work():
    while not Path(RELEASED).exists():
        feed(view, "progress", f"entry {sequence}.")
        time.sleep(0.005)
    view.feed(ProcessChange(record(ProcessState.SUCCESS, output=["ok"]), "laptop-7f3a"))
    view.finish()

threading.Thread(target=work).start()
"""


def test_a_page_loaded_again_in_mid_stream_has_every_entry_once(opened, released):
    book = opened(ENDLESS.replace("RELEASED", repr(str(released))), "print(sequence)")
    book.run(2)
    expect(book.cell(2).locator(".cj-row").nth(50)).to_be_attached()
    book.save()
    book.open()
    pane = book.cell(2).locator(".cj")
    expect(pane.locator(".cj-state").first).to_have_text("RUNNING", timeout=20_000)
    book.run(3)
    made = int(book.output(3))
    pane.scroll_into_view_if_needed()  # nothing is drawn out of sight
    expect(pane.locator(f".cj-row[data-n='{made + 50}']")).to_be_attached()
    released.touch()
    expect(pane.locator(".cj-state").first).to_have_text("SUCCESS")
    book.run(3)
    total = int(book.output(3))
    rows = pane.locator(".cj-row")
    expect(rows.last).to_contain_text(f"entry {total - 1}.")
    numbers = [int(number) for number in rows.evaluate_all("rows => rows.map(row => row.dataset.n)")]
    assert numbers == list(range(max(0, total - 1000), total))


STOPPING = CHAT.replace(
    "PaneCallbacks(on_send=on_send)",
    "PaneCallbacks(on_send=on_send, on_stop_waiting=lambda: view.feed(ReplyDue(due=False)), on_end_chat=lambda: None)",
)


def test_buttons_pressed_while_a_cell_runs(opened, version, released):
    """They arrive at once, or the page shows that the kernel is busy, and how to get through to it."""
    book = opened(STOPPING + "view.feed(ReplyDue(due=True))", "until_released()")
    book.run(2)
    pane = book.cell(2).locator(".cj")
    stop, hint, link = pane.get_by_role("button", name="Stop"), pane.locator(".cj-hint"), pane.locator(".cj-link")
    expect(stop).to_be_visible()
    book.run(3, wait=False)
    expect(book.cell(3).locator(".jp-InputArea-prompt:text('[*]:')")).to_be_visible()
    stop.click()
    if int(version.partition(".")[0]) >= 7:
        expect(stop).to_be_hidden()
        expect(link).to_be_hidden()
    else:
        expect(hint).to_have_text("The kernel is busy: interrupt it to stop waiting.")
        pane.get_by_role("button", name="End chat").click()
        expect(link).to_have_text("kernel busy")
    released.touch()
    expect(stop).to_be_hidden()
    expect(link).to_be_hidden()
    expect(hint).to_contain_text("Enter sends")


LOOP = """
import asyncio
from colony_jupyter.client.portal import PORTAL
from colony_jupyter.notebook.views.choose import open_text
PORTAL.run(asyncio.sleep, 0)
"""

TEXT = """
text = open_text("chat")

async def feed_chat():
    feed(text, "chat", "said in this cell", inreplyto=1)

PORTAL.run(feed_chat)
time.sleep(0.5)
"""


def test_lines_of_text_are_in_the_cell_that_asked_for_them(opened):
    """Though what writes them descends from a thread that an earlier cell started."""
    book = opened(LOOP, TEXT)
    book.run(2)
    book.run(3)
    expect(book.cell(3).locator(".jp-OutputArea-output")).to_contain_text("said in this cell")
    assert book.output(2).strip() == ""
