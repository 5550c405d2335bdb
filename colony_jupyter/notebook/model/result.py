"""How a process ended, in a form a page and a terminal can show (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from colony_jupyter.notebook.formats.plain_text import clean, one_line
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
_HEADLINE: Final = 300


class Result(msgspec.Struct, frozen=True):
    """The end of a process.

    Attributes:
        state: how it ended.
        label: that in a word.
        text: what came out, or went wrong, in short; empty when there is nothing.
        more: the whole story, where ``text`` is not all of it.
        table: column names and rows of texts, when the output is a list of objects.
    """

    state: ProcessState
    label: str
    text: str
    more: str = ""
    table: tuple[list[str], list[list[str]]] | None = None

    def wire(self) -> dict[str, Any]:
        """Give it as the page reads it."""
        wire: dict[str, Any] = {"state": self.state.name, "label": self.label, "x": self.text}
        if self.more:
            wire["more"] = self.more
        if self.table is not None:
            wire["columns"], wire["rows"] = self.table
        return wire

    @property
    def line(self) -> str:
        """All of it as plain text: ``Output: "Task completed!"``."""
        text = self.more or self.text
        return f"{self.label}: {text}" if text else f"{self.label}."


def result_of(record: ProcessRecord) -> Result | None:
    """Say how a process ended; None while it goes on."""
    if not record.state.is_closed:
        return None
    label = _LABELS[record.state]
    if record.errors:
        return _errors(record.state, label, [clean(error) for error in record.errors])
    if not record.output:
        return Result(record.state, "Done" if record.state is ProcessState.SUCCESS else label, "")
    values = record.output
    value = values[0] if len(values) == 1 else values
    table = _table(value)
    pretty = value_text(value)
    if table is not None:
        return Result(record.state, label, f"{len(value)} rows", pretty, table)
    short = one_line(pretty, _HEADLINE) if isinstance(value, dict | list) else pretty
    return Result(record.state, label, short, pretty if short != pretty else "")


def value_text(value: Any) -> str:
    """Give a JSON value as indented text, bounded in length."""
    text = clean(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
    if not isinstance(value, dict | list):
        return text[:LONGEST]
    flat = clean(msgspec.json.encode(value).decode())
    return (flat if len(flat) <= 100 else text)[:LONGEST]  # noqa: PLR2004 - what fits a line need not be broken


def _errors(state: ProcessState, label: str, errors: list[str]) -> Result:
    story = "\n".join(errors)[:LONGEST]
    first = errors[0].strip()
    lines = first.splitlines() or [""]
    headline = one_line(lines[-1] if _TRACEBACK in first else lines[0], _HEADLINE)
    return Result(state, label, headline, story if story != headline else "")


def _table(value: Any) -> tuple[list[str], list[list[str]]] | None:
    if not isinstance(value, list) or not value or not all(isinstance(item, dict) for item in value):
        return None
    columns = list(dict.fromkeys(name for item in value[:ROWS] for name in item))[:COLUMNS]
    if not columns:
        return None
    rows = [[_cell(item[name]) if name in item else "" for name in columns] for item in value[:ROWS]]
    return [clean(name)[:_CELL] for name in columns], rows


def _cell(value: Any) -> str:
    return clean(value if isinstance(value, str) else msgspec.json.encode(value).decode())[:_CELL]
