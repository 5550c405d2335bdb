"""Tables of processes, executors, functions, workflows, entries and log lines: HTML in a notebook, else aligned text.

Looks are inline and colours fit light and dark pages, so that a saved notebook shows them anywhere. Text is escaped.
"""

from __future__ import annotations

import html
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from colony_jupyter.notebook.formats.plain_text import clean, one_line, seconds
from colony_jupyter.notebook.model.rows import row_of
from colony_jupyter.values.records import Records
from colony_jupyter.values.rows import entry_row, executor_row, function_row, log_row, process_row, workflow_row
from colony_jupyter.wire.models import ExecutorState, ProcessState, moment, visible_channels

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from colony_jupyter.wire.models import Entry, ExecutorRecord, Function, Log, ProcessRecord, Workflow

COLOURS: Final = {
    ProcessState.WAITING: "#757575",
    ProcessState.RUNNING: "#1e88e5",
    ProcessState.SUCCESS: "#388e3c",
    ProcessState.FAILED: "#d32f2f",
    ProcessState.CANCELLED: "#8d6e63",
}
"""Of states, readable on light and on dark ground."""

NO_MATH: Final = "mathjax_ignore tex2jax_ignore"
"""Classes that keep MathJax from reading dollars in somebody's text as formulas, which may hold links."""

_WIDEST: Final = 64  # a whole id
_LONGEST: Final = 500
_MONO: Final = "font-family:ui-monospace,Menlo,Consolas,monospace"


class Cell(msgspec.Struct, frozen=True):
    """One cell of a table.

    Attributes:
        text: what is shown, fit to be shown.
        exact: the whole of it, shown when the pointer rests on it; may be empty.
        colour: a CSS colour; empty for that of the text around.
        mono: whether it is an id or code.
    """

    text: str
    exact: str = ""
    colour: str = ""
    mono: bool = False


class Table:
    """A table that shows itself well wherever it is the value of a cell.

    Args:
        columns: their headings.
        rows: each with as many cells.
        empty: the sentence that is shown when there are no rows.
        records: what the rows show, for the conversion to other tables.
    """

    def __init__(
        self, columns: Sequence[str], rows: Iterable[Sequence[Cell]], empty: str, records: Records[Any] | None = None
    ) -> None:
        self._records = Records((), dict) if records is None else records
        self.columns = list(columns)
        self.rows = [list(row) for row in rows]
        self.empty = empty

    def __len__(self) -> int:
        return len(self.rows)

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return a dict for each row; see `Records.to_dicts`."""
        return self._records.to_dicts()

    def to_pandas(self) -> Any:
        """Return a pandas DataFrame; see `Records.to_pandas`."""
        return self._records.to_pandas()

    def to_polars(self) -> Any:
        """Return a polars DataFrame; see `Records.to_polars`."""
        return self._records.to_polars()

    def __repr__(self) -> str:
        if not self.rows:
            return self.empty
        texts = [self.columns, *([one_line(cell.text, _WIDEST) for cell in row] for row in self.rows)]
        widths = [max(len(row[at]) for row in texts) for at in range(len(self.columns))]
        return "\n".join(
            "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in texts
        )

    def _repr_html_(self) -> str:
        if not self.rows:
            return f"<i>{html.escape(self.empty)}</i>"
        head = "".join(
            f'<th style="text-align:left;padding:2px 12px 2px 0">{html.escape(name)}</th>' for name in self.columns
        )
        body = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in self.rows)
        return (
            f'<table class="{NO_MATH}" style="border-collapse:collapse;font-size:12px;margin:0">'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )


def processes(records: Sequence[ProcessRecord], executors: Mapping[str, str] | None = None) -> Table:
    """Give a table of processes; ``executors`` are names by their ids."""
    names = executors or {}
    rows = [
        (
            _identity(record.processid),
            _state(record.state),
            Cell(one_line(record.spec.funcname, _LONGEST)),
            Cell(one_line(record.spec.conditions.executortype, _LONGEST)),
            _executor(record, names),
            _time(record.submissiontime),
            Cell(_took(record)),
            Cell(clean(", ".join(visible_channels(record.spec.channels)))),
        )
        for record in records
    ]
    return Table(
        ["id", "state", "function", "type", "executor", "submitted", "took", "channels"],
        rows,
        "There are no processes.",
        Records(records, process_row),
    )


def executors(records: Sequence[ExecutorRecord], troubles: Mapping[str | None, str] | None = None) -> Table:
    """Return a table of executors.

    Args:
        records: the executors.
        troubles: for the names of those that receive no work, the reason; a column shows it if there are any.
    """
    rows = [
        [
            Cell(one_line(record.executorname, _LONGEST)),
            Cell(one_line(record.executortype, _LONGEST)),
            Cell(
                record.state.name.lower(),
                colour=COLOURS[ProcessState.SUCCESS] if record.state is ExecutorState.APPROVED else "",
            ),
            _time(record.lastheardfromtime),
            Cell(one_line(record.locationname, _LONGEST)),
            _identity(record.executorid),
        ]
        for record in records
    ]
    columns = ["name", "type", "state", "last heard from", "location", "id"]
    if troubles:
        columns.append("trouble")
        for record, row in zip(records, rows, strict=True):
            text = one_line(troubles.get(record.executorname, ""), _LONGEST)
            row.append(Cell(text, colour=COLOURS[ProcessState.FAILED]))
    return Table(columns, rows, "No executor is registered.", Records(records, executor_row))


def functions(records: Sequence[Function]) -> Table:
    """Give a table of registered functions."""
    rows = [
        (
            Cell(one_line(record.funcname, _LONGEST)),
            Cell(one_line(record.executortype, _LONGEST)),
            Cell(one_line(record.executorname, _LONGEST)),
            Cell(one_line(", ".join(argument.name for argument in record.args), _LONGEST)),
            Cell(str(record.counter)),
            Cell(f"{record.avgexectime:.2f} s" if record.counter else ""),
            Cell(one_line(record.description, _LONGEST)),
        )
        for record in records
    ]
    columns = ["function", "type", "executor", "arguments", "calls", "average", "description"]
    return Table(columns, rows, "No function is registered.", Records(records, function_row))


def workflows(records: Sequence[Workflow]) -> Table:
    """Give a table of workflows."""
    rows = [
        (
            _identity(record.processgraphid),
            _state(record.state),
            Cell(str(len(record.processids))),
            _time(record.submissiontime),
            _time(record.endtime),
            Cell(one_line(record.initiatorname, _LONGEST)),
        )
        for record in records
    ]
    columns = ["id", "state", "processes", "submitted", "ended", "by"]
    return Table(columns, rows, "There are no workflows.", Records(records, workflow_row))


def entries(listed: Sequence[Entry], senders: Mapping[str, str] | None = None, me: str = "") -> Table:
    """Give a table of a channel's entries; ``senders`` are names by their ids, ``me`` is shown as "you"."""
    names = senders or {}

    def row(entry: Entry) -> tuple[Cell, ...]:
        mine = bool(me) and entry.senderid == me
        who = "you" if mine else names.get(entry.senderid) or entry.senderid[:8]
        shown = row_of(0, "", entry, who, mine=mine, now=0.0)
        return (
            _time(entry.timestamp),
            Cell(shown.who, clean(entry.senderid)),
            Cell(str(entry.sequence)),
            Cell(str(entry.inreplyto) if entry.inreplyto else ""),
            Cell(shown.kind),
            Cell(_cut(shown.line), mono=True),
        )

    columns = ["time", "sender", "sequence", "in reply to", "type", "text"]
    return Table(columns, map(row, listed), "The channel is empty.", Records(listed, entry_row))


def logs(lines: Sequence[Log]) -> Table:
    """Give a table of log lines."""
    rows = [
        (
            _time(datetime.fromtimestamp(line.timestamp / 1e9, UTC).isoformat()),
            Cell(one_line(line.executorname, _LONGEST)),
            Cell(_cut(clean(line.message)), mono=True),
        )
        for line in lines
    ]
    return Table(["time", "executor", "message"], rows, "There are no log lines.", Records(lines, log_row))


def process(record: ProcessRecord, executorname: str = "") -> Table:
    """Give one process as a table of what is known of it."""
    spec = record.spec
    found: list[tuple[str, Cell]] = [
        ("process", Cell(clean(record.processid), mono=True)),
        ("function", Cell(one_line(spec.funcname, _LONGEST))),
        ("state", _state(record.state)),
        ("type", Cell(one_line(spec.conditions.executortype, _LONGEST))),
        ("executor", _executor(record, {record.assignedexecutorid: executorname})),
        ("submitted", _time(record.submissiontime)),
        ("started", _time(record.starttime)),
        ("ended", _time(record.endtime)),
        ("took", Cell(_took(record))),
        ("arguments", _json(spec.args)),
        ("keywords", _json(spec.kwargs)),
        ("channels", Cell(clean(", ".join(visible_channels(spec.channels))))),
        ("output", _json(record.output)),
        ("errors", Cell(_cut(clean("\n".join(record.errors or []))), colour=COLOURS[ProcessState.FAILED], mono=True)),
    ]
    rows = [(Cell(name), cell) for name, cell in found if cell.text]
    return Table(["", ""], rows, "", Records([record], process_row))


def _cell(cell: Cell) -> str:
    style = "text-align:left;vertical-align:top;padding:1px 12px 1px 0;white-space:pre-wrap;overflow-wrap:anywhere"
    style += f";{_MONO}" if cell.mono else ""
    style += f";color:{cell.colour};font-weight:600" if cell.colour else ""
    title = f' title="{html.escape(cell.exact)}"' if cell.exact else ""
    return f'<td style="{style}"{title}><bdi>{html.escape(cell.text)}</bdi></td>'


def _identity(text: str) -> Cell:
    return Cell(clean(text[:8]), clean(text), mono=True)


def _state(state: ProcessState) -> Cell:
    return Cell(state.name, colour=COLOURS[state])


def _executor(record: ProcessRecord, names: Mapping[str, str]) -> Cell:
    name = names.get(record.assignedexecutorid) or record.assignedexecutorid[:8]
    return Cell(one_line(name, _LONGEST), clean(record.assignedexecutorid))


def _time(text: str) -> Cell:
    try:
        when = moment(text)
    except ValueError:
        return Cell(one_line(text, _WIDEST))
    return Cell(f"{when.astimezone():%Y-%m-%d %H:%M:%S}", clean(text)) if when else Cell("")


def _took(record: ProcessRecord) -> str:
    try:
        start, end = moment(record.starttime), moment(record.endtime)
    except ValueError:
        return ""
    return seconds((end - start).total_seconds()) if start and end else ""


def _json(value: Any) -> Cell:
    return Cell(_cut(clean(msgspec.json.encode(value).decode())) if value else "", mono=True)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
