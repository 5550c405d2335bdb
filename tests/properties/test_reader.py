"""The reader against a simulated server that does to it what a real one does: the consumer sees exactly the log."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from colony_jupyter.channels.effects import AskProcess, Close, Open, ReadLog, StreamState
from colony_jupyter.channels.reader import Reader
from colony_jupyter.wire.models import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ME = "me"
OTHER = "other"


@dataclass
class Subscription:
    seconds: int
    connected: bool = False
    ends: float = 0.0
    afterseq: int = 0
    frames: list[list[Entry]] = field(default_factory=list)


class World:
    """A server with one channel, the sockets to it, and a reader; time moves only on command."""

    def __init__(self, *, survives_loss: bool = False) -> None:
        self.now = 100.0
        self.arrived: list[Entry] = []
        self.log: list[Entry] = []
        self.delivered: list[Entry] = []
        self.subscriptions: dict[int, Subscription] = {}
        self.reads: list[ReadLog] = []
        self.reply: list[Entry] | None = None  # to the first of them, once it has left the server
        self.closed = False
        self.unfollowed = 0
        """Windows that ended in `run` while nothing was to follow."""
        self.sequence = {ME: 1, OTHER: 2}
        self.reader = Reader(
            ends=lambda entry: entry.is_end and entry.senderid == OTHER and not entry.inreplyto,
            random=lambda: 0.5,
            survives_loss=survives_loss,
        )
        self.reader.start(self.now)
        self.settle()

    def settle(self) -> None:
        """Carry out what the reader asks for, as far as that needs nothing from outside."""
        for effect in self.reader.effects():
            if isinstance(effect, Open):
                self.subscriptions[effect.window] = Subscription(effect.seconds, afterseq=effect.afterseq)
            elif isinstance(effect, Close):
                self.subscriptions.pop(effect.window, None)
            elif isinstance(effect, ReadLog):
                self.reads.append(effect)
            elif isinstance(effect, AskProcess):
                self.tell_process()
        self.delivered += self.reader.delivered()

    def tell_process(self) -> None:
        if self.closed:
            self.reader.process_closed(self.now)
        else:
            self.reader.process_open(self.now)
        self.settle()

    # what can happen

    def append(self, sender: str, *, back: int = 0, kind: str = "data") -> None:
        if self.closed:
            return
        self.now += 0.001
        sequence = self.sequence[sender] - back
        self.sequence[sender] = max(self.sequence[sender], sequence) + 2
        entry = Entry(sequence=sequence, senderid=sender, timestamp=f"{self.now:.9f}", type=kind, payload=b"x")
        self.arrived.append(entry)
        # The server sorts the log again: entries of one sender by sequence.
        place = len(self.log)
        while place and self.log[place - 1].senderid == sender and self.log[place - 1].sequence > sequence:
            place -= 1
        self.log.insert(place, entry)
        for subscription in self.subscriptions.values():
            if subscription.connected:
                subscription.frames.append([entry])

    def connect(self, window: int) -> None:
        subscription = self.subscriptions[window]
        if subscription.connected:
            return
        self.reader.opened(window, self.now)
        if self.closed:
            del self.subscriptions[window]
            self.reader.refused(window, 404, "Channel not found", self.now)
        else:
            subscription.connected = True
            subscription.ends = self.now + subscription.seconds
            if self.log[subscription.afterseq :]:
                subscription.frames.append(self.log[subscription.afterseq :])
        self.settle()

    def refuse(self, window: int, *, is_refused: bool = True) -> None:
        """Let a WebSocket fail before it is open."""
        if not self.subscriptions[window].connected:
            del self.subscriptions[window]
            self.reader.not_opened(window, "WebSocket refused by a proxy (403)", self.now, is_refused=is_refused)
            self.settle()

    def deliver(self, window: int) -> None:
        frames = self.subscriptions[window].frames
        if frames:
            self.reader.frame(window, frames.pop(0), self.now)
            self.settle()

    def cut(self, window: int) -> None:
        del self.subscriptions[window]
        self.reader.lost(window, self.now)
        self.settle()

    def restart(self) -> None:
        """Let the server lose the log, and with it the sockets and what is on its way."""
        self.log.clear()
        self.reply = None
        for window in list(self.subscriptions):
            self.cut(window)

    def end_window(self, window: int) -> None:
        if self.subscriptions[window].connected and not self.subscriptions[window].frames and not self.closed:
            del self.subscriptions[window]
            self.reader.frame(window, [], self.now)
            self.settle()

    def send_reply(self) -> None:
        """Let the reply to the first read leave the server: what is appended from now on is not in it."""
        if self.reads and not self.closed and self.reply is None:
            self.reply = self.log[self.reads[0].afterseq :]

    def answer(self, *, lost: bool = False) -> None:
        if not self.reads:
            return
        self.send_reply()
        reply, self.reply = self.reply, None
        request = self.reads.pop(0)
        if lost:
            self.reader.log_lost(request, self.now)
        elif reply is None:
            self.reader.log_refused(request, 404, "Channel not found", self.now)
        else:
            self.reader.log(request, reply, self.now)
        self.settle()

    def advance(self, seconds: float) -> None:
        if self.closed:
            # Nothing marks the end of a channel: what was appended must come within the quiet time (module docstring
            # of the reader), or it would go unnoticed.
            for window in list(self.subscriptions):
                while window in self.subscriptions and self.subscriptions[window].frames:
                    self.deliver(window)
        self.now += seconds
        self.reader.tick(self.now)
        self.settle()

    def tick(self) -> None:
        """Let time pass until the reader has something to do."""
        if (deadline := self.reader.deadline()) is not None:
            self.advance(max(0.0, deadline - self.now))

    def calm(self) -> None:
        """Deliver and answer all that is on its way, in no time."""
        before = None
        while before != (before := (len(self.delivered), len(self.reads), sorted(self.subscriptions))):
            for window in list(self.subscriptions):
                self.connect(window)
                while window in self.subscriptions and self.subscriptions[window].frames:
                    self.deliver(window)
            while self.reads:
                self.answer()

    def has_plans(self) -> bool:
        """Whether the reader reads the log, after which it opens a window, or is to do either."""
        reader = self.reader
        return reader._log is not None or reader._log_at is not None or reader._open_at is not None

    def renew(self) -> None:
        """Let time pass in which nothing happens, until a window is followed by the next one."""
        self.calm()
        for _ in self.run(100.0, until=lambda: len(self.subscriptions) > 1):
            pass

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> Iterator[None]:
        """Let time pass with a good network, in which windows end in time; yields whenever nothing is on its way."""
        end = self.now + seconds
        self.calm()
        yield
        while not self.reader.state.is_over:
            steps = [each.ends for each in self.subscriptions.values() if each.connected]
            if (deadline := self.reader.deadline()) is not None:
                steps.append(deadline)
            if not steps or min(steps) > end:
                return
            self.advance(max(0.0, min(steps) - self.now))
            for window, subscription in list(self.subscriptions.items()):
                if subscription.connected and self.now >= subscription.ends:
                    self.unfollowed += len(self.subscriptions) == 1 and not self.has_plans()
                    self.end_window(window)
            if until():
                return
            self.calm()
            yield

    def drain(self, sockets: str = "open") -> None:
        """Let the network be good again, or at least calls, until nothing new comes for several looks.

        Args:
            sockets: what becomes of WebSockets: they ``open``, are ``refused``, ``fail``, or are ``silent``.
        """
        quiet = 0
        while quiet < 10 and not self.reader.state.is_over:
            before = len(self.delivered)
            for window in list(self.subscriptions):
                if window in self.subscriptions and sockets in ("refused", "fail"):
                    if self.subscriptions[window].connected:
                        self.cut(window)
                    else:
                        self.refuse(window, is_refused=sockets == "refused")
                elif window in self.subscriptions:
                    self.connect(window)
                while sockets == "open" and window in self.subscriptions and self.subscriptions[window].frames:
                    self.deliver(window)
            while self.reads:
                self.answer()
            self.tick()
            quiet = quiet + 1 if len(self.delivered) == before else 0


OPS = [
    *("append", "append other", "connect", "deliver", "deliver", "cut", "end", "answer", "lose answer", "tick", "pass"),
    *("refuse", "fail", "reply"),
]
RENEWALS = [
    *("renew", "tick", "tick", "cut", "end", "calm", "append", "connect", "deliver", "reply", "answer", "lose answer"),
]
"""Few disturbances, around the moments in which a window that stands is followed by the next one."""
READS = ["insert", "append", "connect", "deliver"]
"""What happens while the log is read; the next window does not bring what is inserted."""
WINDOW_OPS: dict[str, Callable[..., object]] = {
    "connect": World.connect,
    "deliver": World.deliver,
    "cut": World.cut,
    "end": World.end_window,
    "refuse": World.refuse,
    "fail": partial(World.refuse, is_refused=False),
}


TIME_OPS: dict[str, Callable[[World], object]] = {
    "reply": World.send_reply,
    "answer": World.answer,
    "lose answer": partial(World.answer, lost=True),
    "tick": World.tick,
    "calm": World.calm,
    "renew": World.renew,
    "insert": partial(World.append, sender=ME, back=5),
}


def play(world: World, data: st.DataObject, *, steps: int, inserts: bool, ops: list[str] = OPS) -> None:
    for _ in range(steps):
        if world.reader.state.is_over:
            return
        op = data.draw(st.sampled_from(ops))
        windows = sorted(world.subscriptions)
        if op.startswith("append"):
            back = data.draw(st.sampled_from((0, 0, 0, 1, 3))) if inserts else 0
            world.append(OTHER if op.endswith("other") else ME, back=back)
        elif op in WINDOW_OPS and windows:
            WINDOW_OPS[op](world, data.draw(st.sampled_from(windows)))
        elif op in TIME_OPS:
            TIME_OPS[op](world)
        elif op == "pass":
            world.advance(data.draw(st.sampled_from((0.01, 0.5, 2.0))))


@settings(max_examples=examples(400), deadline=None)
@given(st.data())
def test_every_entry_once_in_the_order_it_arrived(data):
    world = World()
    play(world, data, steps=60, inserts=False)
    world.drain()
    assert world.delivered == world.arrived
    assert world.reader.state is StreamState.OPEN


@settings(max_examples=examples(400), deadline=None)
@given(st.data(), st.sampled_from(("refused", "fail", "silent")))
def test_every_entry_once_while_the_process_runs_where_websockets_do_not_work(data, sockets):
    world = World()
    play(world, data, steps=60, inserts=False)
    world.drain(sockets)
    assert world.delivered == world.arrived
    assert not world.reader.state.is_over
    if sockets != "silent":
        assert world.reader.state is StreamState.OPEN
        assert world.reader.polling
    world.append(OTHER)
    begun = world.now
    while len(world.delivered) < len(world.arrived):
        assert world.now - begun < (20 if sockets == "silent" else 2.1)
        world.tick()
        for window in list(world.subscriptions):
            if sockets == "silent":
                world.connect(window)
            else:
                world.refuse(window, is_refused=sockets == "refused")
        world.answer()
    assert world.delivered == world.arrived
    while world.reader.polling:
        assert world.now - begun < 100
        world.drain()
    assert world.delivered == world.arrived


@settings(max_examples=examples(200), deadline=None)
@given(st.data(), st.lists(st.sampled_from(("data", "end", "loss")), min_size=1, max_size=3))
def test_a_close_while_the_log_is_polled_ends_it_within_five_seconds(data, latest):
    """It is complete where the latest entry is an end; otherwise it breaks, since entries may be missing.

    That of a lost log says nothing about the one that replaced it.
    """
    world = World(survives_loss=True)
    world.reader._ends = lambda entry: False
    play(world, data, steps=40, inserts=False)
    world.drain("refused")
    for what in latest:
        if what == "loss":
            world.restart()
        else:
            world.append(OTHER, kind=what)
        world.drain("refused")
    world.closed = True
    closed = world.now
    world.reader.process_closed(world.now)
    world.settle()
    while not world.reader.state.is_over:
        for window in list(world.subscriptions):
            world.refuse(window)
        world.answer()
        world.tick()
    assert world.now - closed < 5
    assert world.delivered == world.arrived
    is_complete = latest[-1] == "end"
    assert world.reader.state is (StreamState.ENDED if is_complete else StreamState.BROKEN)
    assert is_complete or "the log was polled" in world.reader.reason


@settings(max_examples=examples(400), deadline=None)
@given(st.data())
def test_entries_inserted_before_the_read_position_are_not_missed(data):
    world = World()
    play(world, data, steps=60, inserts=True)
    world.drain()
    assert sorted(world.delivered, key=lambda entry: entry.timestamp) == world.arrived
    assert len(set(map(id, world.delivered))) == len(world.delivered)


@settings(max_examples=examples(400), deadline=None)
@given(st.data())
def test_where_the_network_is_good_all_entries_are_there_before_an_idle_log_is_read(data):
    world = World()
    play(world, data, steps=60, inserts=True, ops=RENEWALS)
    for _ in world.run(world.reader._policy.silence - 0.1):
        pass
    assert sorted(world.delivered, key=lambda entry: entry.timestamp) == world.arrived


@settings(max_examples=examples(100), deadline=None)
@given(st.data(), st.booleans(), st.booleans())
def test_entries_inserted_while_the_log_is_read_are_there_before_it_is_idle(data, has_left, is_cut):
    """The next window shows them, but the reply may have left before they were inserted."""
    world = World()
    for _ in range(3):
        world.append(ME)
    world.renew()
    world.tick()
    assert world.reads
    if has_left:
        world.send_reply()
    if is_cut:
        world.cut(min(world.subscriptions))
    play(world, data, steps=6, inserts=False, ops=READS)
    for _ in world.run(world.reader._policy.silence - 0.1):
        pass
    assert sorted(world.delivered, key=lambda entry: entry.timestamp) == world.arrived


@settings(max_examples=examples(200), deadline=None)
@given(st.data())
def test_where_the_network_is_good_each_window_is_followed_before_it_ends(data):
    world = World()
    play(world, data, steps=60, inserts=False, ops=RENEWALS)
    for _ in world.run(100.0):
        pass
    assert not world.unfollowed
    assert world.reader.state is StreamState.OPEN
    assert world.delivered == world.arrived


@settings(max_examples=examples(300), deadline=None)
@given(st.data())
def test_it_ends_at_the_end_entry_with_everything_before_it(data):
    world = World()
    play(world, data, steps=40, inserts=False)
    world.append(OTHER, kind="end")
    world.append(ME)
    play(world, data, steps=20, inserts=False)
    world.drain()
    assert world.reader.state is StreamState.ENDED
    end = next(i for i, entry in enumerate(world.arrived) if entry.is_end)
    assert world.delivered == world.arrived[: end + 1]


@settings(max_examples=examples(400), deadline=None)
@given(st.data())
def test_after_the_process_closed_it_is_complete_or_broken(data):
    world = World()
    play(world, data, steps=40, inserts=False)
    world.closed = True
    play(world, data, steps=10, inserts=False)
    if not world.reader.state.is_over:
        world.reader.process_closed(world.now)
        world.settle()
    world.drain()
    assert world.reader.state.is_over
    if world.reader.state is StreamState.ENDED:
        assert world.delivered == world.arrived
    else:
        assert world.delivered == world.arrived[: len(world.delivered)]


def test_a_log_that_a_restart_emptied_breaks_the_stream():
    world = World()
    world.append(OTHER)
    world.append(OTHER)
    world.drain()
    world.restart()
    world.append(OTHER)
    world.drain()
    assert world.reader.state is StreamState.BROKEN
    assert "lost" in world.reader.reason


@pytest.mark.parametrize("entries", [0, 3])
def test_an_idle_stream_renews_its_window_before_it_ends(entries):
    world = World()
    for _ in range(entries):
        world.append(OTHER)
    (first,) = world.subscriptions
    world.connect(first)
    world.deliver(first)
    begun = world.now
    while len(world.subscriptions) < 2:
        world.advance(max(0.0, world.reader.deadline() - world.now))
        world.answer()
    assert world.now - begun < 25
    assert first in world.subscriptions
    second = max(world.subscriptions)
    world.connect(second)
    world.deliver(second)
    world.advance(1.0)
    assert list(world.subscriptions) == [second]
