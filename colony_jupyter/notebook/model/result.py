"""How a process ended, in a form a page and a terminal can show (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from colony_jupyter.errors import UsageError
from colony_jupyter.notebook.formats.plain_text import aligned, clean, one_line, value_line
from colony_jupyter.notebook.model.media import Media, media_of
from colony_jupyter.values.datatable import DataTable, is_table
from colony_jupyter.values.mime import is_bundle
from colony_jupyter.wire.models import ProcessState

if TYPE_CHECKING:
    from colony_jupyter.wire.models import ProcessRecord

ROWS: Final = 200
COLUMNS: Final = 30
LONGEST: Final = 200_000

_LABELS: Final = {
    ProcessState.SUCCESS: "Output",
    ProcessState.FAILED: "Failed",
    ProcessState.CANCELLED: "Cancelled",
}
_TRACEBACK: Final = "Traceback (most recent call last)"
_CELL: Final = 500
SHORT_ROWS: Final = 10
"""Rows of a table in a terminal and in a transcript."""
_SHORT_COLUMNS: Final = 12
_SHORT_CELL: Final = 40
_HEADLINE: Final = 300
_DEEPEST: Final = 8
"""Levels of an output that are searched for pictures and tables."""


class Result(msgspec.Struct, frozen=True):
    """The end of a process.

    Attributes:
        state: how it ended.
        label: that in a word.
        text: what came out, or went wrong, in short; empty when there is nothing.
        more: the whole text, where ``text`` is not all of it.
        table: column names and rows of texts, when the output is a table or a list of objects; the first `ROWS` rows.
        count: rows of the output, when it is a table.
        media: what is shown of a MIME bundle, when the output is one.
    """

    state: ProcessState
    label: str
    text: str
    more: str = ""
    table: tuple[list[str], list[list[str]]] | None = None
    count: int = 0
    media: Media | None = None

    def wire(self) -> dict[str, Any]:
        """Return it as the page reads it."""
        wire: dict[str, Any] = {"state": self.state.name, "label": self.label, "x": self.text}
        if self.more:
            wire["more"] = self.more
        if self.media is not None:
            wire["d"] = self.media.wire()
        if self.table is not None:
            wire["columns"], wire["rows"] = self.table
        return wire

    @property
    def line(self) -> str:
        """All of it as plain text: ``Output: "Task completed!"``."""
        if self.table is not None:
            return f"{self.label}: {self.text}\n{self._table_text()}"
        text = self.more or self.text
        return f"{self.label}: {text}" if text else f"{self.label}."

    def _table_text(self) -> str:
        columns, rows = self.head()
        lines = aligned([columns, *rows])
        return f"{lines}\n{self.left_out}" if self.left_out else lines

    @property
    def left_out(self) -> str:
        """What `head` leaves out, in words; empty if it has all rows."""
        more = self.count - len(self.table[1][:SHORT_ROWS]) if self.table is not None else 0
        return f"… {_rows(more)} more" if more else ""

    def head(self) -> tuple[list[str], list[list[str]]]:
        """Return the beginning of the table, as terminals and transcripts show it: each cell is a short line."""
        columns, rows = self.table or ([], [])
        lines = [[one_line(cell, _SHORT_CELL) for cell in row[:_SHORT_COLUMNS]] for row in rows[:SHORT_ROWS]]
        return [one_line(name, _SHORT_CELL) for name in columns[:_SHORT_COLUMNS]], lines


def result_of(record: ProcessRecord) -> Result | None:
    """Return how a process ended; None while it runs."""
    if not record.state.is_closed:
        return None
    label = _LABELS[record.state]
    if record.errors:
        return _errors(record.state, label, [clean(error) for error in record.errors])
    if not record.output:
        return Result(record.state, "Done" if record.state is ProcessState.SUCCESS else label, "")
    values = record.output
    value = values[0] if len(values) == 1 else values
    if is_bundle(value):
        media = media_of(value)
        return Result(record.state, label, media.plain, media=media)
    value = _without_media(value)
    table = _table(value)
    if table is not None:
        count, columns, rows = table
        text = _rows(count) if len(rows) == count else f"the first {len(rows)} of {_rows(count)}"
        return Result(record.state, label, text, table=(columns, rows), count=count)
    pretty = value_text(value)
    short = one_line(pretty, _HEADLINE) if isinstance(value, dict | list) else pretty
    return Result(record.state, label, short, pretty if short != pretty else "")


def _without_media(value: Any, depth: int = 0) -> Any:
    """Return an output with a line of text in the place of each picture and table within it, whose JSON is long."""
    if depth > _DEEPEST or (depth == 0 and is_table(value)):
        return value
    if type(value) is dict:
        if depth and is_bundle(value):
            return f"<{media_of(value).plain}>"
        if is_table(value):
            return repr(DataTable(value))
        return {key: _without_media(each, depth + 1) for key, each in value.items()}
    if type(value) is list and not {dict, list}.isdisjoint(map(type, value)):
        return [_without_media(each, depth + 1) for each in value]
    return value


def value_text(value: Any) -> str:
    """Return a JSON value as indented text, bounded in length."""
    text = clean(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
    if not isinstance(value, dict | list):
        return text[:LONGEST]
    flat = clean(msgspec.json.encode(value).decode())
    return (flat if len(flat) <= 100 else text)[:LONGEST]  # noqa: PLR2004 - what fits a line need not be broken


def _errors(state: ProcessState, label: str, errors: list[str]) -> Result:
    whole = "\n".join(errors)[:LONGEST]
    first = errors[0].strip()
    lines = first.splitlines() or [""]
    headline = one_line(lines[-1] if _TRACEBACK in first else lines[0], _HEADLINE)
    return Result(state, label, headline, whole if whole != headline else "")


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _table(value: Any) -> tuple[int, list[str], list[list[str]]] | None:
    if is_table(value):
        return _of_table_form(DataTable(value))
    if not isinstance(value, list) or not value or not all(isinstance(item, dict) for item in value):
        return None
    columns = list(dict.fromkeys(name for item in value[:ROWS] for name in item))[:COLUMNS]
    if not columns:
        return None
    rows = [[_cell(item[name]) if name in item else "" for name in columns] for item in value[:ROWS]]
    return len(value), [clean(name)[:_CELL] for name in columns], rows


def _of_table_form(table: DataTable) -> tuple[int, list[str], list[list[str]]] | None:
    try:
        columns, values = table.grid(ROWS)
        count = table.row_count
    except UsageError:
        return None  # it is malformed, and shown as JSON
    if not columns:
        return None
    rows = [[_cell(each) for each in row[:COLUMNS]] for row in values]
    return count, [clean(name)[:_CELL] for name in columns[:COLUMNS]], rows


def _cell(value: Any) -> str:
    return value_line(value)[:_CELL]
