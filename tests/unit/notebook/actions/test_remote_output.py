"""What a remote cell puts out: shown here, cut down where its executor is not trusted, interrupted from here."""

from __future__ import annotations

import queue
import time
from concurrent.futures import Future
from types import SimpleNamespace

import pytest

from colony_jupyter.kernels.remote import Message
from colony_jupyter.notebook.actions.remote_output import Display, show_until

BUNDLE = {"text/plain": "x", "text/html": "<script>", "image/png": "AAAA", "application/javascript": "alert()"}


class Shell:
    def __init__(self) -> None:
        self.published: list[dict[str, str]] = []
        self.display_pub = SimpleNamespace(publish=lambda data, *_, **__: self.published.append(data))


def cell_kernel(*, is_trusted):
    kernel = SimpleNamespace(target=SimpleNamespace(executortype="hpc"), send=lambda *_: None)
    return SimpleNamespace(is_trusted=is_trusted, executorname="node-1", kernel=kernel)


def message(kind, **content):
    return Message(kind, content, {}, "", [])


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


def interrupted():
    raise KeyboardInterrupt


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
        show_until(done, news, interrupt)
    assert shown == ["last words"]


def test_an_interrupt_before_there_is_a_remote_cell_ends_at_once():
    done: Future[None] = Future()
    news: queue.SimpleQueue = queue.SimpleQueue()
    news.put(interrupted)
    with pytest.raises(KeyboardInterrupt):
        show_until(done, news, lambda: False)
    assert done.cancelled()


def test_a_second_interrupt_does_not_wait():
    news: queue.SimpleQueue = queue.SimpleQueue()
    news.put(interrupted)
    news.put(interrupted)
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        show_until(Future(), news, lambda: True)
    assert time.monotonic() - begun < 5
