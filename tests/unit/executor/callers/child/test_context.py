"""What a caller's function is handed: the calls that it makes reach its executor, and their replies come back."""

from __future__ import annotations

import base64

import msgspec
import pytest

import colony_jupyter as cj
from colony_jupyter.errors import UsageError
from colony_jupyter.executor.callers.child.context import AsyncChildContext, ChildContext
from colony_jupyter.executor.callers.protocol import PassedEntry
from colony_jupyter.wire.models import FunctionSpec, ProcessRecord


class Link:
    """Records the calls and replies what is planned for each verb."""

    def __init__(self) -> None:
        self.calls: list[tuple] = []
        self.replies: dict[str, list] = {}

    def call(self, verb, channel="", **values):
        self.calls.append((verb, channel, values))
        reply = self.replies.get(verb)
        value = reply.pop(0) if reply else (0 if verb == "send" else None)
        if isinstance(value, Exception):
            raise value
        return value

    @property
    def verbs(self):
        return [verb for verb, _, _ in self.calls]

    @property
    def sent(self):
        """Channel, type and payload of the entries that were sent."""
        return [(channel, values["kind"], values["payload"]) for verb, channel, values in self.calls if verb == "send"]


def entries(*texts):
    """Return entries as the executor replies them."""
    return [
        msgspec.to_builtins(
            PassedEntry(2 * number, 1, "", "s" * 64, text.encode(), "data", False), builtin_types=(bytes,)
        )
        for number, text in enumerate(texts, 1)
    ]


@pytest.fixture
def link():
    return Link()


@pytest.fixture
def record():
    spec = FunctionSpec(funcname="f", args=[1], channels=["progress", "out", "sync"])
    return ProcessRecord(processid="a" * 64, spec=spec, input=[3])


@pytest.fixture
def context(record, link):
    return ChildContext(record, link)


@pytest.fixture
def async_context(record, link):
    return AsyncChildContext(record, link)


class TestBlocking:
    def test_what_is_sent_has_payload_type_and_the_entry_it_answers(self, context, link):
        link.replies["send"] = [2, 4, 6, 8]
        channel = context.channel("out")
        assert channel.send({"loss": 0.5}, type="metric", inreplyto=3) == 2
        assert channel.send("text") == 4
        assert channel.end(inreplyto=5) == 6
        assert channel.error("no luck") == 8
        assert link.calls == [
            ("send", "out", {"payload": b'{"loss":0.5}', "kind": "metric", "inreplyto": 3}),
            ("send", "out", {"payload": b"text", "kind": "data", "inreplyto": 0}),
            ("send", "out", {"payload": b"", "kind": "end", "inreplyto": 5}),
            ("send", "out", {"payload": b"no luck", "kind": "error", "inreplyto": 0}),
        ]

    def test_text_is_written_and_flushed(self, context, link):
        context.channel("out").write("text", inreplyto=3)
        context.channel("out").flush()
        assert link.calls == [("write", "out", {"payload": b"text", "inreplyto": 3}), ("flush", "out", {})]

    def test_what_is_no_text_is_not_written(self, context, link):
        with pytest.raises(UsageError, match=r"write\(\) takes text, and was given a value of type int: use send\(\)"):
            context.channel("out").write(5)
        assert link.calls == []

    def test_an_answer_and_what_is_there_are_entries(self, context, link):
        link.replies = {"ask": [entries("7")], "read": [entries("a", "b")]}
        answer = context.channel("out").ask("how many?", timeout=5)
        assert (answer.text, answer.sequence, answer.inreplyto) == ("7", 2, 1)
        assert [entry.text for entry in context.channel("out").read(start=1, limit=2)] == ["a", "b"]
        assert link.calls[0] == ("ask", "out", {"payload": b"how many?", "timeout": 5})
        assert link.calls[1] == ("read", "out", {"start": 1, "limit": 2})

    def test_a_stream_is_read_to_its_end_and_closed(self, context, link):
        link.replies = {"open": [5], "next": [entries("a", "b"), entries("c"), []]}
        assert [entry.text for entry in context.channel("out")] == ["a", "b", "c"]
        assert link.verbs == ["open", "next", "next", "next", "close"]
        assert link.calls[-1] == ("close", "", {"stream": 5})

    def test_a_stream_that_is_left_or_fails_is_closed(self, context, link):
        link.replies = {"open": [5], "next": [entries("a", "b")]}
        stream = context.channel("out").stream(limit=9, errors="yield")
        assert next(stream).text == "a"
        stream.close()
        assert link.calls[0] == ("open", "out", {"limit": 9, "errors": "yield"})
        assert link.verbs[-1] == "close"
        link.replies = {"open": [6], "next": [cj.StreamError("a" * 64, "out", None)]}
        with pytest.raises(cj.StreamError):
            next(context.channel("out").stream())
        assert link.calls[-1] == ("close", "", {"stream": 6})

    def test_progress_goes_to_its_channel_and_a_displayed_object_to_the_first_one(self, context, link):
        assert list(context.progress([1, 2], message="work")) == [1, 2]
        context.display("shown")
        context.display("there", channel="out")
        assert {channel for channel, _, _ in link.sent[:-2]} == {"progress"}
        assert msgspec.json.decode(link.sent[0][2]) == {"current": 0, "total": 2, "message": "work"}
        assert [(channel, kind) for channel, kind, _ in link.sent[-2:]] == [("progress", "display"), ("out", "display")]
        assert msgspec.json.decode(link.sent[-1][2]) == {"text/plain": "there"}

    def test_progress_without_a_channel_is_counted_only(self, context, link):
        context.process.spec.channels[:] = ["a", "b"]
        assert list(context.progress(2)) == [0, 1]
        assert link.calls == []

    def test_a_line_goes_to_the_log(self, context, link):
        context.log("a line")
        assert link.calls == [("log", "", {"payload": b"a line"})]


class TestAsynchronous:
    async def test_the_same_calls_are_awaited(self, async_context, link):
        link.replies = {"send": [2, 4], "ask": [entries("7")], "read": [entries("a")]}
        channel = async_context.channel("out")
        assert channel.name == "out"
        assert await channel.send("text") == 2
        assert await channel.end() == 4
        await channel.write("text")
        await channel.flush()
        assert (await channel.ask("how many?")).text == "7"
        assert [entry.text for entry in await channel.read()] == ["a"]
        assert link.verbs == ["send", "send", "write", "flush", "ask", "read"]

    async def test_a_stream_is_read_to_its_end(self, async_context, link):
        link.replies = {"open": [5], "next": [entries("a", "b"), []]}
        assert [entry.text async for entry in async_context.channel("out")] == ["a", "b"]
        assert link.verbs[-1] == "close"

    async def test_progress_display_and_log(self, async_context, link):
        assert [step async for step in async_context.progress(2)] == [0, 1]
        await async_context.display("shown", channel="out")
        await async_context.log("a line")
        assert link.sent[0][0] == "progress"
        assert link.sent[-1][:2] == ("out", "display")
        assert link.calls[-1] == ("log", "", {"payload": b"a line"})

    async def test_progress_without_a_channel_is_counted_only(self, async_context, link):
        async_context.process.spec.channels[:] = []
        assert [step async for step in async_context.progress([5])] == [5]
        assert link.calls == []


@pytest.mark.parametrize("kind", [ChildContext, AsyncChildContext])
class TestFacts:
    def test_the_process_is_known_as_it_was_assigned(self, kind, record, link):
        context = kind(record, link)
        assert str(context.process) == context.process.processid == "a" * 64
        assert (context.process.funcname, context.process.spec.args, context.input) == ("f", [1], [3])
        assert context.process.record is record

    def test_it_is_never_asked_to_stop_since_it_is_killed(self, kind, record, link):
        assert kind(record, link).cancelled is False

    def test_there_is_no_colony_and_the_error_names_what_there_is(self, kind, record, link):
        with pytest.raises(UsageError, match=r"has no colony, since it has no key: use channel\(\), progress\(\)"):
            _ = kind(record, link).colony


def test_bytes_pass_unchanged(context, link):
    payload = base64.b64decode("AP+A")
    context.channel("out").send(payload)
    assert link.sent == [("out", "data", payload)]
