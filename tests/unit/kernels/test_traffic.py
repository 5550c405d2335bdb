"""Entries between a line and the channels of a process, which are stand-ins here."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from types import SimpleNamespace

import pytest
from relay_log import Relay, item

from colony_jupyter.errors import ColonyError
from colony_jupyter.kernels import traffic as traffic_module
from colony_jupyter.kernels.relay.backlog import Backlog
from colony_jupyter.kernels.relay.framing import PART, Item
from colony_jupyter.kernels.relay.gathering import SHORT
from colony_jupyter.kernels.relay.handshake import SEALED
from colony_jupyter.kernels.relay.layout import CTL, OUT, Limits
from colony_jupyter.kernels.traffic import Traffic
from colony_jupyter.wire.models import Entry


class Stream:
    def __init__(self, entries: asyncio.Queue[Entry]) -> None:
        self.entries = entries

    async def __aenter__(self):  # noqa: ANN204
        return self

    async def __aexit__(self, *_):  # noqa: ANN204
        pass

    async def batch(self):
        return [await self.entries.get()]


class Process:
    """Has channels that a test fills, and keeps what is sent."""

    def __init__(self) -> None:
        self.entries: dict[str, asyncio.Queue[Entry]] = {}
        self.sent: list[str] = []
        self.payloads: dict[str, list[bytes]] = {}
        self.times: list[tuple[float, float]] = []  # when each append began and ended
        self.seconds = 0.0  # that an append takes
        self.refusals = 0  # appends that fail next
        self.colony = SimpleNamespace(key=SimpleNamespace(id="me"))

    def channel(self, name):
        async def send(payload, *, type):  # noqa: A002
            self.sent.append(name)
            self.payloads.setdefault(name, []).append(payload)
            begun = time.monotonic()
            await asyncio.sleep(self.seconds)
            if self.refusals:
                self.refusals -= 1
                raise ColonyError("The server failed.")
            self.times.append((begun, time.monotonic()))

        queue = self.entries.setdefault(name, asyncio.Queue())
        return SimpleNamespace(stream=lambda **_: Stream(queue), send=send)

    def arrive(self, channel, **fields):
        """Append an entry of the executor's."""
        entry = Entry(**{"senderid": "other", "type": SEALED, "sequence": 2, **fields})
        self.entries.setdefault(channel, asyncio.Queue()).put_nowait(entry)

    def say(self, relay, *texts):
        """Append what the executor puts on ``out``, a batch for each text, after what it sends again."""
        for text in texts:
            relay.host.line.put(OUT, item(text))
            while entries := relay.host.line.pop(OUT):
                for channel, payload in entries:
                    self.arrive(channel, payload=payload)


class Owner:
    """Holds the delivery of a batch until it may go on."""

    def __init__(self, line) -> None:
        self.line = line
        self.delivered: list[bytes] = []
        self.begun = asyncio.Event()
        self.may_go_on = asyncio.Event()
        self.interruptions: list[str] = []

    async def deliver(self, delivery):
        for each in delivery.items:
            self.begun.set()
            await self.may_go_on.wait()
            self.delivered.append(each.frames[0])
        self.line.delivered(delivery)

    def interrupted(self, reason, *, log_is_lost=False):
        self.interruptions.append(reason)


@contextlib.asynccontextmanager
async def connected(limits=None):
    """The traffic of a caller in a session, with what it works on."""
    relay, process = Relay(limits), Process()
    owner = Owner(relay.caller.line)
    relay.session()
    traffic = Traffic(process, relay.caller.line, owner, is_caller=True)
    traffic.start()
    traffic.begin_session()
    expected = SimpleNamespace(relay=relay, process=process, owner=owner, traffic=traffic, interruptions=[])
    yield expected
    owner.may_go_on.set()
    await traffic.aclose()
    assert owner.interruptions == expected.interruptions


@pytest.fixture
async def parties():
    async with connected() as parties:
        yield parties


async def until(holds):
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.001)


async def test_a_new_session_lets_a_batch_be_delivered_as_a_whole_first(parties):
    parties.process.say(parties.relay, b"one")
    await parties.owner.begun.wait()
    parties.relay.session()
    parties.traffic.begin_session()
    parties.process.say(parties.relay, b"two")
    await asyncio.sleep(0)
    parties.owner.may_go_on.set()
    await until(lambda: len(parties.owner.delivered) == 2)
    assert parties.owner.delivered == [b"one", b"two"]


async def test_the_end_waits_for_the_delivery_of_a_batch(parties):
    parties.process.say(parties.relay, b"one", b"two")
    await parties.owner.begun.wait()
    closing = asyncio.create_task(parties.traffic.aclose())
    await asyncio.sleep(0.02)
    assert not closing.done()
    parties.owner.may_go_on.set()
    await closing
    assert parties.owner.delivered == [b"one"]


async def test_a_batch_that_was_given_up_at_the_end_is_delivered_in_the_next_session(parties, monkeypatch):
    monkeypatch.setattr(traffic_module, "_LAST_BATCH", 0.05)
    parties.process.say(parties.relay, b"one")
    await parties.owner.begun.wait()
    await parties.traffic.aclose()
    assert parties.owner.delivered == []
    parties.owner.may_go_on.set()
    parties.relay.session()
    again = Traffic(parties.process, parties.relay.caller.line, parties.owner, is_caller=True)
    again.start()
    again.begin_session()
    parties.process.say(parties.relay)
    parties.process.say(parties.relay, b"two")
    await until(lambda: len(parties.owner.delivered) == 2)
    await again.aclose()
    assert parties.owner.delivered == [b"one", b"two"]


async def test_entries_of_a_former_executor_are_left_out(parties):
    parties.owner.may_go_on.set()
    parties.relay.host.line.put(OUT, item(b"one"))
    [(channel, payload)] = parties.relay.host.line.pop(OUT)
    parties.process.arrive(channel, payload=payload, former=True)
    await until(parties.process.entries[channel].empty)
    for _ in range(5):
        await asyncio.sleep(0)
    assert parties.owner.delivered == []
    parties.process.arrive(channel, payload=payload)
    await until(lambda: parties.owner.delivered == [b"one"])


@pytest.mark.parametrize(("size", "seconds"), [(3 * 2**20, 60.0), (10, 0.05)], ids=["much", "after a while"])
async def test_what_was_delivered_is_acknowledged(monkeypatch, size, seconds):
    monkeypatch.setattr(traffic_module, "_ACK_SECONDS", seconds)
    async with connected() as parties:
        parties.owner.may_go_on.set()
        parties.process.say(parties.relay, os.urandom(size))
        await until(lambda: parties.process.sent == [CTL])


async def test_an_acknowledgement_makes_room_for_what_waits():
    async with connected(Limits(window=100)) as parties:
        for _ in range(3):
            parties.traffic._line.put("in", item(b"x" * 60))
            parties.traffic.wake()
            await asyncio.sleep(0.02)
        assert parties.process.sent == ["in"] * 2
        host = parties.relay.host.line
        for payload in parties.process.payloads["in"]:
            host.delivered(host.feed("in", payload))
        host.note(item(b"", "ack"))
        parties.owner.may_go_on.set()
        for channel, payload in host.pop(CTL):
            parties.process.arrive(channel, payload=payload)
        await until(lambda: parties.process.sent == ["in"] * 3)


async def test_entries_of_both_parties_count_for_the_pace(parties):
    for sender in ("other", "me"):
        for _ in range(150):
            parties.process.arrive(CTL, senderid=sender, type="of no session", payload=b"")
    await until(parties.process.entries[CTL].empty)
    for text in (b"one", b"two"):
        parties.traffic._line.put("in", item(text))
        parties.traffic.wake()
        await until(lambda: parties.process.sent)
    await until(lambda: len(parties.process.times) == 2)
    (_, ended), (begun, _) = parties.process.times
    assert begun - ended >= 0.02


async def test_what_is_complete_is_sent_at_once(parties):
    parties.traffic._line.put(CTL, item(b"x"))
    parties.traffic.wake()
    await until(lambda: CTL in parties.process.sent)


async def test_what_expects_more_waits_for_it_a_moment(parties):
    queue = parties.traffic._line._sending["in"].pending
    queue.patience = SHORT
    for text in (b"one", b"two"):
        parties.traffic._line.put("in", item(text))
        parties.traffic.wake()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert parties.process.sent == []
    await until(lambda: parties.process.sent)
    await asyncio.sleep(0.01)
    assert parties.process.sent == ["in"]


@pytest.mark.parametrize(("lane", "kind"), [("in", "waits"), (CTL, "does not")])
async def test_what_follows_an_append_to_in_waits_for_a_part_of_its_time(parties, lane, kind):
    """The executor's answer to the former messages is then on its way, and none waits for the end of that."""
    parties.process.seconds = 0.2
    for text in (b"one", b"two"):
        parties.traffic._line.put(lane, item(text))
        parties.traffic.wake()
        await until(lambda: parties.process.sent)
    await until(lambda: len(parties.process.times) == 2)
    (_, ended), (begun, _) = parties.process.times
    assert (begun - ended >= 0.03) is (kind == "waits")


@pytest.mark.parametrize(
    ("end", "gap"), [(True, 60.0), (False, 0.5)], ids=["then the end of the cell", "then more text"]
)
async def test_text_of_a_program_that_prints_without_end_gathers_until_something_else_comes(
    parties, monkeypatch, end, gap
):
    monkeypatch.setattr(parties.traffic._pace, "text_gap", lambda _: gap)
    line = parties.traffic._line
    line._sending["in"].pending = Backlog(lambda: "new")

    def put(*frames):
        line.put("in", Item("iopub", [*frames, b"<IDS|MSG>", b"", b'{"msg_type":"status"}', b"{}", b"{}", b"{}"]))
        parties.traffic.wake()

    put(b"stream")
    await until(lambda: parties.process.sent)
    await asyncio.sleep(0.1)
    put(b"stream")
    if end:
        put(b"status")
    await until(lambda: len(parties.process.times) == 2)
    (_, ended), (begun, _) = parties.process.times
    assert (begun - ended < gap - 0.05) is end


async def test_it_is_idle_only_when_a_note_was_sent_too(parties):
    """A note is sent once: a caller that leaves before it was sent would count as there for minutes."""
    parties.process.seconds = 0.05
    parties.traffic._line.note(item(b"x"))
    assert not parties.traffic.is_idle()
    parties.traffic.wake()
    await until(parties.traffic.is_idle)
    assert len(parties.process.times) == 1


async def test_it_is_not_idle_between_the_entries_of_a_batch(parties):
    parties.process.seconds = 0.01
    parties.traffic._line.put("in", item(os.urandom(2 * PART + 1)))
    parties.traffic.wake()
    await until(lambda: parties.traffic.is_idle(("in",)))
    assert len(parties.process.times) == len(parties.process.sent) > 2
    sent = len(parties.process.sent)
    await asyncio.sleep(0.1)
    assert len(parties.process.sent) == sent


async def test_after_a_part_that_could_not_be_appended_the_rest_of_its_batch_is_not_sent(parties):
    """The next session sends all of it again."""
    parties.process.refusals = 1
    parties.interruptions = ["The server failed."]
    parties.traffic._line.put("in", item(os.urandom(2 * PART + 1)))
    parties.traffic.wake()
    await until(lambda: parties.owner.interruptions)
    await until(parties.traffic.is_idle)
    assert parties.process.sent == ["in"]
    parties.relay.session()
    parties.traffic.begin_session()
    await until(lambda: parties.traffic.is_idle(("in",)))
    assert len(parties.process.times) == 3
