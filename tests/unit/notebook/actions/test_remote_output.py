"""What a remote cell puts out: shown here, cut down where its executor is not trusted, interrupted from here."""

from __future__ import annotations

import asyncio
import queue
import sys
import threading
import time
from concurrent.futures import Future
from types import SimpleNamespace

import pytest

from colony_jupyter.client import portal
from colony_jupyter.kernels.remote import Message
from colony_jupyter.notebook.actions import remote_output
from colony_jupyter.notebook.actions.remote_output import Display, Question, show_until

BUNDLE = {"text/plain": "x", "text/html": "<script>", "image/png": "AAAA", "application/javascript": "alert()"}


class Shell:
    def __init__(self) -> None:
        self.published: list[dict[str, str]] = []
        self.display_pub = SimpleNamespace(publish=lambda data, *_, **__: self.published.append(data))


class Comm:
    """The page's end of a widget."""

    def __init__(self, **about) -> None:
        self.about = about
        self.sent: list[tuple] = []
        self.closed: list[dict] = []

    def on_msg(self, callback):
        self.hear = callback

    def on_close(self, callback):
        self.hear_close = callback

    def send(self, data, metadata, buffers):
        self.sent.append((data, metadata, buffers))

    def close(self, data):
        self.closed.append(data)


@pytest.fixture
def comms(monkeypatch):
    """The comms that are opened to the page."""
    opened: list[Comm] = []

    def create(**about):
        opened.append(Comm(**about))
        return opened[-1]

    monkeypatch.setattr("comm.create_comm", create)
    return opened


@pytest.fixture
def loop(monkeypatch):
    """The client's loop, on which messages are sent at once."""
    portal = SimpleNamespace(loop=SimpleNamespace(call_soon_threadsafe=lambda call, *given: call(*given)))
    monkeypatch.setattr(remote_output, "PORTAL", portal)


def cell_kernel(*, is_trusted, sent=None):
    sent = [] if sent is None else sent
    kernel = SimpleNamespace(target=SimpleNamespace(executortype="hpc"), send=lambda *given: sent.append(given))
    return SimpleNamespace(is_trusted=is_trusted, executorname="node-1", kernel=kernel)


def message(kind, *, buffers=(), **content):
    return Message(kind, content, {}, "", list(buffers))


def test_a_trusted_executor_shows_all():
    shell = Shell()
    Display(shell).show(cell_kernel(is_trusted=True), message("display_data", data=BUNDLE, metadata={}))
    assert shell.published == [BUNDLE]


@pytest.mark.parametrize("kind", ["display_data", "execute_result", "update_display_data"])
def test_an_executor_that_is_not_trusted_shows_text_and_pictures_only(kind, capsys):
    shell = Shell()
    display = Display(shell)
    display.begin()
    for _ in range(3):
        display.show(cell_kernel(is_trusted=False), message(kind, data=BUNDLE, metadata={}))
    assert shell.published == [{"text/plain": "x", "image/png": "AAAA"}] * 3
    noted = capsys.readouterr().err
    assert noted.count("not trusted") == 1
    assert "colony-jupyter kernel install --type hpc" in noted


def test_an_executor_that_is_not_trusted_opens_no_widget(capsys):
    display = Display(Shell())
    opening = message("comm_open", comm_id="1", target_name="jupyter.widget", data={})
    display.show(cell_kernel(is_trusted=False), opening)
    assert display._comms == {}
    assert "not trusted" in capsys.readouterr().err


def test_text_goes_to_its_stream(capsys):
    display = Display(Shell())
    display.show(cell_kernel(is_trusted=False), message("stream", name="stdout", text="out"))
    display.show(cell_kernel(is_trusted=False), message("stream", name="stderr", text="err"))
    assert capsys.readouterr() == ("out", "err")


def test_output_is_cleared_as_the_remote_cell_asks(monkeypatch):
    cleared = []
    monkeypatch.setattr("IPython.display.clear_output", lambda **how: cleared.append(how))
    Display(Shell()).show(cell_kernel(is_trusted=False), message("clear_output", wait=True))
    assert cleared == [{"wait": True}]


def test_a_widget_talks_with_its_page_in_both_directions(comms, loop):
    sent: list[tuple] = []
    display, source = Display(Shell()), cell_kernel(is_trusted=True, sent=sent)
    opening = {"state": {"value": 3, "_model_name": "IntSliderModel"}, "buffer_paths": []}
    display.show(source, message("comm_open", comm_id="7", target_name="jupyter.widget", data=opening))
    [comm] = comms
    assert (comm.about["comm_id"], comm.about["data"]) == ("7", opening)

    update = {"method": "update", "state": {"value": 5}, "buffer_paths": []}
    display.show(source, message("comm_msg", comm_id="7", data=update, buffers=[b"part"]))
    assert comm.sent == [(update, {}, [b"part"])]
    assert display._states.added_to({}, [])[0]["states"]["7"]["state"]["value"] == 5

    moved = {"method": "update", "state": {"value": 8}, "buffer_paths": []}
    comm.hear({"content": {"comm_id": "7", "data": moved}, "metadata": {"m": 1}, "buffers": [memoryview(b"b")]})
    assert sent == [("comm_msg", {"comm_id": "7", "data": moved}, {"m": 1}, [b"b"])]
    assert display._states.added_to({}, [])[0]["states"]["7"]["state"]["value"] == 8

    display.show(source, message("comm_close", comm_id="7", data={"why": "done"}))
    assert comm.closed == [{"why": "done"}]
    assert display._states.added_to({}, [])[0]["states"] == {}


def test_a_widget_that_the_page_closes_is_closed_there(comms, loop):
    sent: list[tuple] = []
    opening = message("comm_open", comm_id="7", target_name="jupyter.widget", data={})
    Display(Shell()).show(cell_kernel(is_trusted=True, sent=sent), opening)
    comms[0].hear_close({"content": {}})
    assert sent == [("comm_close", {"comm_id": "7", "data": {}}, {}, [])]


def test_a_message_of_a_widget_that_was_never_opened_is_ignored(comms):
    Display(Shell()).show(cell_kernel(is_trusted=True), message("comm_msg", comm_id="9", data={}))
    assert comms == []


@pytest.mark.parametrize("is_secret", [False, True])
def test_a_question_is_asked_here_and_answered_there(monkeypatch, is_secret):
    asked = []
    monkeypatch.setattr("builtins.input", lambda prompt: asked.append(("input", prompt)) or "shown")
    monkeypatch.setattr("getpass.getpass", lambda prompt: asked.append(("getpass", prompt)) or "hidden")
    question = Question("Name: ", is_secret=is_secret, cell=Future())
    question.put()
    assert question.answer() == ("hidden" if is_secret else "shown")
    assert asked == [("getpass" if is_secret else "input", "Name: ")]


def test_an_interrupt_of_a_question_reaches_both_sides(monkeypatch):
    monkeypatch.setattr("builtins.input", lambda _: interrupted())
    question = Question("Name: ", is_secret=False, cell=Future())
    with pytest.raises(KeyboardInterrupt):
        question.put()
    with pytest.raises(KeyboardInterrupt):
        question.answer()


def test_an_answer_to_a_cell_that_has_ended_is_ignored(monkeypatch):
    done: Future[None] = Future()
    monkeypatch.setattr("builtins.input", lambda _: done.set_result(None) or "late")
    question = Question("Name: ", is_secret=False, cell=done)
    question.put()
    with pytest.raises(EOFError):
        question.answer()


def test_a_question_that_a_cell_given_up_never_asks_holds_no_thread():
    done: Future[None] = Future()
    question = Question("Name: ", is_secret=False, cell=done)
    answers: queue.SimpleQueue[Exception] = queue.SimpleQueue()

    def answer() -> None:
        try:
            question.answer()
        except EOFError as error:
            answers.put(error)

    waiting = threading.Thread(target=answer, daemon=True)
    waiting.start()
    with pytest.raises(KeyboardInterrupt):
        show_until(done, interrupted, queue.SimpleQueue(), lambda: True)
    assert "The cell ended" in str(answers.get(timeout=5))
    waiting.join(5)


def interrupted():
    raise KeyboardInterrupt


def nothing():
    """Begin a remote cell that the test has begun."""


def test_an_interrupt_while_it_begins_cancels_it():
    done: Future[None] = Future()
    with pytest.raises(KeyboardInterrupt):
        show_until(done, interrupted, queue.SimpleQueue(), lambda: True)
    assert done.cancelled()


@pytest.mark.parametrize("line", range(1, 41))
def test_an_interrupt_at_any_line_leaves_no_action_running(line):
    """The lines are those that begin the action and wait for it, in the order in which they run."""
    left = line
    traced = [each.__code__ for each in (show_until, remote_output._show, portal.LoopThread.begin)]

    async def remote_cell() -> None:
        await asyncio.Event().wait()

    def trace(frame, event, _):
        nonlocal left
        if frame.f_code not in traced:
            return None
        if event == "line":
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
        return trace

    async def tasks() -> list[str]:
        return [repr(task.get_coro()) for task in asyncio.all_tasks()]

    done: Future[None] = Future()
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with pytest.raises(KeyboardInterrupt):
            show_until(done, lambda: portal.PORTAL.begin(done, remote_cell), queue.SimpleQueue(), lambda: False)
    finally:
        sys.settrace(before)
    assert not any("remote_cell" in task for task in portal.PORTAL.run(tasks))


def test_an_error_while_output_is_shown_cancels_it():
    done: Future[None] = Future()
    news: queue.SimpleQueue = queue.SimpleQueue()
    news.put(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        show_until(done, nothing, news, lambda: True)
    assert done.cancelled()


def test_an_interrupt_waits_for_the_end_of_the_remote_cell():
    done: Future[None] = Future()
    news: queue.SimpleQueue = queue.SimpleQueue()
    news.put(interrupted)
    shown = []

    def interrupt():
        news.put(lambda: shown.append("last words"))
        news.put(lambda: done.set_result(None))
        return True

    with pytest.raises(KeyboardInterrupt):
        show_until(done, nothing, news, interrupt)
    assert shown == ["last words"]


def test_an_interrupt_before_there_is_a_remote_cell_ends_at_once():
    done: Future[None] = Future()
    news: queue.SimpleQueue = queue.SimpleQueue()
    news.put(interrupted)
    with pytest.raises(KeyboardInterrupt):
        show_until(done, nothing, news, lambda: False)
    assert done.cancelled()


def test_a_second_interrupt_does_not_wait():
    news: queue.SimpleQueue = queue.SimpleQueue()
    news.put(interrupted)
    news.put(interrupted)
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        show_until(Future(), nothing, news, lambda: True)
    assert time.monotonic() - begun < 5
