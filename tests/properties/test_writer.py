"""The writer against a server that refuses and a link that loses replies: the log holds what was sent, in order.

Sends are cancelled at any point, several tasks write, replies to reads get lost too, and the peer writes meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from types import SimpleNamespace

import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from colony_jupyter.channels.outbox import AppendLimiter
from colony_jupyter.client.writer import ChannelWriter
from colony_jupyter.errors import RateLimited, ServerUnreachable
from colony_jupyter.wire import messages
from colony_jupyter.wire.models import Entry

WATCHER = SimpleNamespace(processid="p")  # the process is asked for only after a refusal


class Server:
    """One channel, whose calls go wrong as planned: each trouble is used once.

    Args:
        troubles: of appends.
        read_troubles: of reads; true for one whose reply is lost.
    """

    def __init__(self, troubles=(), read_troubles=()) -> None:
        self.log: list[Entry] = []
        self.troubles = list(troubles)
        self.read_troubles = list(read_troubles)
        self.key = SimpleNamespace(id="me")
        self.endpoint = None
        self.read = 0  # entries

    def add(self, sender, sequence, payload=b"", inreplyto=0):
        self.log.append(
            Entry(
                sequence=sequence,
                senderid=sender,
                payload=payload,
                inreplyto=inreplyto,
                timestamp=str(len(self.log)),
            )
        )

    async def call(self, message, shape):
        await asyncio.sleep(0)
        if isinstance(message, messages.ChannelRead):
            if self.read_troubles and self.read_troubles.pop(0):
                raise ServerUnreachable("here", "cut", sent=True)
            page = self.log[message.afterseq : message.afterseq + message.limit]
            self.read += len(page)
            return page
        trouble = self.troubles.pop(0) if self.troubles else "none"
        if trouble == "refused":
            raise RateLimited(500, "rate limit exceeded")
        if trouble == "unreachable":
            raise ServerUnreachable("here", "connection refused")
        if trouble == "request lost":
            raise ServerUnreachable("here", "cut", sent=True)
        self.add("me", message.sequence, message.payload, message.inreplyto)
        await asyncio.sleep(0)  # a call that is cancelled here was carried out
        if trouble == "answer lost":
            raise ServerUnreachable("here", "cut", sent=True)
        return {}


def fast_limiter():
    return AppendLimiter(0.0, rate=1e6, burst=1e6)


def writer_to(server, *, fresh=True):
    return ChannelWriter(server, WATCHER, "c", initiator=True, fresh=fresh, limiter=fast_limiter())


TROUBLES = st.lists(
    st.sampled_from(("none", "none", "refused", "unreachable", "request lost", "answer lost")), max_size=12
)
WORKS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.text(max_size=5), st.just(0)),
        st.tuples(st.just("write"), st.text(max_size=5), st.sampled_from((0, 0, 1, 3))),
        st.tuples(st.just("flush"), st.just(""), st.just(0)),
    ),
    max_size=12,
)


@settings(max_examples=examples(150), deadline=None)
@given(works=WORKS, troubles=TROUBLES)
def test_the_log_holds_exactly_what_was_sent(works, troubles):
    server = Server(troubles)

    async def play():
        writer = ChannelWriter(
            server, WATCHER, "c", initiator=True, fresh=True, limiter=AppendLimiter(0.0, rate=1e6, burst=1e6)
        )
        for kind, text, inreplyto in works:
            if kind == "send":
                await writer.send(text)
            elif kind == "write":
                await writer.write(text, inreplyto=inreplyto)
            else:
                await writer.flush()
        await writer.flush()
        await writer.aclose()

    asyncio.run(play())
    # Text may be joined with its neighbours, messages may not: compare all text, and the messages as they stand.
    sent = [text for kind, text, _ in works if kind != "flush"]
    assert "".join(entry.text for entry in server.log) == "".join(sent).encode("utf-8", "replace").decode()
    messages_sent = [text.encode("utf-8", "replace") for kind, text, _ in works if kind == "send"]
    payloads = iter(entry.payload for entry in server.log)
    assert all(any(payload == message for payload in payloads) for message in messages_sent)
    assert [entry.sequence for entry in server.log] == list(range(1, 2 * len(server.log), 2))


@settings(max_examples=examples(30), deadline=None)
@given(troubles=TROUBLES)
def test_many_tasks_share_one_numbering(troubles):
    server = Server(troubles)

    async def play():
        writer = ChannelWriter(
            server, WATCHER, "c", initiator=False, fresh=True, limiter=AppendLimiter(0.0, rate=1e6, burst=1e6)
        )
        return await asyncio.gather(*(writer.send(str(n)) for n in range(10)))

    sequences = asyncio.run(play())
    assert sorted(sequences) == list(range(2, 22, 2))
    assert [entry.text for entry in server.log] == [str(n) for n in range(10)]


# What one task does: how, which entry it answers, and after how many turns of the loop it is cancelled (0: never).
STEPS = st.lists(
    st.tuples(st.sampled_from(("send", "write", "flush", "peer")), st.sampled_from((0, 1, 3)), st.integers(0, 6)),
    max_size=8,
)


class Caller:
    """One task that writes pieces of text, each of which names the entry that it answers.

    Args:
        server: the server.
        writer: the writer, shared with other tasks.
        number: the task's number.
    """

    def __init__(self, server, writer, number) -> None:
        self.server, self.writer, self.number = server, writer, number
        self.accepted, self.begun = [], set()

    async def run(self, steps):
        for step, (kind, inreplyto, turns) in enumerate(steps):
            if kind == "peer":
                self.server.add("peer", 2 * (len(self.server.log) + 1))
            else:
                await self.do(kind, f"<{self.number}.{step}.{inreplyto}>", inreplyto, turns)

    async def do(self, kind, piece, inreplyto, turns):
        self.begun.add(piece)
        calls = {"write": self.writer.write, "send": self.writer.send}
        doing = self.writer.flush() if kind == "flush" else calls[kind](piece, inreplyto=inreplyto)
        task = asyncio.ensure_future(doing)
        if turns:
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
            if kind != "flush":
                self.accepted.append(piece)


@settings(max_examples=examples(150), deadline=None)
@given(
    tasks=st.lists(STEPS, min_size=1, max_size=3),
    troubles=TROUBLES,
    read_troubles=st.lists(st.booleans(), max_size=4),
    fresh=st.booleans(),
)
def test_whatever_is_cancelled_every_piece_is_appended_once_with_its_inreplyto(tasks, troubles, read_troubles, fresh):
    server = Server(troubles, read_troubles)

    async def run():
        writer = writer_to(server, fresh=fresh)
        callers = [Caller(server, writer, number) for number in range(len(tasks))]
        await asyncio.gather(*(caller.run(steps) for caller, steps in zip(callers, tasks, strict=True)))
        await writer.flush()
        await writer.aclose()
        return callers, writer.lost

    callers, lost = asyncio.run(run())
    mine = [entry for entry in server.log if entry.senderid == "me"]
    found = [(piece, entry.inreplyto) for entry in mine for piece in re.findall("<.*?>", entry.text)]
    pieces = [piece for piece, _ in found]
    assert len(pieces) == len(set(pieces)), "a piece was appended twice"
    assert set(pieces) <= set().union(*(caller.begun for caller in callers))
    assert all(piece.endswith(f".{inreplyto}>") for piece, inreplyto in found)
    assert [entry.sequence for entry in mine] == list(range(1, 2 * len(mine), 2))
    for caller in callers:
        assert [piece for piece in pieces if piece in caller.accepted] == caller.accepted
    assert lost == 0


def test_a_lost_reply_costs_the_same_however_long_the_log_is():
    async def cost(length):
        server = Server()
        writer = writer_to(server)
        for number in range(length):
            await writer.send(str(number))
        for _ in range(5):
            server.troubles = ["answer lost"]
            await writer.send("once more")
        return server.read

    assert asyncio.run(cost(10)) == asyncio.run(cost(2000)) == 10


def test_a_log_that_the_server_lost_is_reported_at_the_next_check(caplog):
    async def play():
        server = Server()
        writer = writer_to(server)
        for text in ("one", "two"):
            await writer.send(text)
        server.log.clear()
        server.troubles = ["unreachable"]
        await writer.send("three")
        await writer.send("four")
        return server, writer.lost

    server, lost = asyncio.run(play())
    assert lost == 2
    assert "lost the log of channel 'c'" in caplog.text
    assert "2 entries sent before" in caplog.text
    assert [entry.text for entry in server.log] == ["three", "four"]


def test_text_survives_a_send_that_is_cancelled():
    async def play():
        server = Server()
        writer = writer_to(server)
        await writer.write("accepted. ")
        sending = asyncio.create_task(writer.send("next"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await writer.write("after")
        await writer.flush()
        return [entry.text for entry in server.log]

    assert asyncio.run(play()) == ["accepted. ", "after"]


def test_an_append_that_never_gets_through_ends_although_reads_do(monkeypatch):
    monkeypatch.setattr("colony_jupyter.client.writer.UNREACHABLE", 0.2)
    server = Server(["request lost"] * 1000)

    async def play():
        with pytest.raises(ServerUnreachable):
            await writer_to(server).send("too much for the link")

    asyncio.run(asyncio.wait_for(play(), 20))
