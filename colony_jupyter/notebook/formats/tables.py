"""Tables of processes, executors, functions, workflows, entries and log lines: HTML in a notebook, else aligned text.

Styles are inline and colours fit light and dark pages, so that a saved notebook shows them anywhere. Text is escaped.
"""

from __future__ import annotations

import html
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from colony_jupyter.notebook.formats.plain_text import aligned, clean, one_line, seconds, shortened, value_line
from colony_jupyter.notebook.model.rows import row_of
from colony_jupyter.values.records import Records, Tabular
from colony_jupyter.values.rows import (
    entry_records,
    executor_records,
    function_records,
    log_records,
    process_records,
    workflow_records,
)
from colony_jupyter.wire.models import (
    Conditions,
    ExecutorState,
    Filesystem,
    Gpu,
    ProcessState,
    moment,
    visible_channels,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from colony_jupyter.values.datatable import DataTable
    from colony_jupyter.wire.models import Entry, ExecutorRecord, Function, FunctionSpec, Log, ProcessRecord, Workflow

COLOURS: Final = {
    ProcessState.WAITING: "#757575",
    ProcessState.RUNNING: "#1e88e5",
    ProcessState.SUCCESS: "#388e3c",
    ProcessState.FAILED: "#d32f2f",
    ProcessState.CANCELLED: "#8d6e63",
}
"""Of states, readable on light and on dark ground."""

NO_MATH: Final = "mathjax_ignore tex2jax_ignore"
"""Classes that prevent MathJax from reading dollars in a text as formulas, which may hold links."""

MONO: Final = "font-family:ui-monospace,Menlo,Consolas,monospace"
HEAD_STYLE: Final = "text-align:left;padding:2px 12px 2px 0"
CELL_STYLE: Final = "text-align:left;vertical-align:top;padding:1px 12px 1px 0"
"""Styles of ids and code, of the head of a table and of its cells."""

_WIDEST: Final = 64  # a whole id
_LONGEST: Final = 500
_DATA_ROWS: Final = 50


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


class Table(Tabular):
    """A table that shows itself well wherever it is the value of a cell.

    Args:
        columns: their headings.
        rows: each with as many cells.
        empty: the sentence that is shown when there are no rows.
        records: what the rows show, for the conversion to other tables.
        note: a sentence below the rows; may be empty.
    """

    def __init__(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[Cell]],
        empty: str,
        records: Records[Any] | None = None,
        note: str = "",
    ) -> None:
        self._records = Records((), dict) if records is None else records
        self.columns = list(columns)
        self.rows = [list(row) for row in rows]
        self.empty = empty
        self.note = note

    def __len__(self) -> int:
        return len(self.rows)

    def _rows(self) -> Records[Any]:
        return self._records

    def __repr__(self) -> str:
        if not self.rows:
            return self.empty
        text = aligned([self.columns, *([one_line(cell.text, _WIDEST) for cell in row] for row in self.rows)])
        return f"{text}\n{self.note}" if self.note else text

    def _repr_html_(self) -> str:
        if not self.rows:
            return f"<i>{html.escape(self.empty)}</i>"
        head = "".join(f'<th style="{HEAD_STYLE}">{html.escape(name)}</th>' for name in self.columns)
        body = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in self.rows)
        note = f'<div style="font-size:12px;opacity:.7">{html.escape(self.note)}</div>' if self.note else ""
        return (
            f'<table class="{NO_MATH}" style="border-collapse:collapse;font-size:12px;margin:0">'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{note}"
        )


def processes(records: Sequence[ProcessRecord], executors: Mapping[str, str] | None = None, note: str = "") -> Table:
    """Return a table of processes; ``executors`` are names by their ids, ``note`` is shown below."""
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
        "There are no processes." if not note else f"No process was found. {note}",
        process_records(records),
        note,
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
    return Table(columns, rows, "No executor is registered.", executor_records(records))


def functions(records: Sequence[Function]) -> Table:
    """Return a table of registered functions."""
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
    return Table(columns, rows, "No function is registered.", function_records(records))


def workflows(records: Sequence[Workflow]) -> Table:
    """Return a table of workflows."""
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
    return Table(columns, rows, "There are no workflows.", workflow_records(records))


def entries(listed: Sequence[Entry], senders: Mapping[str, str] | None = None, me: str = "") -> Table:
    """Return a table of a channel's entries; ``senders`` are names by their ids, ``me`` is shown as "you"."""
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
            Cell(shortened(shown.line, _LONGEST), mono=True),
        )

    columns = ["time", "sender", "sequence", "in reply to", "type", "text"]
    return Table(columns, map(row, listed), "The channel is empty.", entry_records(listed))


def logs(
    lines: Sequence[Log], *, processes: bool = False, note: str = "", empty: str = "There are no log lines."
) -> Table:
    """Return a table of log lines.

    Args:
        lines: the lines.
        processes: whether to show of which process each is.
        note: a sentence below them; may be empty.
        empty: the sentence that is shown when there are none.
    """
    rows = [
        (
            _time(datetime.fromtimestamp(line.timestamp / 1e9, UTC).isoformat()),
            Cell(one_line(line.executorname, _LONGEST)),
            *([_identity(line.processid)] if processes else []),
            Cell(shortened(clean(line.message), _LONGEST), mono=True),
        )
        for line in lines
    ]
    columns = ["time", "executor", *(["process"] if processes else []), "message"]
    return Table(columns, rows, empty, log_records(lines), note)


def process(record: ProcessRecord, executorname: str = "", me: str = "") -> Table:
    """Return one process as a table of everything that a server reports of it, without what is empty.

    Args:
        record: the process.
        executorname: name of its executor.
        me: id of the caller, who is shown as "you".
    """
    spec = record.spec
    who = "you" if me and record.initiatorid == me else record.initiatorname or record.initiatorid[:8]
    errors = shortened(clean("\n".join(record.errors or [])), _LONGEST)
    found: list[tuple[str, Cell]] = [
        ("process", Cell(clean(record.processid), mono=True)),
        ("function", Cell(one_line(spec.funcname, _LONGEST))),
        ("state", _state(record.state)),
        ("type", Cell(one_line(spec.conditions.executortype, _LONGEST))),
        ("executor", _executor(record, {record.assignedexecutorid: executorname})),
        ("submitted by", Cell(one_line(who, _LONGEST), clean(record.initiatorid))),
        ("submitted", _time(record.submissiontime)),
        ("wait deadline", _time(record.waitdeadline)),
        ("started", _time(record.starttime)),
        ("run deadline", _time(record.execdeadline)),
        ("ended", _time(record.endtime)),
        ("took", Cell(_took(record))),
        ("retries", Cell(_retries(record))),
        ("limits", Cell(_limits(spec))),
        ("priority", Cell(str(spec.priority))),
        ("label", Cell(one_line(spec.label, _LONGEST))),
        ("arguments", _json(spec.args)),
        ("keywords", _json(spec.kwargs)),
        ("environment", _json(spec.env)),
        ("channels", Cell(clean(", ".join(visible_channels(spec.channels))))),
        ("conditions", _json(_conditions(spec.conditions))),
        ("files", _json(_set_fields(spec.fs, Filesystem()))),
        ("workflow", Cell(clean(record.processgraphid), mono=True)),
        ("node", Cell(one_line(spec.nodename, _LONGEST))),
        ("waits for parents", Cell("yes" if record.waitforparents else "")),
        ("parents", Cell(clean(", ".join(record.parents)), mono=True)),
        ("children", Cell(clean(", ".join(record.children)), mono=True)),
        ("attributes", _json({each.key: each.value for each in record.attributes if each.key not in spec.env})),
        ("input", _json(record.input)),
        ("output", _json(record.output)),
        ("errors", Cell(errors, colour=COLOURS[ProcessState.FAILED], mono=True)),
    ]
    rows = [(Cell(name), cell) for name, cell in found if cell.text]
    return Table(["", ""], rows, "", process_records([record]))


def _retries(record: ProcessRecord) -> str:
    most = record.spec.maxretries
    return f"{record.retries} of {'any number' if most < 0 else most}"


def _limits(spec: FunctionSpec) -> str:
    limits = ((spec.maxwaittime, "s waiting"), (spec.maxexectime, "s running"))
    return ", ".join(f"{amount} {what}" for amount, what in limits if amount > 0)


def _conditions(conditions: Conditions) -> dict[str, Any]:
    """Return the conditions that were set, but for the colony and the type, which is shown for itself."""
    found = _set_fields(conditions, Conditions())
    gpu = _set_fields(conditions.gpu, Gpu())
    return {name: gpu if name == "gpu" else value for name, value in found.items() if name not in _SHOWN}


def _set_fields(value: Any, default: Any) -> dict[str, Any]:
    """Return the fields of a struct that differ from their defaults and are not empty."""
    fields = msgspec.structs.asdict(value)
    return {name: given for name, given in fields.items() if given and given != getattr(default, name)}


_SHOWN: Final = ("colonyname", "executortype")


def data(table: DataTable) -> Table:
    """Return the first rows of a table that a function returned."""
    names, values = table.grid(_DATA_ROWS)
    rows = [[Cell(shortened(value_line(each), _LONGEST)) for each in row] for row in values]
    more = table.row_count - len(rows)
    note = f"{more:,} more rows: .to_pandas(), .to_polars() and .to_dicts() return all of them." if more else ""
    return Table([clean(name) for name in names], rows, "The table has no rows.", note=note)


def _cell(cell: Cell) -> str:
    style = f"{CELL_STYLE};white-space:pre-wrap;overflow-wrap:anywhere{f';{MONO}' if cell.mono else ''}"
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
    return Cell(shortened(clean(msgspec.json.encode(value).decode()), _LONGEST) if value else "", mono=True)
