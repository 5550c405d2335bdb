"""The calls that an executor makes for a caller's function."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import threading

import msgspec
import pytest

from colony_jupyter.executor.callers.protocol import Request
from colony_jupyter.executor.callers.requests import Requests


@pytest.fixture
def answers(make_executor, submit):
    """Return a function that has requests answered in a process, and returns the process and its replies."""
    executor = make_executor("answering")
    asked: list[Request] = []
    may_begin = threading.Event()

    @executor.function("answer")
    async def answer(context):
        await asyncio.to_thread(may_begin.wait, 10)
        async with contextlib.aclosing(Requests(context)) as requests:
            return msgspec.to_builtins([await requests.answer(request) for request in asked], str_keys=True)

    executor.start()

    def answers(*requests, before=()):
        asked[:] = requests
        process = submit("answer", executortype="answering", channels=["out", "in"])
        for text in before:
            process.channel("in").send(text)
        may_begin.set()
        replies = process.result(timeout=20)
        assert [each["number"] for each in replies] == [each.number for each in requests]
        return process, [each["error"] or each["value"] for each in replies]

    return answers


def texts(entries):
    """Return type and text of entries as they are handed to the process."""
    return [(entry[5], base64.b64decode(entry[4]).decode()) for entry in entries]


def test_entries_are_sent_and_text_is_written_and_flushed(answers, colony):
    process, replies = answers(
        Request(1, "send", "out", payload=b"one", kind="note", inreplyto=3),
        Request(2, "write", "out", payload=b"two \xff"),
        Request(3, "flush", "out"),
        Request(4, "read", "out"),
        Request(5, "read", "out", start=1, limit=1),
        Request(6, "log", payload=b"a line \xff"),
    )
    assert replies[0] == 2
    assert replies[1:3] == [None, None]
    assert texts(replies[3]) == [("note", "one"), ("data", "two �")]
    assert texts(replies[4]) == [("data", "two �")]
    assert [line.message for line in colony.logs(process)] == ["a line �"]


def test_a_stream_is_opened_read_and_closed(answers):
    _, replies = answers(
        Request(1, "open", "in", limit=2),
        Request(2, "next", stream=1),
        Request(3, "close", stream=1),
        Request(4, "next", stream=1),
        Request(5, "close", stream=1),
        before=["a", "b", "c"],
    )
    assert replies[0] == 1
    assert texts(replies[1])[0] == ("data", "a")
    assert replies[2] is None
    assert replies[3] == ["UsageError", "The stream was closed."]
    assert replies[4] is None


def test_a_stream_that_is_left_open_ends_with_the_function(answers):
    _, replies = answers(Request(1, "open", "in"), Request(2, "open", "in"), before=["a"])
    assert replies == [1, 2]


def test_errors_are_replies_with_their_class(answers):
    _, replies = answers(
        Request(1, "ask", "out", payload=b"well?", timeout=0.05),
        Request(2, "read", "undeclared"),
        Request(3, "open", "in", timeout=0.05),
        Request(4, "next", stream=1),
    )
    assert [reply[0] for reply in (replies[0], replies[1], replies[3])] == [
        "WaitTimeout",
        "ChannelNotFound",
        "WaitTimeout",
    ]
    assert "This process has: out, in" in replies[1][1]


def test_a_question_is_answered(make_executor, submit):
    executor = make_executor("asking")

    @executor.function("ask")
    async def ask(context):
        reply = await Requests(context).answer(Request(9, "ask", "out", payload=b"how many?", timeout=10))
        ((_, inreplyto, _, _, payload, kind, _),) = [msgspec.to_builtins(each) for each in reply.value]
        return [reply.number, inreplyto, payload, kind]

    executor.start()
    process = submit("ask", executortype="asking", channels=["out"])
    for entry in process.channel("out"):
        process.channel("out").send("7", inreplyto=entry.sequence)
        break
    number, inreplyto, payload, kind = process.result(timeout=20)
    assert (number, inreplyto, kind) == (9, 2, "data")
    assert payload == "Nw=="


def test_no_stream_stays_open_when_the_requests_are_closed(make_executor, submit):
    executor = make_executor("closing")
    counts = []

    @executor.function("close")
    async def close(context):
        requests = Requests(context)
        for number in range(3):
            await requests.answer(Request(number, "open", "in"))
        reading = [asyncio.create_task(requests.answer(Request(9, "next", stream=each))) for each in (1, 2, 3)]
        await asyncio.sleep(0.2)
        await requests.aclose()
        counts.extend((await asyncio.wait(reading, timeout=5))[0])

    executor.start()
    submit("close", executortype="closing", channels=["in"]).result(timeout=20)
    assert len(counts) == 3
