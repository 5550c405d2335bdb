"""Two parties of a kernel and the log between them, which loses, repeats and forgets as a server does."""

from __future__ import annotations

import contextlib
import hashlib

from colony_jupyter.kernels.relay.framing import Item
from colony_jupyter.kernels.relay.layout import CTL, IN, OUT, Limits
from colony_jupyter.kernels.relay.line import Delivery, Line
from colony_jupyter.kernels.relay.sealing import Exchange, Gap

PROCESS = "p" * 64


def exchange(seed: str) -> Exchange:
    return Exchange(hashlib.sha256(seed.encode()).digest())


class Killed(Exception):
    """The program of a party was killed."""


class Party:
    """One party: its line, how far it has read each channel, and what was delivered to it."""

    def __init__(self, line: Line, *, is_caller: bool) -> None:
        self.line = line
        self.is_caller = is_caller
        self.read: dict[str, int] = {}
        self.delivered: list[tuple[str, bytes]] = []
        self.left: int | None = None  # items until its program is killed; None if it is not
        self.has_given_up = True  # whether its program gives up the batch that it delivers then
        self.gaps = 0

    def channels(self) -> list[str]:
        return [CTL, self.line.out if self.is_caller else IN]


class Relay:
    """Both parties and the log."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.log: dict[str, list[tuple[bool, bytes]]] = {}
        self.sessions = 0
        self.processid = PROCESS
        self.caller = Party(Line(is_caller=True, limits=self.limits), is_caller=True)
        self.host = Party(Line(is_caller=False, limits=self.limits), is_caller=False)

    def session(self) -> None:
        """A handshake, whose entries are left out."""
        resume = self.caller.line.resume()
        self.receive(self.caller)  # what still arrives in the former session
        self._begin(resume)

    def _begin(self, resume: dict[str, int]) -> None:
        self.sessions += 1
        mine, theirs = exchange(f"caller {self.sessions}"), exchange(f"host {self.sessions}")
        sid = self.sessions.to_bytes(8)
        taken = self.host.line.resume()
        out = self.host.line.next_out()
        about = {"caller": mine.public, "host": theirs.public}
        self.host.line.begin(theirs.keys(self.processid, sid, mine.public, **about), resume, out)
        self.caller.line.begin(mine.keys(self.processid, sid, theirs.public, **about), taken, out)

    def send(self, party: Party, lane: str, *, lost_after: int | None = None) -> int:
        """Append a batch, of which only the first entries arrive if ``lost_after`` is given."""
        entries = party.line.pop(lane)
        for channel, payload in entries[:lost_after]:
            self.log.setdefault(channel, []).append((party.is_caller, payload))
        return len(entries)

    def receive(self, party: Party) -> int:
        """Read what is new on all channels of a party."""
        fed = 0
        again = True
        while again:
            again = False
            for channel in party.channels():
                log = self.log.get(channel, [])
                while party.read.get(channel, 0) < len(log):
                    by_caller, payload = log[party.read.get(channel, 0)]
                    party.read[channel] = party.read.get(channel, 0) + 1
                    if by_caller == party.is_caller:
                        continue
                    fed += 1
                    again = True
                    try:
                        delivery = party.line.feed(channel, payload)
                    except Gap:
                        party.gaps += 1
                        continue
                    if delivery is not None:
                        self.deliver(party, delivery)
        return fed

    def deliver(self, party: Party, delivery: Delivery) -> None:
        for item in delivery.items if delivery.number else ():
            if party.left == 0:
                if party.has_given_up:
                    party.line.undelivered(delivery)
                raise Killed
            party.left = None if party.left is None else party.left - 1
            party.delivered.append((delivery.lane, item.frames[0]))
            party.line.item_delivered(delivery)
        party.line.delivered(delivery)

    def restart(self) -> None:
        """The server loses all entries."""
        self.log.clear()
        self.caller.read.clear()
        self.host.read.clear()

    def successor(self) -> None:
        """Another process takes over."""
        self.restart()
        self.processid = hashlib.sha256(self.processid.encode()).hexdigest()
        self.caller.line.new_process()
        self.host.line.new_process()
        self.session()

    def kill_caller(self, after: int = 0, *, in_new_session: bool = False) -> None:
        """The caller's program is killed and starts again, with its positions on disk.

        Args:
            after: items that are delivered before.
            in_new_session: whether a session begins while the next item is being delivered.
        """
        former = self.caller
        former.left, former.has_given_up = after, not in_new_session
        with contextlib.suppress(Killed):
            self.receive(former)
        if in_new_session:
            self._begin(former.line.resume())
        line = Line(is_caller=True, limits=self.limits)
        line.resume_at(former.line.positions())
        self.caller = Party(line, is_caller=True)
        self.caller.delivered = former.delivered
        self.session()

    def give_up(self, after: int = 0) -> None:
        """The caller's delivery is cancelled after so many items: the relay is closed, the program goes on."""
        self.caller.left = after
        with contextlib.suppress(Killed):
            self.receive(self.caller)
        self.caller.left = None

    def attach(self) -> None:
        """A caller without positions takes the place of the present one."""
        self.caller = Party(Line(is_caller=True, limits=self.limits), is_caller=True)
        self.session()

    def drain(self) -> None:
        """A last session, until nothing is left to send; what was delivered is acknowledged, as after a while."""
        self.session()
        moved = 1
        while moved:
            moved = 0
            for party, lanes in ((self.caller, (CTL, IN)), (self.host, (CTL, OUT))):
                if party.line.unacknowledged:
                    party.line.note(item(b"", "ack"))
                moved += sum(self.send(party, lane) for lane in lanes)
            self.receive(self.caller)
            self.receive(self.host)


def item(text: bytes, name: str = "shell") -> Item:
    return Item(name, [text])
