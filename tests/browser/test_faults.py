"""What a pane survives: a page that is loaded again, a kernel that goes, cells that run again and again."""

from __future__ import annotations

from collections import Counter

import pytest
from playwright.sync_api import expect

LONG_STREAM = """
view = opened()
running(view)
def work():
    for at in range(2000):
        feed(view, "progress", f"entry {at}.")
        time.sleep(0.004)
    view.feed(ProcessChange(record(ProcessState.SUCCESS, output=["ok"]), "laptop-7f3a"))
    view.finish()
threading.Thread(target=work).start()
"""


def test_a_page_loaded_again_in_mid_stream_has_every_entry_once(notebook):
    book = notebook(LONG_STREAM)
    book.run(1)
    expect(book.cell(1).locator(".cj-row").nth(50)).to_be_attached()
    book.save()
    book.open()
    pane = book.cell(1).locator(".cj")
    pane.scroll_into_view_if_needed()
    expect(pane.locator(".cj-state").first).to_have_text("SUCCESS", timeout=40_000)
    expect(pane.locator(".cj-row").last).to_contain_text("entry 1999.")
    numbers = [int(row) for row in pane.locator(".cj-row").evaluate_all("rows => rows.map(row => row.dataset.n)")]
    assert numbers == list(range(1000, 2000))
    expect(pane.locator(".cj-row").last).to_contain_text("entry 1999.")


def test_a_restart_of_the_kernel_is_shown_at_once(notebook):
    book = notebook("view = opened(); running(view); feed(view, 'progress', 'one')")
    book.run(1)
    pane = book.cell(1).locator(".cj")
    pane.get_by_role("button", name="Reply").click()
    pane.locator("textarea").press_sequentially("half a sente")
    expect(pane.locator(".cj-link")).to_be_hidden()
    book.cell(0).locator(".jp-InputArea-prompt").click()
    book.page.keyboard.type("00")
    book.page.locator(".jp-Dialog").locator(".jp-mod-accept").click()
    expect(pane.locator(".cj-link")).to_have_text("not live", timeout=10_000)
    expect(pane.locator("textarea")).to_have_value("half a sente")
    expect(pane.locator(".cj-hint")).to_contain_text("The kernel was restarted")
    book.shot("restarted-light", 1)
    # What is here can still be had.
    pane.get_by_role("button", name="Copy", exact=True).click()
    assert book.copied() == "laptop-7f3a\tone\n"
    book.wait_idle()  # a kernel that is on its way cannot be shut down


ENDED = """
view = opened(title="ended")
running(view, funcname="ended")
feed(view, "progress", "one")
view.feed(ProcessChange(record(ProcessState.SUCCESS, funcname="ended", output=["ok"]), "laptop-7f3a"))
view.feed(ConnectionChange("ended"))
view.finish()
chat = opened("chat", title="answered")
running(chat, funcname="answered", channels=("chat",))
chat.feed(NewEntries("chat", [entry("hello?", who="a"), entry("Hello!")], {"e" * 64: "laptop-7f3a"}, "a" * 64))
chat.finish()
"""


def restart(book):
    book.cell(0).locator(".jp-InputArea-prompt").click()
    book.page.keyboard.type("00")
    book.page.locator(".jp-Dialog").locator(".jp-mod-accept").click()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_after_a_restart_only_a_pane_that_misses_something_is_not_live(notebook, theme):
    book = notebook(ENDED, "view = opened(); running(view)", theme=theme)
    book.run(1)
    book.run(2)
    panes = book.cell(1).locator(".cj")
    expect(panes.nth(1).locator(".cj-state").first).to_have_text("answered")
    restart(book)
    expect(book.cell(2).locator(".cj-link")).to_have_text("not live", timeout=10_000)
    expect(panes.nth(0).locator(".cj-state").first).to_have_text("SUCCESS")
    for pane in panes.all():
        expect(pane.locator(".cj-link")).to_be_hidden()
    book.shot(f"restarted-ended-{theme}")
    book.wait_idle()


WAITING = "view = opened(); view.feed(ProcessChange(record(ProcessState.WAITING)))"
ENDS = {
    "killed": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "shut down": "",
}


@pytest.mark.parametrize("how", ENDS)
def test_the_end_of_the_kernel_is_shown_at_once(notebook, how):
    book = notebook(WAITING, ENDS[how])
    book.run(1)
    pane = book.cell(1).locator(".cj")
    expect(pane.get_by_role("button", name="Cancel")).to_be_visible()
    if how == "killed":
        book.run(2, wait=False)
    else:
        book.end_kernel()
    expect(pane.locator(".cj-link")).to_have_text("not live", timeout=10_000)
    expect(pane.get_by_role("button", name="Cancel")).to_have_count(0)
    if how == "killed":
        book.page.locator(".jp-Dialog").locator(".jp-mod-accept").click()
        book.wait_idle()


def test_a_page_loaded_again_while_a_cell_runs_is_complete_when_it_ends(notebook):
    book = notebook(LONG_STREAM, "time.sleep(8)")
    book.run(1)
    book.save()
    book.run(2, wait=False)
    book.page.wait_for_selector(".jp-StatusBar-Widget :text('| Busy')")
    book.load()
    pane = book.cell(1).locator(".cj")
    pane.scroll_into_view_if_needed(timeout=60_000)
    expect(pane.locator(".cj-state").first).to_have_text("SUCCESS", timeout=60_000)
    expect(pane.locator(".cj-row").last).to_contain_text("entry 1999.")
    numbers = [int(row) for row in pane.locator(".cj-row").evaluate_all("rows => rows.map(row => row.dataset.n)")]
    assert numbers == list(range(1000, 2000))


RERUN = """
view = opened()
running(view)
feed(view, "progress", *(f"entry {at}" for at in range(20)))
"""

COUNT = """
from comm import get_comm_manager
time.sleep(2.5)  # the last transcript is written
threads = [thread for thread in threading.enumerate() if thread.name == "colony-panes"]
print(len(get_comm_manager().comms), "comms", len(threads), "threads")
"""


TIMERS = """
globalThis.timers = new Set();
const { setInterval: begin, clearInterval: end } = globalThis;
globalThis.setInterval = (...how) => { const timer = begin(...how); timers.add(timer); return timer; };
globalThis.clearInterval = (timer) => { timers.delete(timer); end(timer); };
"""


def held(book) -> tuple[int, int, int]:
    """Return what the page holds once its garbage is gone: nodes, listeners, and timers that go on."""
    session = book.context.new_cdp_session(book.page)
    session.send("Performance.enable")
    session.send("HeapProfiler.collectGarbage")
    found = {metric["name"]: metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]}
    session.detach()
    return found["Nodes"], found["JSEventListeners"], book.page.evaluate("timers.size")


@pytest.mark.timeout(400)
def test_running_a_cell_again_closes_its_earlier_pane(notebook):
    """After eighty runs there is no more of anything than after a few."""
    book = notebook(RERUN, COUNT, own_page=True)
    book.page.add_init_script(TIMERS)
    book.save()
    book.open()
    for _ in range(20):
        book.run(1)
    nodes, listeners, timers = held(book)
    for _ in range(60):
        book.run(1)
    expect(book.cell(1).locator(".cj")).to_have_count(1)
    expect(book.cell(1).locator(".cj-row")).to_have_count(20)
    after = held(book)
    # A pane of twenty rows is some two hundred nodes and thirty listeners: one that stayed each time would be seen.
    assert after[0] < nodes + 10 * 60
    assert after[1] < listeners + 5 * 60
    assert after[2] == timers
    book.run(2)
    assert book.output(2).strip() == "2 comms 0 threads"  # of the pane, and of its layout
    # A page keeps every module for ever, so all panes share one.
    assert book.page.evaluate("globalThis[Symbol.for('colony_jupyter.scripts')].size") == 1


def test_a_cell_run_again_that_opens_no_pane_leaves_none(notebook):
    book = notebook(
        "%load_ext colony_jupyter", "again = 'view' in globals()\nif not again:\n    view = opened()", COUNT
    )
    book.run(1)
    book.run(2)
    expect(book.cell(2).locator(".cj")).to_have_count(1)
    book.run(2)
    expect(book.cell(2).locator(".cj")).to_have_count(0)
    book.run(3)
    assert book.output(3).startswith("0 comms")


TEN = """
views = [opened(title=f"task {at}") for at in range(10)]
for view in views:
    running(view)
def work():
    for step in range(1, 101):
        for view in views:
            feed(view, "progress", *(f"Processing step {step}/100" for _ in range(5)))
        time.sleep(0.02)
    for view in views:
        view.feed(ProcessChange(record(ProcessState.SUCCESS, output=["ok"]), "laptop-7f3a"))
        view.finish()
threading.Thread(target=work).start()
"""


AT_END = "list => list.scrollHeight - list.scrollTop - list.clientHeight < 2"


def test_ten_panes_stream_at_once(notebook):
    book = notebook(TEN, own_page=True)
    session = book.context.new_cdp_session(book.page)
    session.send("Network.enable")
    frames = []
    session.on("Network.webSocketFrameReceived", lambda frame: frames.append(frame["timestamp"]))
    book.run(1)
    panes = book.cell(1).locator(".cj")
    expect(panes).to_have_count(10)
    for at in range(10):
        expect(panes.nth(at).locator(".cj-state").first).to_have_text("SUCCESS", timeout=30_000)
    # What is out of sight is not drawn, and is complete when it comes into sight.
    assert panes.last.locator(".cj-row").count() < 500
    for at in range(10):
        panes.nth(at).scroll_into_view_if_needed()
        expect(panes.nth(at).locator(".cj-row")).to_have_count(500)
        expect(panes.nth(at).locator(".cj-progress")).to_contain_text("100/100")
        assert panes.nth(at).locator(".cj-log").evaluate(AT_END)
    # The server drops messages over a thousand a second: a quarter of it is far off.
    begun = frames[0]
    seconds = Counter(int(at - begun) for at in frames)
    assert max(seconds.values()) < 250
