"""What a pane knows, without any widget, thread or clock of its own (pure).

It takes in records, entries and remarks, and gives out batches for the page, the snapshot for a page that is loaded
again, and what a transcript is written from. It is not thread-safe: `colony_jupyter.notebook.views.base.View` locks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from colony_jupyter.notebook.formats.plain_text import clean, one_line
from colony_jupyter.notebook.model.chat_bubbles import Conversation
from colony_jupyter.notebook.model.progress import Meter, parse
from colony_jupyter.notebook.model.result import Result, result_of
from colony_jupyter.notebook.model.rows import BYTES, FAULT, NOTE, TEXT, WINDOW, Row, RowStore, row_of
from colony_jupyter.wire.models import DATA, ProcessRecord, ProcessState, moment, visible_channels

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from colony_jupyter.wire.models import Entry

Kind = Literal["log", "chat"]
"""Whether the entries are shown as a log or as a chat's bubbles."""

Theme = Literal["auto", "light", "dark"]
"""The colours of a pane: the page's own, or others whatever the page has."""

Connection = Literal["open", "polling", "resuming", "ended", "broken"]
"""State of the link to the server; ``ended`` is the ordinary end of all streams."""

Answer = Literal["", "answered", "unanswered"]
"""Whether the turn that a chat shows has been answered; empty while that is open, and in a log."""

SENDERS: Final = 50
"""Number of senders' names that a page receives."""

_NAME: Final = 200


class PaneModel:
    """The state of one pane.

    Args:
        title: name of the function, until the process's record tells it.
        kind: log or chat.
        now: the clock, in Unix seconds.
    """

    def __init__(self, title: str, kind: Kind, now: Callable[[], float]) -> None:
        self.title = one_line(title, _NAME)
        self.kind: Kind = kind
        self.record: ProcessRecord | None = None
        self.executorname = ""
        self.waiting_for = ""
        self.connection: Connection = "open"
        self.detail = ""
        self.party = True
        self.finished = False
        self.read: frozenset[str] | None = None  # channels whose entries are shown; None for all
        self.store = RowStore()
        self.conversation = Conversation()
        self.meter = Meter()
        self.result: Result | None = None
        self._now = now
        self._opened = now()
        self._names: dict[str, str] = {}
        self._me = ""
        self._next = 0  # number of the first row the page was not yet given
        self._dirty = {"head"}

    # What comes in

    def process(self, record: ProcessRecord, executorname: str = "", waiting_for: str = "") -> None:
        """Take in a change of the process.

        Args:
            record: the process as it is now.
            executorname: name of the executor it is assigned to; empty when that is not known.
            waiting_for: while it waits, for what, as a clause: ``waiting for an executor of type 'cli'``.
        """
        before = self.record
        if before is not None and before.processid != record.processid:
            self.conversation.begin_anew()
        self.record = record
        self.title = one_line(record.spec.funcname, _NAME) or self.title
        self.executorname = one_line(executorname, _NAME) or self.executorname
        self.waiting_for = clean(waiting_for) if record.state is ProcessState.WAITING else ""
        if record.state is ProcessState.WAITING and before and before.state is ProcessState.RUNNING:
            self.executorname = ""  # it was taken from its executor (trap 22) and waits for another
        if record.assignedexecutorid and self.executorname:
            self._names[record.assignedexecutorid] = self.executorname
        for name in visible_channels(record.spec.channels):
            self.store.counts.setdefault(clean(name), 0)
        self.result = result_of(record)
        if record.state.is_closed:
            self.conversation.end_reply()
            self._dirty.add("progress")
        self._dirty |= {"head", "result"}

    def entries(self, channel: str, entries: Sequence[Entry], senders: Mapping[str, str] | None, me: str) -> None:
        """Take in entries of a channel, in their order.

        Args:
            channel: its name.
            entries: those that are new.
            senders: names of senders by their ids; one that is missing is shown by the start of its id.
            me: id of the person at the notebook; empty when none is.
        """
        self._names |= senders or {}
        self._me = me or self._me
        now = self._now()
        for entry in entries:
            mine = bool(self._me) and entry.senderid == self._me
            who = "you" if mine else self._names.get(entry.senderid) or entry.senderid[:8] or "?"
            row = row_of(len(self.store), channel, entry, who, mine=mine, now=now)
            progress = parse(row.text) if entry.type == DATA and not mine and row.form != BYTES else None
            if progress is not None:
                row = msgspec.structs.replace(row, progress=True)
                self.meter.report(progress, row.at)
                self._dirty.add("progress")
            self._append(row)

    def reading(self, channels: Sequence[str]) -> None:
        """Take in which channels' entries are shown; the others have no counts."""
        self.read = frozenset(clean(name) for name in channels)
        self._dirty.add("head")

    def note(self, text: str) -> None:
        """Add a remark of ours."""
        self._append(self._own_row(NOTE, text))

    def fault(self, text: str) -> None:
        """Add an error of ours, or of the connection."""
        self._append(self._own_row(FAULT, text))

    def connect(self, state: Connection, detail: str) -> None:
        """Take in how the link to the server is, with words for it, which may be empty."""
        self.connection, self.detail = state, clean(detail)
        self._dirty.add("head")

    def end_reply(self) -> None:
        """Nothing more of an answer is waited for."""
        self.conversation.end_reply()
        self._dirty.add("head")

    def expect_reply(self) -> None:
        """Somebody waits for an answer from now on."""
        self.conversation.reply_due = True
        self._dirty.add("head")

    def set_party(self, party: bool) -> None:  # noqa: FBT001 - there is nothing else it could be
        """Take in whether the person at the notebook may write on the channels."""
        self.party = party
        self._dirty.add("head")

    def finish(self) -> None:
        """No more input is taken."""
        self.finished = True
        self._dirty.add("head")

    # What goes out

    def batch(self) -> dict[str, Any] | None:
        """Give what is new since the last batch, as the page reads it; None when nothing is.

        Of more than a window's worth of rows only the last window goes out: the page asks for others when they are
        looked at.
        """
        dirty, self._dirty = self._dirty, set()
        first, self._next = max(self._next, len(self.store) - WINDOW), len(self.store)
        rows = [row.wire() for row in self.store.between(first, self._next)] if self.kind == "log" else []
        batch: dict[str, Any] = {"seq": first, "end": self._next, "rows": rows} if rows else {}
        if self.kind == "chat" and (bubbles := self.conversation.changes()):
            batch["bubbles"] = bubbles
        if rows or "bubbles" in batch or "head" in dirty:
            batch["head"] = self._head()
        if "progress" in dirty:
            batch["progress"] = self._progress()
        if "result" in dirty:
            batch["result"] = self.result.wire() if self.result else None
        return batch or None

    def snapshot(self, first: int = 0) -> dict[str, Any]:
        """Give everything a page needs that knows no row from ``first`` on. The next batch is not changed by it."""
        snapshot: dict[str, Any] = {
            "end": len(self.store),
            "head": self._head(),
            "progress": self._progress(),
            "result": self.result.wire() if self.result else None,
        }
        if self.kind == "chat":
            return snapshot | {"bubbles": [bubble.whole() for bubble in self.conversation.bubbles[-WINDOW:]]}
        tail = self.store.between(max(first, len(self.store) - WINDOW), len(self.store))
        return snapshot | {"seq": tail[0].number if tail else len(self.store), "rows": [row.wire() for row in tail]}

    @property
    def state(self) -> ProcessState | None:
        """State of the process; None before anything is known of it."""
        return self.record.state if self.record else None

    @property
    def answer(self) -> Answer:
        """Whether the turn has been answered, where the process's state does not say more."""
        if self.kind != "chat" or self.state is None or self.state.is_closed:
            return ""
        if self.conversation.is_answered:
            return "answered"
        return "unanswered" if self.finished else ""

    @property
    def elapsed(self) -> float:
        """Seconds it has waited, run, or took."""
        record = self.record
        if record is None:
            return self._now() - self._opened
        start, end = _seconds(record.starttime), _seconds(record.endtime)
        if start is None:
            start = _seconds(record.submissiontime)
        if start is None:
            start = self._opened
        if record.state.is_closed:
            return max(0.0, end - start) if end is not None else 0.0
        return max(0.0, self._now() - start)

    def _head(self) -> dict[str, Any]:
        record = self.record
        return {
            "title": self.title,
            "pid": record.processid if record else "",
            "state": record.state.name if record else "",
            "executor": self.executorname,
            "waiting": self.waiting_for,
            "connection": self.connection,
            "detail": self.detail,
            "elapsed": round(self.elapsed, 3),
            "party": self.party,
            "finished": self.finished,
            "due": self.conversation.reply_due,
            "turn": self.conversation.turn,
            "answer": self.answer,
            "senders": self._senders(),
            "channels": [(name, count if self._is_read(name) else None) for name, count in self.store.counts.items()],
        }

    def _is_read(self, channel: str) -> bool:
        return self.read is None or channel in self.read or self.store.counts[channel] > 0

    def _senders(self) -> list[str]:
        """Give the names of the senders; none where the head line names the only one."""
        senders = list(self.store.senders)
        return [] if senders == [self.executorname] else senders[:SENDERS]

    def _progress(self) -> dict[str, Any] | None:
        latest = self.meter.latest
        if latest is None:
            return None
        closed = self.state is not None and self.state.is_closed
        progress: dict[str, Any] = {"fraction": latest.fraction, "label": latest.label, "x": clean(latest.message)}
        if closed:
            return progress | {"done": self.state is ProcessState.SUCCESS, "took": round(self.elapsed, 3)}
        rate, left = self.meter.rate, self.meter.left
        if latest.total is not None and rate is not None:
            progress["rate"] = rate
        if left is not None and latest.fraction < 1:
            progress["left"] = left
        return progress

    def _append(self, row: Row) -> None:
        self.store.append(row)
        if self.kind == "chat":
            self.conversation.add(row)

    def _own_row(self, kind: str, text: str) -> Row:
        return Row(len(self.store), kind, self._now(), "", mine=False, form=TEXT, text=clean(text))


def _seconds(text: str) -> float | None:
    try:
        when = moment(text)
    except ValueError:
        return None
    return when.timestamp() if when else None
