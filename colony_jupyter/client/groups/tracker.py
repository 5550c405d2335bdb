"""What is known of the processes of a group, and which lists to ask the server for next (pure).

A list holds 100 processes at most and cannot be continued: those that closed last, those that run longest, those whose
turn is next. So a process may close without appearing in a list, where many close between two. Such a list shows
nothing that was known before. The processes that are in no list are then asked for one by one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from colony_jupyter.wire.limits import MAX_PROCESSES
from colony_jupyter.wire.models import NO_TIME, ProcessRecord, ProcessState, moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from colony_jupyter.wire.models import FunctionSpec

WAITING, RUNNING = ProcessState.WAITING, ProcessState.RUNNING
CLOSED: Final = (ProcessState.SUCCESS, ProcessState.FAILED, ProcessState.CANCELLED)

REMOVED: Final = "REMOVED"
"""What counts in place of a state for a process that the server does not know any more."""

_MARGIN: Final = 10
"""Closed processes to ask for beyond those expected, so that the list reaches back to known ones."""
_MANY: Final = 50
"""Processes that close in one round from which on the next one follows at once."""
_FULL: Final = 5
"""Every so many rounds all lists are asked for."""


@dataclass(eq=False)
class Member:
    """One process of a group.

    Attributes:
        index: its place in the group.
        columns: its arguments by their names.
        spec: what is submitted.
        record: the process as the latest reply shows it; None until it is submitted.
        removed: whether the server does not know it any more.
    """

    index: int
    columns: dict[str, Any]
    spec: FunctionSpec
    record: ProcessRecord | None = None
    removed: bool = False
    learned: float = float("-inf")  # when the record arrived

    @property
    def is_over(self) -> bool:
        """Whether it has closed or was removed."""
        return self.removed or (self.record is not None and self.record.state.is_closed)

    @property
    def state(self) -> str:
        """The name of its state."""
        return REMOVED if self.removed else (WAITING if self.record is None else self.record.state).name


class Ask(NamedTuple):
    """A list to ask for."""

    state: ProcessState
    limit: int


@dataclass
class _Round:
    """The lists of one round."""

    seen: set[str] = field(default_factory=set)
    last_waiting: int | None = None  # priority time up to which the list of waiting processes is complete
    is_waiting_known: bool = False
    is_running_known: bool = False


class Tracker:
    """The processes of a group."""

    def __init__(self) -> None:
        self.members: list[Member] = []
        self.over: list[Member] = []
        """Those that are over, in the order in which that was learned."""
        self.changes = 0
        """Number of changes learned so far."""
        self._by_id: dict[str, Member] = {}
        self._known: set[tuple[str, ProcessState]] = set()  # closed processes that a list has shown, others' too
        self._oldest = ""  # time at which the first was submitted
        self._news = 0  # processes that closed in the round before
        self._rounds = 0
        self._has_gap = False  # whether a list of closed processes did not reach back to known ones
        self._round = _Round()
        self._suspects: set[str] = set()  # to be asked for one by one
        self._bare: list[str] = []  # failed, and no errors were seen yet

    # members

    def submitted(self, member: Member, record: ProcessRecord, now: float) -> None:
        """Note that a member was submitted, or submitted again."""
        if member.is_over:
            self.over.remove(member)
        record.spec.env = member.spec.env  # one text of a function's source for all
        member.record, member.removed, member.learned = record, False, now
        self._by_id[record.processid] = member
        self._oldest = self._oldest or record.submissiontime
        self.changes += 1
        self._end_if_closed(member, record)  # one whose answer was lost may have closed before it was found

    def owns(self, processid: str) -> bool:
        """Whether a process is or was one of the group."""
        return processid in self._by_id

    @property
    def is_over(self) -> bool:
        """Whether all are over."""
        return len(self.over) == len(self.members)

    @property
    def is_behind(self) -> bool:
        """Whether the next round should follow at once: about as many close as a list holds, or more."""
        return self._is_incomplete or self._news > _MANY

    @property
    def _is_incomplete(self) -> bool:
        """Whether processes may have closed without appearing in a list."""
        return self._has_gap or bool(self._suspects)

    def counts(self) -> dict[str, int]:
        """Count the members by the names of their states; states without any are left out."""
        counted = Counter(member.state for member in self.members)
        return {name: counted[name] for name in (*ProcessState.__members__, REMOVED) if counted[name]}

    def open_members(self) -> list[Member]:
        """Return the members that are not over."""
        return [member for member in self.members if not member.is_over]

    def learn(self, record: ProcessRecord, asked: float, now: float) -> None:
        """Accept a process as a reply shows it.

        Args:
            record: the process; it may be of another group.
            asked: when the request was sent.
            now: the present time.
        """
        member = self._by_id.get(record.processid)
        known = None if member is None else member.record
        if member is None or known is None or known.processid != record.processid or member.removed:
            return
        if known.state.is_closed:
            if record.state is known.state and _is_poorer(known, record):
                record.spec.env = member.spec.env
                member.record = record
                self.changes += 1
            return
        if not record.state.is_closed and asked < member.learned:
            return  # replies overtake each other, and a process may return from RUNNING to WAITING
        record.spec.env = member.spec.env
        member.record, member.learned = record, now
        if _facts(record) != _facts(known):
            self.changes += 1
        self._end_if_closed(member, record)

    def cancelled(self, member: Member) -> None:
        """Note that the server has cancelled a member; a later list shows when it ended."""
        if not member.is_over and member.record is not None:
            member.record = msgspec.structs.replace(member.record, state=ProcessState.CANCELLED, endtime=NO_TIME)
            self._end(member)
            self.changes += 1

    def missing(self, processid: str) -> None:
        """Note that the server does not know a process."""
        member = self._by_id.get(processid)
        if member is not None and not member.is_over:
            member.removed = True
            self._end(member)
            self.changes += 1

    def _end_if_closed(self, member: Member, record: ProcessRecord) -> None:
        if record.state.is_closed:
            self._end(member)
            if record.state is ProcessState.FAILED and not record.errors:
                self._bare.append(record.processid)

    def _end(self, member: Member) -> None:
        self.over.append(member)
        self._news += 1

    # rounds

    def begin_round(self, *, everything: bool = False) -> list[Ask]:
        """Return the lists to ask for, in this order: a process moves from the first towards the last.

        Args:
            everything: whether to ask for waiting and cancelled processes, too, as every fifth round does.
        """
        is_full = everything or self._is_incomplete or self._rounds % _FULL == 0
        self._rounds += 1
        self._round = _Round()
        count = MAX_PROCESSES if self._is_incomplete else min(2 * self._news + _MARGIN, MAX_PROCESSES)
        self._news = 0
        asks = [Ask(RUNNING, MAX_PROCESSES), Ask(ProcessState.SUCCESS, count), Ask(ProcessState.FAILED, count)]
        return [Ask(WAITING, MAX_PROCESSES), *asks, Ask(ProcessState.CANCELLED, count)] if is_full else asks

    def listed(self, ask: Ask, records: Sequence[ProcessRecord], asked: float, now: float) -> Ask | None:
        """Apply a list; returns the larger one to ask for in its place, if one is needed.

        Args:
            ask: what was asked for.
            records: the list as the server gave it, with processes that are not of the group.
            asked: when it was asked for.
            now: the present time.
        """
        is_complete = len(records) < ask.limit
        if ask.state is WAITING:
            self._round.is_waiting_known = True
            self._round.last_waiting = None if is_complete else records[-1].prioritytime
        elif ask.state is RUNNING:
            self._round.is_running_known = is_complete
        else:
            keys = {(record.processid, record.state) for record in records}
            reaches_back = is_complete or not keys.isdisjoint(self._known) or self._is_older(records[-1])
            if not reaches_back and ask.limit < MAX_PROCESSES:
                return Ask(ask.state, MAX_PROCESSES)
            self._known |= keys
            self._has_gap = self._has_gap or not reaches_back
        for record in reversed(records):  # those that closed last are first in a list
            self._round.seen.add(record.processid)
            self.learn(record, asked, now)
        return None

    def end_round(self) -> list[str]:
        """Return the processes to ask for one by one: those that no list shows, and failures without errors (trap 30).

        Each is to be passed to `learn` or `missing`, and then to `asked_for`; those that are not, because no answer
        came, are returned by the next round again.
        """
        bare, self._bare = self._bare, []
        self._suspects.update(bare)
        if self._round.is_waiting_known:
            unlisted = [record for record in self._unlisted() if self._is_suspect(record)]
            self._suspects.update(record.processid for record in unlisted)
            self._has_gap = False
        return list(self._suspects)

    def asked_for(self, processid: str) -> None:
        """Note that one of the processes of `end_round` was asked for, and its answer taken in."""
        self._suspects.discard(processid)

    def _unlisted(self) -> list[ProcessRecord]:
        """Return the members that are not over and that the lists of this round should have shown."""
        last = self._round.last_waiting
        found = (member.record for member in self.members if not member.is_over)
        return [
            record
            for record in found
            if record is not None
            and record.processid not in self._round.seen
            and (last is None or record.prioritytime <= last)
        ]

    def _is_suspect(self, record: ProcessRecord) -> bool:
        # Where more run than a list holds, the others run, too, unless a list of closed ones had a gap.
        return self._round.is_running_known or self._has_gap or record.state is WAITING

    def _is_older(self, record: ProcessRecord) -> bool:
        """Whether a process had ended when the first of the group was submitted."""
        try:
            ended, submitted = moment(record.endtime), moment(self._oldest)
        except ValueError:
            return False
        return ended is not None and submitted is not None and ended < submitted


def _facts(record: ProcessRecord) -> tuple[ProcessState, str, int]:
    return record.state, record.assignedexecutorid, record.retries


def _is_poorer(known: ProcessRecord, record: ProcessRecord) -> bool:
    """Whether the known record of an end lacks something that another one has."""
    return bool(
        (record.errors and not known.errors)
        or (record.output and not known.output)
        or (known.endtime == NO_TIME and record.endtime != NO_TIME)
    )
