"""The pure reader of a channel, and a simulated server that does to it what a real one does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from colony_jupyter.channels.effects import AskProcess, Close, Open, ReadLog
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
