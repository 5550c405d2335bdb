"""Every end of a function reaches the server, whatever its texts and values contain."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from types import SimpleNamespace

import pytest
import virtual_time
from awkward import ERRORS, OUTPUTS, TEXTS, offer_awkward

import colony_jupyter as cj
from colony_jupyter.executor import closing
from colony_jupyter.executor.closing import Outcome
from colony_jupyter.wire.models import Entry


@pytest.fixture
def executor(make_executor):
    executor = make_executor()
    offer_awkward(executor)
    executor.start()
    return executor


@pytest.mark.parametrize("kind", ["plain", "async"])
@pytest.mark.parametrize("name", ERRORS)
def test_every_error_reaches_the_server_with_its_type(executor, submit, kind, name):
    process = submit(f"raise-{kind}", name)
    with pytest.raises(cj.ProcessFailed) as raised:
        process.result(timeout=10)
    _, expected = ERRORS[name]
    assert raised.value.errors[0].startswith(expected)
    assert any("awkward.py, line " in each for each in raised.value.errors[1:])
    assert all(len(each) < 25_000 for each in raised.value.errors)


@pytest.mark.parametrize("name", OUTPUTS)
def test_every_output_with_characters_that_cannot_be_stored_arrives(executor, submit, name):
    _, expected = OUTPUTS[name]
    assert submit("return", name).result(timeout=10) == expected


@pytest.mark.parametrize("where", ["log", "progress", "write", "send", "error"])
@pytest.mark.parametrize("index", range(len(TEXTS)))
def test_a_function_may_report_any_text(executor, submit, colony, where, index):
    process = submit(where, index, channels=["progress"])
    assert process.result(timeout=10) == "fine"
    if where == "log":
        assert [line.message for line in colony.logs(process)] == [list(TEXTS.values())[index]]


def test_text_written_and_not_flushed_arrives_before_the_end(make_executor, submit):
    executor = make_executor()

    @executor.function("write")
    async def write(context):
        for number in range(200):
            await context.channel("out").write(f"{number} ")

    executor.start()
    process = submit("write", channels=["out", "sync"])
    assert "".join(entry.text for entry in process.channel("out")).split() == [str(n) for n in range(200)]
    assert process.result(timeout=10) is None


@pytest.mark.parametrize(("channels", "other"), [(["out", "other"], []), (["out", "other", "sync"], ["end"])])
def test_what_was_written_to_is_ended(make_executor, submit, channels, other):
    """With `sync` all channels are ended: the executor waits for every reader, and a reader waits for its end entry."""
    executor = make_executor()
    go = threading.Event()

    @executor.function("write")
    def write(context):
        go.wait(10)
        context.channel("out").send("x")

    executor.start()
    process = submit("write", channels=channels)
    types = {}
    reading = threading.Barrier(3)

    def read(name):
        process.channel(name).send("first", type="greeting")
        stream = process.channel(name).stream(to_end=False, timeout=20)
        assert next(iter(stream)).type == "greeting"
        reading.wait(10)
        types[name] = [entry.type for entry in stream]

    readers = [threading.Thread(target=read, args=(name,)) for name in ("out", "other")]
    for reader in readers:
        reader.start()
    process.running(10)
    reading.wait(10)
    go.set()
    started = time.monotonic()
    assert process.result(timeout=10) is None
    assert time.monotonic() - started < 5
    for reader in readers:
        reader.join(10)
    assert types == {"out": ["data", "end"], "other": other}


def test_the_reader_is_waited_for_and_closing_happens_all_the_same(make_executor, submit, monkeypatch, caplog):
    monkeypatch.setattr(closing.Closing.__init__, "__kwdefaults__", {"ack_seconds": 0.5})
    executor = make_executor()

    @executor.function("write")
    async def write(context):
        await context.channel("out").send("x")

    executor.start()
    process = submit("write", channels=["out", "sync"])
    process.running(10)
    process.closed(10)
    assert process.refresh().state is cj.ProcessState.SUCCESS
    assert "did not acknowledge" in caplog.text


class Writer:
    """The writer of a channel."""

    def __init__(self, *, is_used=True, has_ended=False, hangs=False) -> None:
        self.is_used, self.has_ended, self._hangs = is_used, has_ended, hangs

    async def flush(self):
        if self._hangs:
            await asyncio.Event().wait()


class Channel:
    """A channel that notes what is sent, and gives entries at times, in seconds from the beginning."""

    def __init__(self, name, sent, arriving) -> None:
        self._name, self._sent, self._arriving = name, sent, arriving

    async def error(self, text, *, inreplyto):
        self._sent.append((self._name, "error", text, inreplyto))

    async def end(self):
        self._sent.append((self._name, "end"))

    def stream(self, **_):
        return contextlib.nullcontext(self._entries())

    async def _entries(self):
        for seconds, senderid, text in self._arriving:
            await asyncio.sleep(seconds)
            yield Entry(sequence=1, senderid=senderid, payload=text.encode())
        await asyncio.Event().wait()


@pytest.fixture
def close(monkeypatch):
    """Return a function that closes a process on virtual time; it returns what was sent, and after how many seconds."""

    async def closed(process, outcome, _started):
        del process, outcome

    monkeypatch.setattr(closing, "close_process", closed)

    def close(outcome, writers, *, arriving=(), answering=None, hurries_after=None):
        sent = []
        process = SimpleNamespace(
            spec=SimpleNamespace(channels=list(writers)),
            shared=SimpleNamespace(writers={name: writer for name, writer in writers.items() if writer is not None}),
            channel=lambda name: Channel(name, sent, arriving),
            initiatorid="user",
        )

        async def run():
            loop, hurry = asyncio.get_running_loop(), asyncio.Event()
            if hurries_after == 0.0:
                hurry.set()
            elif hurries_after is not None:
                loop.call_later(hurries_after, hurry.set)
            begun = loop.time()
            await closing.Closing(process, "", answering=answering or {}, hurry=hurry).run(outcome)
            return loop.time() - begun

        return sent, virtual_time.run(run())

    return close


FAILED = Outcome(errors=("no luck",))


@pytest.mark.parametrize(
    ("outcome", "arriving", "hurries_after", "seconds"),
    [
        (Outcome(), (), None, 30.0),
        (FAILED, (), None, 3.0),
        (Outcome(), [(5.0, "user", "ack\n")], None, 5.0),
        (Outcome(), [(1.0, "user", "no"), (1.0, "executor", "ack"), (1.0, "user", "ack")], None, 3.0),
        (FAILED, [(1.0, "user", "ack")], None, 1.0),
        (Outcome(), (), 2.0, 2.0),
    ],
    ids=["success", "failure", "acknowledged", "other entries", "acknowledged failure", "stop"],
)
def test_the_reader_has_its_time_to_acknowledge(close, outcome, arriving, hurries_after, seconds):
    _, took = close(outcome, {"sync": None}, arriving=arriving, hurries_after=hurries_after)
    assert took == pytest.approx(seconds)


@pytest.mark.parametrize(("hurries_after", "seconds"), [(None, 30.0), (0.0, 1.0)])
def test_text_that_cannot_be_delivered_holds_the_end_up_for_a_while_only(close, hurries_after, seconds):
    sent, took = close(Outcome(), {"out": Writer(hangs=True)}, hurries_after=hurries_after)
    assert (sent, took) == ([], pytest.approx(seconds))


@pytest.mark.parametrize(
    ("outcome", "with_sync", "expected"),
    [
        (Outcome(), False, [("out", "end")]),
        (Outcome(), True, [("out", "end"), ("unused", "end"), ("never", "end")]),
        (
            FAILED,
            False,
            [
                ("out", "error", "no luck", 7),
                ("out", "end"),
                ("unused", "error", "no luck", 0),
                ("unused", "end"),
                ("never", "error", "no luck", 0),
                ("never", "end"),
            ],
        ),
    ],
    ids=["success", "success with a reader to wait for", "failure"],
)
def test_channels_are_ended_that_have_not_ended(close, outcome, with_sync, expected):
    writers = {"out": Writer(), "unused": Writer(is_used=False), "never": None, "ended": Writer(has_ended=True)}
    if with_sync:
        writers["sync"] = None
    sent, _ = close(outcome, writers, answering={"out": 7}, arriving=[(0.0, "user", "ack")])
    assert sent == expected


def test_the_tutorials_client_acknowledges_by_hand(make_executor, colony, submit):
    executor = make_executor()

    @executor.function("write")
    async def write(context):
        await context.channel("out").send("x")

    executor.start()
    process = submit("write", channels=["out", "sync"])
    got = []

    def take(entries):
        for entry in entries:
            if entry.is_end:
                colony.channel_append(process, "sync", 1, "ack")
                return False
            got.append(entry.text)
        return True

    colony.subscribe_channel(process, "out", take, timeout=20)
    assert got == ["x"]
    started = time.monotonic()
    process.closed(10)
    assert time.monotonic() - started < 5
