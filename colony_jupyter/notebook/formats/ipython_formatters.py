"""How processes, entries and lists of them show as the value of a cell: as tables, or as aligned text in a terminal.

The client and the wire know no notebook, so IPython is told from here: by names, for ``%load_ext`` need not import
what most cells never show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from colony_jupyter.notebook.formats.tables import Table
    from colony_jupyter.notebook.formats.workflow_graph import Graph

HTML: Final = "text/html"
TEXT: Final = "text/plain"

PROCESS: Final = ("colony_jupyter.client.process_facts", "ProcessFacts")
ENTRY: Final = ("colony_jupyter.wire.models", "Entry")
WORKFLOW: Final = ("colony_jupyter.wire.models", "Workflow")
"""Module and name of a type."""

_ONES: Final = (PROCESS, ENTRY, WORKFLOW)

_earlier: dict[int, Callable[..., None]] = {}
"""How lists were printed before, by the identity of the formatter; there is one, but for tests."""


def is_one_of(value: object, kind: tuple[str, str]) -> bool:
    """Whether a value is of a type, or of one that is made of it; nothing is imported to find out."""
    return kind in [(one.__module__, one.__qualname__) for one in type(value).__mro__]


def table_of(value: Any) -> Table | Graph | None:
    """Give the table of a process, an entry or a list of either, the graph of a workflow; None for anything else."""
    several = isinstance(value, list)
    one = value[0] if several and value else value
    kind = next((kind for kind in _ONES if is_one_of(one, kind)), None)
    if kind is None or (several and not all(is_one_of(each, kind) for each in value)):
        return None
    from colony_jupyter.notebook.formats import tables, workflow_graph  # noqa: PLC0415 - whoever has such a value has most of it

    if kind == PROCESS:
        return tables.processes([each.record for each in value]) if several else tables.process(value.record)
    if kind == ENTRY:
        return tables.entries(value if several else [value])
    return None if several else workflow_graph.Graph(value)


def register(formatter: Any) -> None:
    """Have IPython's display formatter show them; ``unregister`` undoes it."""
    page, text = formatter.formatters[HTML], formatter.formatters[TEXT]
    _earlier[id(formatter)] = text.for_type(list)
    for kind in _ONES:
        page.for_type_by_name(*kind, _html)
        text.for_type_by_name(*kind, _print)
    page.for_type(list, _html)
    text.for_type(list, _printer_of_lists(_earlier[id(formatter)]))


def unregister(formatter: Any) -> None:
    """Have them shown as they were before."""
    page, text = formatter.formatters[HTML], formatter.formatters[TEXT]
    for kind in _ONES:
        page.pop(".".join(kind), None)
        text.pop(".".join(kind), None)
    page.pop(list, None)
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
