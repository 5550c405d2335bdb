"""One party's end of a kernel: what it sends and receives, across sessions, channels and processes.

Batches of a lane are numbered and kept until the other party has delivered them. A session may be cut anywhere: the
next one begins with the numbers that were delivered, and what is newer is sent again. A program that is killed while it
delivers a batch is followed by one that leaves out the items which were delivered. So each item is delivered once, in
order.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from colony_jupyter.kernels.relay.framing import Batch, Item, Unpacker, items_size, moved, pack
from colony_jupyter.kernels.relay.layout import CTL, IN, OUT, Limits, Occupancy, out_channel, out_number
from colony_jupyter.kernels.relay.sealing import Gap, Opener, Sealer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from colony_jupyter.kernels.relay.layout import Lane
    from colony_jupyter.kernels.relay.sealing import Keys

_DIRECTIONS: Final[dict[bool, tuple[tuple[Lane, Lane], tuple[Lane, Lane]]]] = {
    True: ((CTL, IN), (CTL, OUT)),
    False: ((CTL, OUT), (CTL, IN)),
}


class Pending(Protocol):
    """Items that wait to be sent."""

    def __len__(self) -> int: ...

    @property
    def patience(self) -> float:
        """Seconds that what waits may wait for more."""

    @property
    def is_text(self) -> bool:
        """Whether all that waits is printed text; also if nothing waits."""

    def put(self, item: Item) -> None:
        """Add an item."""

    def pop(self) -> list[Item]:
        """Return items for one batch, and forget them."""


class Queue:
    """Items that wait to be sent, of which none is dropped.

    Args:
        batch: bytes of one batch, which a single item may exceed.
    """

    def __init__(self, batch: int = 8 * 2**20) -> None:
        self._batch = batch
        self._items: deque[Item] = deque()
        self.patience = 0.0
        """Seconds that what waits may wait for more."""

    def __len__(self) -> int:
        return len(self._items)

    @property
    def is_text(self) -> bool:
        """Whether all that waits is printed text: items are not read here, so only if nothing waits."""
        return not self._items

    def put(self, item: Item) -> None:
        """Add an item."""
        self._items.append(item)

    def pop(self) -> list[Item]:
        """Return items for one batch, and forget them; empty if there are none."""
        taken: list[Item] = []
        size = 0
        while self._items and size < self._batch:
            size += self._items[0].size
            taken.append(self._items.popleft())
        return taken


class Position(NamedTuple):
    """How much of a lane was delivered.

    Attributes:
        batch: number of the last batch that was delivered as a whole.
        items: how many items of the next one were delivered.
    """

    batch: int = 0
    items: int = 0


class Delivery(NamedTuple):
    """A batch that arrived.

    Attributes:
        lane: its lane.
        number: its number, to confirm; 0 for none.
        items: its items; without those that an earlier program of this party has delivered.
    """

    lane: Lane
    number: int
    items: list[Item]


class _Sending:
    """What one lane sends."""

    def __init__(self, pending: Pending) -> None:
        self.pending = pending
        self.kept: deque[tuple[int, list[Item]]] = deque()  # batches that the other party has not delivered
        self.kept_size = 0
        self.unsent = 0  # how many of the last of them were not sent in this session
        self.notes: list[Item] = []  # items that are not sent again
        self.last = 0  # number of the last batch

    def acknowledge(self, number: int) -> None:
        while self.kept and self.kept[0][0] <= number:
            self.kept_size -= items_size(self.kept.popleft()[1])
        self.unsent = min(self.unsent, len(self.kept))
        self.last = max(self.last, number)

    def next(self, window: int) -> tuple[int, list[Item]] | None:
        if self.unsent:
            batch = self.kept[-self.unsent]
            self.unsent -= 1
            return batch
        if len(self.pending) and (self.kept_size < window or not self.kept):
            items = self.pending.pop()
            self.last += 1
            self.kept.append((self.last, items))
            self.kept_size += items_size(items)
            return self.last, items
        if self.notes:
            items, self.notes = self.notes, []
            return 0, items
        return None


class Line:
    """One party's end.

    Args:
        is_caller: whether it is the caller's; otherwise it is the executor's.
        pending: holds what waits on ``out``, or on ``in``; by default all of it.
        limits: when channels and processes are full.
    """

    def __init__(self, *, is_caller: bool, pending: Pending | None = None, limits: Limits | None = None) -> None:
        self._is_caller = is_caller
        self._limits = limits or Limits()
        sent, received = _DIRECTIONS[is_caller]
        self._sending = {lane: _Sending(Queue()) for lane in sent}
        self.data: Lane = sent[1]
        """The lane of messages that this party sends."""
        if pending is not None:
            self._sending[self.data].pending = pending
        self._received: dict[str, int] = dict.fromkeys(received, 0)
        self._delivered: dict[str, Position] = dict.fromkeys(received, Position())
        self._given_up: set[Lane] = set()  # lanes of which nothing more is accepted in this session
        self._unconfirmed = 0  # bytes that were delivered since the last acknowledgement
        self._acknowledged: dict[str, int] = {}  # what was acknowledged last
        self._sealer: Sealer | None = None  # None without a session
        self._opener: Opener | None = None
        self._unpackers: dict[str, Unpacker] = {}
        self._out = 0  # number of the present channel of ``out``
        self.occupancy = Occupancy(self._limits)
        """How full the present process is."""

    # sessions

    @property
    def has_session(self) -> bool:
        """Whether it can send."""
        return self._sealer is not None

    @property
    def out(self) -> str:
        """The present channel of ``out``."""
        return out_channel(self._out)

    def has_unsent(self, lane: Lane) -> bool:
        """Whether anything of a lane waits to be sent."""
        sending = self._sending[lane]
        return bool(len(sending.pending) or sending.unsent or sending.notes)

    def patience(self, lane: Lane) -> float:
        """Return the seconds that what waits on a lane may wait for more before it is sent."""
        sending = self._sending[lane]
        return 0.0 if sending.unsent or sending.notes else sending.pending.patience

    def is_text(self, lane: Lane) -> bool:
        """Whether all that waits on a lane is printed text; also if nothing waits."""
        sending = self._sending[lane]
        return not sending.unsent and not sending.notes and sending.pending.is_text

    @property
    def sent(self) -> int:
        """Number of the last batch of the data lane."""
        return self._sending[self.data].last

    def resume(self) -> dict[str, int]:
        """Return the number of the last batch of each lane that was delivered as a whole.

        The other party keeps what is newer, and sends it again: this program may be killed while it delivers a batch.
        """
        return {lane: position.batch for lane, position in self._delivered.items()}

    def positions(self) -> dict[str, Position]:
        """Return how much of each lane was delivered, for `resume_at`."""
        return dict(self._delivered)

    def resume_at(self, positions: Mapping[str, Position]) -> None:
        """Continue where an earlier program of this party ended."""
        self._delivered.update({lane: positions.get(lane, Position()) for lane in self._delivered})
        self._received.update({lane: position.batch for lane, position in self._delivered.items()})

    def new_kernel(self) -> None:
        """Note that the former kernel has ended, and with it the rest of its last batch."""
        self._delivered = {lane: Position(position.batch) for lane, position in self._delivered.items()}

    def new_process(self) -> None:
        """Note that the next session is one of another process."""
        self.occupancy = Occupancy(self._limits)
        self._out = -1
        self.end()

    def next_out(self) -> str:
        """Return the channel on which a new session sends: one that was not used, if there is one."""
        self._out = min(self._out + 1, self._limits.channels - 1)
        return self.out

    def begin(self, keys: Keys, resume: Mapping[str, int], out: str) -> None:
        """Begin a session.

        Args:
            keys: its keys.
            resume: what the other party has received of each lane.
            out: the channel on which ``out`` begins.
        """
        mine, theirs = keys.to_kernel, keys.from_kernel
        if not self._is_caller:
            mine, theirs = theirs, mine
        self.end()
        self._sealer, self._opener = Sealer(keys, mine), Opener(keys, theirs)
        self._unpackers = {}
        self._acknowledged = {}
        self._given_up = set()
        self._out = out_number(out) or 0
        for lane, sending in self._sending.items():
            sending.acknowledge(resume.get(lane, 0))
            sending.unsent = len(sending.kept)

    def end(self) -> None:
        """End the session: nothing is sent until the next."""
        self._sealer = self._opener = None
        for sending in self._sending.values():
            sending.notes = []

    # sending

    def put(self, lane: Lane, item: Item) -> None:
        """Add an item, which is delivered once, also if sessions end meanwhile."""
        self._sending[lane].pending.put(item)

    def note(self, item: Item) -> None:
        """Add an item to ``ctl`` that is not sent again if it is lost."""
        if self.has_session:
            self._sending[CTL].notes.append(item)

    def pop(self, lane: Lane) -> list[tuple[str, bytes]]:
        """Return the entries of the next batch of a lane as channel and payload; empty if nothing can be sent."""
        if self._sealer is None or (found := self._sending[lane].next(self._limits.window)) is None:
            return []
        number, items = found
        self._acknowledged, self._unconfirmed = self.resume(), 0
        entries = []
        for plain in pack(Batch(number, self.resume(), items)):
            if lane == OUT and self.occupancy.is_full(self.out) and self._out + 1 < self._limits.channels:
                former = self.out
                self._out += 1
                entries.append(self._seal(former, moved(self.out)))
            entries.append(self._seal(self.out if lane == OUT else lane, plain))
        return entries

    def _seal(self, channel: str, plain: bytes) -> tuple[str, bytes]:
        assert self._sealer is not None  # noqa: S101 - the caller has checked it
        payload = self._sealer.seal(channel, plain)
        self.occupancy.note(channel, len(payload))
        return channel, payload

    # receiving

    def feed(self, channel: str, payload: bytes) -> Delivery | None:
        """Accept an entry of the other party, and return the batch that it completes.

        An entry that is repeated, forged or of another session is dropped.

        Raises:
            Gap: if entries are missing: a new session is needed.
            Malformed: if the other party has another version.
        """
        self.occupancy.note(channel, len(payload))
        if self._opener is None or (plain := self._opener.open(channel, payload)) is None:
            return None
        found = self._unpackers.setdefault(channel if out_number(channel) is None else OUT, Unpacker()).feed(plain)
        if found is None:
            return None
        if isinstance(found, str):
            self._move(found)
            return None
        for acknowledged, number in found.acknowledged.items():
            for lane, sending in self._sending.items():
                if lane == acknowledged:
                    sending.acknowledge(min(number, sending.last))
        arrived: Lane = CTL if channel == CTL else OUT if self._is_caller else IN
        if found.number:
            if found.number <= self._received[arrived] or arrived in self._given_up:
                return None
            self._received[arrived] = found.number
            batch, begun = self._delivered[arrived]
            if found.number == batch + 1:
                return Delivery(arrived, found.number, found.items[begun:])
        return Delivery(arrived, found.number, found.items)

    def _move(self, channel: str) -> None:
        number = out_number(channel)
        if number is None or number <= self._out or number >= self._limits.channels:
            raise Gap(f"what the kernel sends continues on '{channel}', which is none of its channels")
        self._out = number

    def item_delivered(self, delivery: Delivery) -> Position:
        """Note that the next item of a batch was delivered, and return the position of its lane."""
        position = self._delivered[delivery.lane] = self.position_after(delivery)
        return position

    def position_after(self, delivery: Delivery) -> Position:
        """Return the position of a batch's lane once its next item is delivered."""
        batch, items = self._delivered[delivery.lane]
        if delivery.number > batch + 1:  # a kernel that was attached to in the middle
            batch, items = delivery.number - 1, 0
        return Position(batch, items + 1) if delivery.number == batch + 1 else self._delivered[delivery.lane]

    def delivered(self, delivery: Delivery) -> Position:
        """Note that a batch was delivered, and return the position of its lane.

        The batch is acknowledged with the next entry.
        """
        if delivery.number:
            self._delivered[delivery.lane] = Position(max(self._delivered[delivery.lane].batch, delivery.number))
            self._unconfirmed += items_size(delivery.items)
        return self._delivered[delivery.lane]

    def undelivered(self, delivery: Delivery) -> None:
        """Note that the delivery of a batch was given up: the next session gets its rest, and what follows it."""
        if delivery.number:
            self._received[delivery.lane] = self._delivered[delivery.lane].batch
            self._given_up.add(delivery.lane)

    @property
    def unacknowledged(self) -> int:
        """Bytes that were delivered and not acknowledged; at least 1 if there is anything."""
        if (whole := self.resume()) == self._acknowledged or not any(whole.values()):
            return 0
        return max(1, self._unconfirmed)
