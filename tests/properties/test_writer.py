"""The writer against a server that refuses, and loses answers: the log holds exactly what was sent, in order."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

from hypothesis import given, settings
from hypothesis import strategies as st

from colony_jupyter.channels.outbox import Bucket
from colony_jupyter.client.writer import ChannelWriter
from colony_jupyter.errors import RateLimited, ServerUnreachable
from colony_jupyter.wire import messages
from colony_jupyter.wire.models import Entry


class Server:
    """One channel, whose appends go wrong as told: each trouble is used once."""

    def __init__(self, troubles) -> None:
        self.log: list[Entry] = []
        self.troubles = list(troubles)
        self.key = SimpleNamespace(id="me")
        self.endpoint = None

    async def call(self, message, shape):
        await asyncio.sleep(0)
        if isinstance(message, messages.ChannelRead):
            return list(self.log)
        trouble = self.troubles.pop(0) if self.troubles else "none"
        if trouble == "refused":
            raise RateLimited(500, "rate limit exceeded")
        if trouble == "unreachable":
            raise ServerUnreachable("here", "connection refused")
        if trouble == "request lost":
            raise ServerUnreachable("here", "cut", sent=True)
        self.log.append(
            Entry(
                sequence=message.sequence,
                senderid="me",
                payload=message.payload,
                inreplyto=message.inreplyto,
                timestamp=str(len(self.log)),
            )
        )
        if trouble == "answer lost":
            raise ServerUnreachable("here", "cut", sent=True)
        return {}

    def watch(self, processid):
        raise AssertionError("nothing here is refused for good")


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


@settings(max_examples=150, deadline=None)
@given(works=WORKS, troubles=TROUBLES)
def test_the_log_holds_exactly_what_was_sent(works, troubles):
    server = Server(troubles)

    async def play():
        writer = ChannelWriter(server, "p", "c", initiator=True, fresh=True, bucket=Bucket(0.0, rate=1e6, burst=1e6))
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


@settings(max_examples=30, deadline=None)
@given(troubles=TROUBLES)
def test_many_tasks_share_one_numbering(troubles):
    server = Server(troubles)

    async def play():
        writer = ChannelWriter(server, "p", "c", initiator=False, fresh=True, bucket=Bucket(0.0, rate=1e6, burst=1e6))
        return await asyncio.gather(*(writer.send(str(n)) for n in range(10)))

    sequences = asyncio.run(play())
    assert sorted(sequences) == list(range(2, 22, 2))
    assert [entry.text for entry in server.log] == [str(n) for n in range(10)]
