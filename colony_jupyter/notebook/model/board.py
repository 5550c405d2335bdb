"""A board: what a view of many processes shows, whether of a group or of the whole colony (pure).

A page, a transcript and a terminal all draw the same board. Text in it is fit to be shown.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Cell(msgspec.Struct, frozen=True, omit_defaults=True):
    """One cell of a table.

    Attributes:
        x: what is shown.
        exact: the whole of it, shown when the pointer rests on it; may be empty.
        state: name of the state that it states; empty for other text.
        pid: the process whose id it shows; empty for other text.
    """

    x: str
    exact: str = ""
    state: str = ""
    pid: str = ""


class Row(msgspec.Struct, frozen=True, omit_defaults=True):
    """One row of a table.

    Attributes:
        cells: as many as there are columns.
        cancel: the process that can be cancelled from here; empty for none.
    """

    cells: list[Cell]
    cancel: str = ""


class Section(msgspec.Struct, frozen=True, omit_defaults=True):
    """A table of a board.

    Attributes:
        name: its heading.
        columns: the headings of its columns.
        rows: its rows.
        more: a sentence below it; may be empty.
    """

    name: str
    columns: list[str]
    rows: list[Row]
    more: str = ""


class Count(msgspec.Struct, frozen=True, omit_defaults=True):
    """How many there are in one state.

    Attributes:
        state: name of the state.
        count: how many.
        rate: text of the rate, such as ``"12/s"``; may be empty.
    """

    state: str
    count: int
    rate: str = ""


class Bar(msgspec.Struct, frozen=True):
    """The bar of a board.

    Attributes:
        done: how many have ended.
        total: of how many.
        x: text beside it: rate and remaining time.
    """

    done: int
    total: int
    x: str = ""

    @property
    def fraction(self) -> float:
        """How much has ended, from 0 to 1."""
        return self.done / self.total if self.total else 1.0


class Action(msgspec.Struct, frozen=True, omit_defaults=True):
    """A button.

    Attributes:
        name: what the kernel is asked for.
        label: its text.
        confirm: the question to be answered first; empty for none.
    """

    name: str
    label: str
    confirm: str = ""


class Board(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is shown.

    Attributes:
        title: name of the function, or the colony.
        state: name of a state that sums up all; empty for none.
        meta: what follows the title.
        elapsed: seconds; None for no clock.
        is_live: whether it changes by itself.
        bar: how much is done; None for none.
        counts: how many are in each state.
        sections: tables.
        actions: buttons.
        trouble: why it may be out of date, as a sentence; may be empty.
    """

    title: str
    state: str = ""
    meta: str = ""
    elapsed: float | None = None
    is_live: bool = False
    bar: Bar | None = None
    counts: list[Count] = []
    sections: list[Section] = []
    actions: list[Action] = []
    trouble: str = ""

    def wire(self) -> dict[str, Any]:
        """Return it as a page reads it (``BoardState`` in static/board/store.js)."""
        return {"board": msgspec.to_builtins(self)}
