"""How processes, entries and lists of them show as the value of a cell: as tables, or as aligned text in a terminal.

The client and the wire know no notebook, so IPython is told from here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.client.process import ProcessFacts
from colony_jupyter.notebook import tables
from colony_jupyter.notebook.graph import Graph
from colony_jupyter.wire.models import Entry, Workflow

if TYPE_CHECKING:
    from collections.abc import Callable

    from colony_jupyter.notebook.tables import Table

HTML: Final = "text/html"
TEXT: Final = "text/plain"

_ONES: Final = (ProcessFacts, Entry, Workflow)

_earlier: dict[int, Callable[..., None]] = {}
"""How lists were printed before, by the identity of the formatter; there is one, but for tests."""


def table_of(value: object) -> Table | Graph | None:
    """Give the table of a process, an entry or a list of either, the graph of a workflow; None for anything else."""
    if isinstance(value, ProcessFacts):
        return tables.process(value.record)
    if isinstance(value, Workflow):
        return Graph(value)
    if isinstance(value, Entry):
        return tables.entries([value])
    if isinstance(value, list) and value:
        if all(isinstance(one, ProcessFacts) for one in value):
            return tables.processes([one.record for one in value])
        if all(isinstance(one, Entry) for one in value):
            return tables.entries(value)
    return None


def register(formatter: Any) -> None:
    """Have IPython's display formatter show them; ``unregister`` undoes it."""
    page, text = formatter.formatters[HTML], formatter.formatters[TEXT]
    _earlier[id(formatter)] = text.for_type(list)
    for kind in (*_ONES, list):
        page.for_type(kind, _html)
    for kind in _ONES:
        text.for_type(kind, _print)
    text.for_type(list, _printer_of_lists(_earlier[id(formatter)]))


def unregister(formatter: Any) -> None:
    """Have them shown as they were before."""
    page, text = formatter.formatters[HTML], formatter.formatters[TEXT]
    for kind in (*_ONES, list):
        page.pop(kind, None)
    for kind in _ONES:
        text.pop(kind, None)
    text.for_type(list, _earlier.pop(id(formatter)))


def _html(value: object) -> str | None:
    table = table_of(value)
    return None if table is None else table._repr_html_()


def _print(value: object, printer: Any, _cycle: bool) -> None:  # noqa: FBT001 - IPython passes it so
    # Within something else a table of many lines would be torn apart.
    printer.text(repr(table_of(value)) if len(printer.stack) == 1 else repr(value))


def _printer_of_lists(earlier: Callable[..., None]) -> Callable[..., None]:
    def print_list(value: list[object], printer: Any, cycle: bool) -> None:  # noqa: FBT001 - IPython passes it so
        table = table_of(value) if len(printer.stack) == 1 else None
        if table is None:
            earlier(value, printer, cycle)
        else:
            printer.text(repr(table))

    return print_list
