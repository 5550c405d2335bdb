import io
import threading

import pytest

from colony_jupyter.notebook.session.cells import Cells
from colony_jupyter.notebook.session.request import is_headless
from colony_jupyter.notebook.views.choose import open_view
from colony_jupyter.notebook.views.refresh_thread import Flusher
from colony_jupyter.notebook.views.terminal import TextView
from colony_jupyter.notebook.views.transcript import TranscriptOutput, TranscriptView
from colony_jupyter.wire.models import ProcessState


class Sink:
    def __init__(self, again=(), fails=False) -> None:
        self.called = threading.Semaphore(0)
        self.again = list(again)
        self.fails = fails
        self.calls = 0

    def flush(self):
        self.calls += 1
        self.called.release()
        if self.fails:
            raise RuntimeError("broken")
        return self.again.pop(0) if self.again else None


def panes():
    return [thread for thread in threading.enumerate() if thread.name == "colony-panes"]


def test_news_are_gathered_and_the_thread_ends():
    flusher = Flusher(0.05)
    sink = Sink()
    flusher.wake(sink)
    assert sink.called.acquire(timeout=5)
    for _ in range(100):
        flusher.wake(sink)
    assert sink.called.acquire(timeout=5)
    for thread in panes():
        thread.join(5)
    assert sink.calls == 2
    assert not panes()


def test_a_sink_may_ask_to_be_called_again():
    flusher = Flusher(0.01)
    sink = Sink(again=[0.02, 0.02])
    flusher.wake(sink)
    for _ in range(3):
        assert sink.called.acquire(timeout=5)


def test_one_that_fails_does_not_stop_the_others(caplog):
    flusher = Flusher(0.01)
    bad, good = Sink(fails=True), Sink(again=[0.0])
    flusher.wake(bad)
    flusher.wake(good)
    assert bad.called.acquire(timeout=5)
    assert good.called.acquire(timeout=5)
    assert good.called.acquire(timeout=5)
    assert "could not be refreshed" in caplog.text


def test_one_that_is_forgotten_is_called_no_more():
    flusher = Flusher(0.01)
    sink = Sink()
    flusher.wake(sink, after=60)
    flusher.forget(sink)
    for thread in panes():
        thread.join(5)
    assert sink.calls == 0


def stream(view, make):
    view.process(make.record(ProcessState.WAITING), waiting_for="waiting for an executor of type 'cli'")
    view.flush()
    view.process(make.record(ProcessState.RUNNING), "laptop-7f3a")
    view.entries("progress", [make.entry("hello \x1b]0;title\x07there")], make.names, make.me)
    view.entries("progress", [make.entry(f"step {at}/3") for at in (1, 2, 3)], make.names, make.me)
    view.note("resumed")
    view.flush()
    view.process(make.record(ProcessState.SUCCESS, output=["ok"]), "laptop-7f3a")
    view.finish()


def test_a_terminal_gets_lines_and_one_bar(make):
    out = io.StringIO()
    stream(TextView("long-task", stream=out), make)
    text = out.getvalue()
    lines = [line.rsplit("\r", 1)[-1] for line in text.rstrip("\n").split("\n")]
    assert lines[0] == "long-task 424d6828: WAITING, waiting for an executor of type 'cli'"
    assert lines[1] == "long-task 424d6828: RUNNING on laptop-7f3a"
    assert lines[2].endswith("laptop-7f3a  hello there")
    assert lines[3].endswith("resumed")
    assert lines[-1] == 'Output: "ok"'
    assert "step 3/3" in text
    assert "\x1b]0;" not in text
    assert sum("step" in line for line in lines) == 1


def test_a_terminal_repeats_no_line_because_time_goes_by(make):
    out = io.StringIO()
    view = TextView("long-task", stream=out)
    for minutes in (4, 5, 6):
        heard = f"waiting for 1 executor of type 'x', last heard {minutes} min ago"
        view.process(make.record(ProcessState.WAITING), waiting_for=heard)
        view.flush()
    view.process(make.record(ProcessState.WAITING), waiting_for="waiting for an executor of type 'x' to be free")
    view.flush()
    assert out.getvalue().splitlines() == [
        "long-task 424d6828: WAITING, waiting for 1 executor of type 'x', last heard 4 min ago",
        "long-task 424d6828: WAITING, waiting for an executor of type 'x' to be free",
    ]


def test_a_chat_in_a_terminal_streams_on_one_line(make):
    out = io.StringIO()
    view = TextView("chat", kind="chat", stream=out)
    view.entries("chat", [make.entry("hello?", mine=True)], make.names, make.me)
    view.flush()
    for piece in ("Hel", "lo", "!"):
        view.entries("chat", [make.entry(piece, inreplyto=1)], make.names, make.me)
        view.flush()
    view.entries("chat", [make.entry("", type="turn", inreplyto=1)], make.names, make.me)
    view.finish()
    assert out.getvalue() == "laptop-7f3a: Hello!\n"


def test_a_transcript_is_refreshed_now_and_then_and_at_the_end(make):
    published = []
    view = TranscriptView("long-task", publish=lambda data, **how: published.append((data, how)))
    view.show()
    stream(view, make)
    assert len(published) == 2  # shown, and at the end: all within one interval
    assert published[1][1] == {"display_id": published[0][1]["display_id"], "update": True}
    assert 'Output: "ok"' in published[1][0]["text/plain"]
    assert view.flush() is not None  # too soon for another


def test_the_more_transcripts_there_are_the_rarer_each_is_refreshed(clock):
    due = set()
    outputs = [TranscriptOutput(lambda *_, **__: None, clock=clock, due=due) for _ in range(10)]
    alone, *others = outputs
    for output in outputs:
        output.show({})
    clock.at += 1.0
    assert alone.wait() == 1.0
    for other in others:
        other.wait()
    assert alone.wait() == 4.0
    clock.at += 4.0
    assert alone.wait() == 0.0
    alone.replace({})
    for other in others:
        other.close()
    assert alone.wait() == 2.0
    assert due == {alone}


def test_after_closing_nothing_is_written(make):
    out = io.StringIO()
    view = TextView("long-task", stream=out)
    view.close()
    stream(view, make)
    assert out.getvalue() == ""
    assert not view._fed  # nor kept for ever


def test_without_a_kernel_it_is_text(capsys, make):
    view = open_view("long-task")
    assert is_headless()
    assert isinstance(view, TextView)
    stream(view, make)
    assert capsys.readouterr().out.endswith('Output: "ok"\n')


class Pane:
    closed = False

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("cell", ["one", None])
def test_running_a_cell_again_closes_its_panes(cell):
    cells = Cells()
    first, second, third, other = Pane(), Pane(), Pane(), Pane()

    def request(run, name=cell):
        return {"header": {"msg_id": run}, "metadata": {"cellId": name} if name else {}}

    cells.adopt(first, request("1"))
    cells.adopt(second, request("1"))
    cells.adopt(other, request("2", "other"))
    assert not first.closed
    cells.adopt(third, request("3"))
    assert first.closed == second.closed == bool(cell)
    assert not third.closed
    assert not other.closed


def test_who_feeds_it_is_told_once_that_it_is_closed():
    told = []
    view = TextView("long-task", stream=io.StringIO())
    view.on_close = lambda: told.append(1)
    view.close()
    view.close()
    assert told == [1]
