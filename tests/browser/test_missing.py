"""A page that cannot show panes: what it lacks is stated in their place, and nowhere else."""

from __future__ import annotations

import json

from playwright.sync_api import expect

from colony_jupyter.notebook.views.missing import NO_EXTENSION, NO_MODULE, NO_WIDGETS

MANAGER = "@jupyter-widgets/jupyterlab-manager"
EXECUTOR = """
%load_ext colony_jupyter
import colony_jupyter as cj
executor = cj.Executor("browser-missing")

@executor.function("greet")
async def greet(context, name):
    return f"Hello, {name}!"

@executor.chat("chat")
async def bot(context, message):
    yield f"You said {message.text}."

executor.start()
"""
SUBMIT = "%colony submit greet {} --type browser-missing"
CHAT = "%%colony_chat chat --type browser-missing\nHello"
STREAM = "view = opened()\nrunning(view)\nfeed(view, 'progress', 'one')"
LONG = 60_000
ANY = "The live pane is missing"


def stated(reason: str) -> str:
    """Return a reason as a page shows it."""
    return reason.replace("`", "")


def assert_nothing_is_stated(book):
    """Wait for longer than a page is examined; look at the page and at the file."""
    book.page.wait_for_timeout(3_000)
    expect(book.page.locator(".jp-Notebook")).not_to_contain_text(ANY)
    assert ANY not in json.dumps(book.save())


def take_shots(book, name):
    for theme in ("dark", "light"):
        book.change_theme(theme)
        book.shot(f"{name}-{theme}")


def test_a_page_without_widgets_states_what_it_lacks(notebook, lab):
    with lab.without(MANAGER, "anywidget"):
        book = notebook(EXECUTOR, SUBMIT.format("Ann"), SUBMIT.format("Ben"), CHAT, "executor.stop()", own_page=True)
    for number in (1, 2):
        book.run(number)
    output = book.cell(2).locator(".jp-Cell-outputArea")
    expect(output).to_contain_text(stated(NO_WIDGETS), timeout=LONG)
    expect(output).to_contain_text("%colony send PID CHANNEL TEXT and %colony cancel PID work without it.")
    expect(output).to_contain_text("Hello, Ann!")
    # It is stated once, not in every cell.
    book.run(3)
    expect(book.cell(3).locator(".jp-Cell-outputArea")).to_contain_text("Hello, Ben!", timeout=LONG)
    book.page.wait_for_timeout(3_000)
    assert ANY not in book.output(3)
    # In a conversation, how to go on is stated as well.
    book.run(4)
    chat = book.cell(4).locator(".jp-Cell-outputArea")
    expect(chat).to_contain_text(stated(NO_WIDGETS), timeout=LONG)
    expect(chat).to_contain_text("Another %%colony_chat cell sends a reply without it.")
    expect(chat).to_contain_text("You said Hello.")
    take_shots(book, "missing")
    # A cell that is run again states it again: its first output is gone.
    book.run(2)
    expect(output).to_contain_text("Hello, Ann!", timeout=LONG)
    expect(output).to_contain_text(stated(NO_WIDGETS))
    # A page that is loaded with the extensions shows panes.
    book.save()
    book.open()
    for number, what in ((2, "Hello, Ann!"), (3, "Hello, Ben!"), (4, "You said Hello.")):
        book.run(number)
        expect(book.cell(number).locator(".cj")).to_contain_text(what, timeout=LONG)
    expect(book.cell(4).locator("textarea")).to_be_visible()
    book.run(5)
    assert_nothing_is_stated(book)


def test_a_page_whose_widgets_lack_anywidget_states_that(notebook, lab):
    with lab.without("anywidget"):
        book = notebook(STREAM, STREAM, "feed(view, 'progress', 'two')", own_page=True)
    book.run(1)
    output = book.cell(1).locator(".jp-Cell-outputArea")
    expect(output).to_contain_text("javascript error")
    expect(output).to_contain_text(stated(NO_EXTENSION))
    expect(output).not_to_contain_text("javascript error")
    book.run(2)
    expect(book.cell(2).locator(".jp-Cell-outputArea")).to_contain_text("javascript error")
    expect(book.cell(2).locator(".jp-Cell-outputArea")).not_to_contain_text("javascript error")
    assert ANY not in book.output(2)
    book.run(3)
    expect(book.cell(2).locator(".jp-Cell-outputArea")).to_contain_text("two")
    take_shots(book, "missing-anywidget")


def test_a_kernel_without_anywidget_states_that(notebook):
    book = notebook("import sys; sys.modules['anywidget'] = None", STREAM)
    book.run(1)
    book.run(2)
    expect(book.cell(2).locator(".jp-Cell-outputArea")).to_contain_text(stated(NO_MODULE))
    expect(book.cell(2).locator("details")).to_contain_text("one")
    book.shot("missing-module-light", 2)


def test_notebook_7_without_widgets_states_what_it_lacks(notebook7, lab):
    with lab.without(MANAGER, "anywidget"):
        book = notebook7(STREAM)
    book.run(1)
    expect(book.cell(1).locator(".jp-Cell-outputArea")).to_contain_text(stated(NO_WIDGETS))


def test_a_page_with_widgets_states_nothing_also_if_it_is_loaded_again_meanwhile(notebook):
    book = notebook(STREAM, STREAM + "\ntime.sleep(5)", own_page=True)
    book.run(1)
    expect(book.cell(1).locator(".cj-row")).to_have_count(1)
    assert_nothing_is_stated(book)
    book.run(2, wait=False)
    expect(book.cell(2).locator(".cj-row")).to_have_count(1)
    book.load()
    book.wait_idle()
    expect(book.cell(1).locator(".cj-row")).to_have_count(1)
    assert_nothing_is_stated(book)


def test_notebook_7_with_widgets_states_nothing(notebook7):
    book = notebook7(STREAM)
    book.run(1)
    expect(book.cell(1).locator(".cj-row")).to_have_count(1)
    assert_nothing_is_stated(book)


SLOW = f"""
from colony_jupyter.notebook.views import page_check
examined = []
link = page_check.jsdlink
page_check.jsdlink = lambda *ends: examined.append(ends) or link(*ends)
time.sleep(1)
{STREAM}
"""
FREEZE = "const end = Date.now() + 6000; while (Date.now() < end);"


def test_a_page_that_is_slow_states_nothing(notebook):
    book = notebook(SLOW, "print(len(examined), view.widget._check._helpers)")
    book.run(1, wait=False)
    book.page.evaluate(FREEZE)  # from before the pane is opened until after it has been examined
    expect(book.cell(1).locator(".cj-row")).to_have_count(1)
    assert_nothing_is_stated(book)
    book.run(2)
    assert book.output(2).strip() == "1 []"
