"""What a pane knows, without any widget, thread or clock of its own (pure).

It is fed changes (`colony_jupyter.notebook.model.changes`), and returns batches for the page, the snapshot for a page
that is loaded again, and what a transcript is written from. It is not thread-safe:
`colony_jupyter.notebook.views.base.View` locks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from colony_jupyter.notebook.formats.plain_text import clean, clean_keeping_colours, one_line
from colony_jupyter.notebook.model.changes import (
    Change,
    Connection,
    ConnectionChange,
    Fault,
    Finished,
    MemberPane,
    NewEntries,
    NewLogLines,
    Note,
    PlotChoice,
    ProcessChange,
    ReadChannels,
    ReplyDue,
    TextRefused,
    WorkflowChange,
    WriteAccess,
)
from colony_jupyter.notebook.model.chat_bubbles import ChatBubbles
from colony_jupyter.notebook.model.flow import Flow, seconds, title_of
from colony_jupyter.notebook.model.plots import Plots
from colony_jupyter.notebook.model.progress import Meter, parse
from colony_jupyter.notebook.model.result import Result, result_of
from colony_jupyter.notebook.model.rows import (
    CHANGE,
    FAULT,
    JSON,
    LOG,
    NOTE,
    TEXT,
    WINDOW,
    Row,
    RowStore,
    bundle_in,
    row_of,
    row_of_line,
)
from colony_jupyter.notebook.model.terminal_text import TerminalText, has_control
from colony_jupyter.values.mime import is_bundle
from colony_jupyter.wire.models import DATA, ProcessRecord, ProcessState, visible_channels

if TYPE_CHECKING:
    from collections.abc import Callable

    from colony_jupyter.wire.models import Entry

Kind = Literal["log", "chat", "plot", "workflow"]
"""Whether entries are shown as a log, as a chat's bubbles or as lines of a plot alone, or a workflow as a graph."""

Theme = Literal["auto", "light", "dark"]
"""The colours of a pane: the page's own, or others whatever the page has."""

Answer = Literal["", "answered", "unanswered"]
"""Whether the turn that a chat shows has been answered; empty while that is open, and in a log."""

LINES: Final = 20_000
"""Lines of an entry that are shown in rows of their own; a longer text is one row, which unfolds."""

SENDERS: Final = 50
"""Number of senders' names that a page receives."""

_NAME: Final = 200


class _Terminal(msgspec.Struct):
    """A stream of text, and the numbers of the rows that show its lines."""

    screen: TerminalText
    rows: dict[int, int]


class PaneModel:
    """The state of one pane.

    Args:
        title: name of the function, until the process's record is known.
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
        self.chat = ChatBubbles()
        self.meter = Meter()
        self.plots = Plots()
        self.flow = Flow()
        self.result: Result | None = None
        self._now = now
        self._opened = now()
        self._names: dict[str, str] = {}
        self._me = ""
        self._lines = 0  # of the process log
        self._ends_lines: dict[str, bool] = {}  # whether the first log line of an executor ends with a line feed
        self._channels_report = False  # whether an entry of a channel reported progress
        self._terminals: dict[tuple[str, str, int], _Terminal] = {}  # by channel, sender and inreplyto
        self._replaced: set[int] = set()  # numbers of rows that changed since they were last given out
        self._next = 0  # number of the first row the page was not yet given
        self._dirty = {"head"}

    # What comes in

    def feed(self, change: Change) -> None:
        """Apply a change."""
        match change:
            case NewEntries():
                self._add_entries(change)
            case NewLogLines():
                self._add_log(change)
            case ProcessChange():
                self._set_process(change)
            case WorkflowChange():
                self._set_workflow(change)
            case Note():
                self._append(self._own_row(NOTE, change.text))
            case Fault():
                self._append(self._own_row(FAULT, change.text))
            case TextRefused():
                self._append(self._own_row(FAULT, change.reason))
            case _:
                self._set_in_head(change)
                self._dirty.add("head")

    def _set_in_head(
        self, change: MemberPane | ConnectionChange | ReadChannels | PlotChoice | WriteAccess | ReplyDue | Finished
    ) -> None:
        match change:
            case MemberPane():
                self.flow.opened = (change.processid, change.widget) if change.processid else None
            case ConnectionChange():
                self.connection, self.detail = change.state, clean(change.detail)
            case ReadChannels():
                self.read = frozenset(clean(name) for name in change.channels)
            case PlotChoice():
                self.plots.alone = msgspec.structs.replace(change, channel=clean(change.channel))
            case WriteAccess():
                self.party = change.allowed
            case ReplyDue(due=True):
                self.chat.reply_due = True
            case ReplyDue():
                self.chat.end_reply()
            case Finished():
                self.finished = True

    def _set_process(self, change: ProcessChange) -> None:
        before, record = self.record, change.record
        if before is not None and before.processid != record.processid:
            self.chat.begin_anew()
        self.record = record
        self.title = one_line(title_of(record.spec), _NAME) or self.title
        self.executorname = one_line(change.executorname, _NAME) or self.executorname
        self.waiting_for = clean(change.waiting_for) if record.state is ProcessState.WAITING else ""
        if record.state is ProcessState.WAITING and before and before.state is ProcessState.RUNNING:
            self.executorname = ""  # its executor lost it (trap 22), and it waits for another
        if record.assignedexecutorid and self.executorname:
            self._names[record.assignedexecutorid] = self.executorname
        for name in visible_channels(record.spec.channels):
            self.store.counts.setdefault(clean(name), 0)
        self.result = result_of(record)
        if record.state.is_closed:
            self.chat.end_reply()
            self._dirty.add("progress")
        self._dirty |= {"head", "result"}

    def _add_entries(self, change: NewEntries) -> None:
        self._names |= change.senders
        self._me = change.me or self._me
        now = self._now()
        for entry in change.entries:
            mine = bool(self._me) and entry.senderid == self._me
            who = "you" if mine else self._names.get(entry.senderid) or entry.senderid[:8] or "?"
            row = row_of(len(self.store), change.channel, entry, who, mine=mine, now=now)
            self.store.add_entry(row.channel, row.who, entry)
            reports = entry.type == DATA and not mine
            if self.kind != "chat" and reports and row.form in (TEXT, JSON):
                self.plots.add(row.channel, entry.text, row.at)
            if self.kind == "log" and reports and row.form == TEXT:
                self._add_text(row, entry)
            else:
                self._append(self._measured(row) if reports and row.form in (TEXT, JSON) else row)

    def _add_log(self, change: NewLogLines) -> None:
        now = self._now()
        for line in change.lines:
            self._lines += 1
            row = row_of_line(len(self.store), self._lines, line, now=now)
            self.store.add_line(line)
            # Executors for containers end their lines themselves, and some cut them anywhere.
            is_cut = self._ends_lines.setdefault(line.executorname, line.message.endswith("\n"))
            if row.form == TEXT and row.entry is not None:
                self._add_text(row, row.entry, is_cut=is_cut)
            else:
                self._append(self._measured(row) if row.form == JSON else row)

    def _set_workflow(self, change: WorkflowChange) -> None:
        for line in self.flow.update(change):
            self._append(self._own_row(CHANGE, line))
        summary = self.flow.summary()
        if summary is not None:
            self._set_process(ProcessChange(summary, waiting_for=change.waiting_for))
        progress = self.flow.progress()
        if progress is not None:
            self.meter.report(progress, self._now())
            self._dirty.add("progress")

    # What goes out

    def batch(self) -> dict[str, Any] | None:
        """Return what is new since the last batch, as the page reads it; None when nothing is.

        Of more than a window's worth of rows only the last window goes out: the page asks for others when it
        shows them.
        """
        dirty, self._dirty = self._dirty, set()
        first, self._next = max(self._next, len(self.store) - WINDOW), len(self.store)
        replaced = [row.wire() for row in self.pop_replaced() if row.number < first]
        rows = [row.wire() for row in self.store.between(first, self._next)] if self.kind == "log" else []
        batch: dict[str, Any] = {"seq": first, "end": self._next, "rows": rows} if rows else {}
        if replaced:
            batch["replaced"] = replaced
        if self.kind == "chat" and (bubbles := self.chat.changes()):
            batch["bubbles"] = bubbles
        if first < self._next or "bubbles" in batch or "head" in dirty:
            batch["head"] = self._head()
        if "progress" in dirty:
            batch["progress"] = self._progress()
        if "result" in dirty:
            batch["result"] = self.result.wire() if self.result else None
        return batch or None

    def pop_replaced(self) -> list[Row]:
        """Return the rows that changed since the last call."""
        numbers, self._replaced = sorted(self._replaced), set()
        return [self.store[number] for number in numbers]

    def snapshot(self, first: int = 0) -> dict[str, Any]:
        """Return everything a page needs that knows no row from ``first`` on. The next batch is not changed by it."""
        snapshot: dict[str, Any] = {
            "end": len(self.store),
            "head": self._head(),
            "progress": self._progress(),
            "result": self.result.wire() if self.result else None,
        }
        if self.kind == "chat":
            return snapshot | {"bubbles": [bubble.whole() for bubble in self.chat.bubbles[-WINDOW:]]}
        if self.kind == "workflow":
            return snapshot
        tail = self.store.between(max(first, len(self.store) - WINDOW), len(self.store))
        return snapshot | {"seq": tail[0].number if tail else len(self.store), "rows": [row.wire() for row in tail]}

    def bundle(self, number: int | None) -> dict[str, Any]:
        """Return the MIME bundle of a row, or of the process's output for None; empty if there is none."""
        if number is not None:
            entry = self.store[int(number)].entry
            return (bundle_in(entry) if entry is not None else None) or {}
        output = self.record.output if self.record is not None else None
        return output[0] if output and is_bundle(output[0]) else {}

    def now(self) -> float:
        """Return the time, in Unix seconds."""
        return self._now()

    @property
    def state(self) -> ProcessState | None:
        """State of the process; None before anything is known of it."""
        return self.record.state if self.record else None

    @property
    def answer(self) -> Answer:
        """Whether the turn has been answered, where the process's state does not imply more."""
        if self.kind != "chat" or self.state is None or self.state.is_closed:
            return ""
        if self.chat.is_answered:
            return "answered"
        return "unanswered" if self.finished else ""

    @property
    def elapsed(self) -> float:
        """Seconds it has waited, run, or took."""
        record = self.record
        if record is None:
            return self._now() - self._opened
        start, end = seconds(record.starttime), seconds(record.endtime)
        if start is None:
            start = seconds(record.submissiontime)
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
            "due": self.chat.reply_due,
            "turn": self.chat.turn,
            "answer": self.answer,
            "senders": self._senders(),
            "channels": [
                (name, count if self._is_read(name) else None)
                for name, count in self.store.counts.items()
                if name != LOG
            ],
            "log": self.store.counts.get(LOG, 0),
            **self.plots.wire(),
            **self._of_workflow(),
        }

    def _of_workflow(self) -> dict[str, Any]:
        if self.kind == "workflow":
            return self.flow.head(
                [(row.kind, row.text) for row in self.store if row.kind in (NOTE, FAULT)], self._now()
            )
        return {"workflow": self.record.processgraphid if self.record is not None else ""}

    def _is_read(self, channel: str) -> bool:
        return self.read is None or channel in self.read or self.store.counts[channel] > 0

    def _senders(self) -> list[str]:
        """Return the names of the senders; none where the head line names the only one."""
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
        if self.kind == "workflow":
            return progress  # its processes differ too much for a rate
        rate, left = self.meter.rate, self.meter.left
        if latest.total is not None and rate is not None:
            progress["rate"] = rate
        if left is not None and latest.fraction < 1:
            progress["left"] = left
        return progress

    def _add_text(self, row: Row, entry: Entry, *, is_cut: bool = False) -> None:
        """Add the text of an entry as a terminal shows it: a row for each line, or the next frame of an earlier row.

        Args:
            row: the row, if the text is one line.
            entry: the entry.
            is_cut: whether the text continues the line of the one before, unless that ended with a line feed.
        """
        stream = (row.channel, entry.senderid, entry.inreplyto)
        text = entry.text
        terminal = self._terminals.get(stream)
        continued = terminal is not None and (is_cut or terminal.screen.continues(text))
        if not continued and (not has_control(text) or text.count("\n") > LINES):
            self._terminals.pop(stream, None)
            self._append(self._measured(row))
            return
        if terminal is None:
            terminal = self._terminals[stream] = _Terminal(TerminalText(), {})
        if not continued:
            terminal.screen.begin_line()
        for line, shown in terminal.screen.write(text):
            number = terminal.rows.get(line)
            new = number is None
            changed = msgspec.structs.replace(
                row, number=len(self.store) if number is None else number, text=clean_keeping_colours(shown)
            )
            changed = self._measured(changed)
            if new:
                terminal.rows[line] = changed.number
                self._append(changed)
            else:
                self.store.replace(changed)
                self._replaced.add(changed.number)
        terminal.rows = {line: number for line, number in terminal.rows.items() if line >= terminal.screen.first}

    def _measured(self, row: Row) -> Row:
        """Report the progress that a row's text has; return the row, marked as such."""
        progress = parse(row.text)
        if progress is None:
            return row
        if row.channel != LOG:
            self._channels_report = True
        elif self._channels_report:  # what is printed beside it would make the bar jump
            return msgspec.structs.replace(row, progress=True)
        self.meter.report(progress, row.at)
        self._dirty.add("progress")
        return msgspec.structs.replace(row, progress=True)

    def _append(self, row: Row) -> None:
        self.store.append(row)
        if self.kind == "chat":
            self.chat.add(row)

    def _own_row(self, kind: str, text: str) -> Row:
        return Row(len(self.store), kind, self._now(), "", mine=False, form=TEXT, text=clean(text))
