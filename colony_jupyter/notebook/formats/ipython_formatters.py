"""How processes, entries and lists of them show as the value of a cell: as tables, or as aligned text in a terminal.

The client and the wire know no notebook, so the formatters are registered from here: by names, since ``%load_ext``
need not import what most cells never show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from colony_jupyter.notebook.formats.tables import Table
    from colony_jupyter.notebook.formats.workflow_graph import Graph
    from colony_jupyter.values.datatable import DataTable

HTML: Final = "text/html"
TEXT: Final = "text/plain"

PROCESS: Final = ("colony_jupyter.client.process_facts", "ProcessFacts")
ENTRY: Final = ("colony_jupyter.wire.models", "Entry")
WORKFLOW: Final = ("colony_jupyter.wire.models", "Workflow")
RUN: Final = ("colony_jupyter.client.workflows.facts", "RunFacts")
BUNDLE: Final = ("colony_jupyter.values.mime", "MimeBundle")
DATA: Final = ("colony_jupyter.values.datatable", "DataTable")
"""Module and name of a type."""

_ONES: Final = (PROCESS, ENTRY, WORKFLOW, RUN, DATA)

_earlier: dict[int, Callable[..., None]] = {}
"""How lists were printed before, by the identity of the formatter; there is one, but for tests."""


def is_one_of(value: object, kind: tuple[str, str]) -> bool:
    """Whether a value is of a type, or of one that is made of it; nothing is imported to find out."""
    return kind in [(one.__module__, one.__qualname__) for one in type(value).__mro__]


def table_of(value: Any) -> Table | Graph | None:
    """Return the table of a process, an entry, a list of either or a result, or a workflow's graph; else None."""
    several = isinstance(value, list)
    one = value[0] if several and value else value
    kind = next((kind for kind in _ONES if is_one_of(one, kind)), None)
    if kind is None or (several and not all(is_one_of(each, kind) for each in value)):
        return None
    from colony_jupyter.notebook.formats import tables, workflow_graph  # noqa: PLC0415 - the value's type comes with most of it

    if kind == DATA:
        return None if several else _data(value)
    if kind == PROCESS:
        if several:
            return tables.processes([each.record for each in value])
        colony = getattr(getattr(value, "asynchronous", value), "colony", None)  # an executor's function has none
        return tables.process(value.record, me="" if colony is None else colony.userid)
    if kind == ENTRY:
        return tables.entries(value if several else [value])
    if several:
        return None
    return workflow_graph.Graph(value) if kind == WORKFLOW else workflow_graph.graph_of_run(value)


def _data(value: DataTable) -> Table | None:
    from colony_jupyter.errors import UsageError  # noqa: PLC0415 - likewise
    from colony_jupyter.notebook.formats import tables  # noqa: PLC0415 - likewise

    try:
        return tables.data(value)
    except UsageError:
        return None  # it is malformed, and shows as the dict it is


def register(formatter: Any) -> None:
    """Register them with IPython's display formatter; ``unregister`` undoes it."""
    page, text = formatter.formatters[HTML], formatter.formatters[TEXT]
    _earlier[id(formatter)] = text.for_type(list)
    for kind in _ONES:
        page.for_type_by_name(*kind, _html)
        text.for_type_by_name(*kind, _print)
    formatter.mimebundle_formatter.for_type_by_name(*BUNDLE, _media)
    text.for_type_by_name(*BUNDLE, _print_media)  # that of dict would come before it
    page.for_type(list, _html)
    text.for_type(list, _printer_of_lists(_earlier[id(formatter)]))


def unregister(formatter: Any) -> None:
    """Restore how they were shown before."""
    page, text = formatter.formatters[HTML], formatter.formatters[TEXT]
    for kind in _ONES:
        page.pop(".".join(kind), None)
        text.pop(".".join(kind), None)
    formatter.mimebundle_formatter.pop(".".join(BUNDLE), None)
    text.pop(".".join(BUNDLE), None)
    page.pop(list, None)
    text.for_type(list, _earlier.pop(id(formatter)))


def _media(value: dict[str, Any], **_options: Any) -> dict[str, Any]:
    from colony_jupyter.notebook.model.media import shown  # noqa: PLC0415 - most notebooks return no pictures

    return shown(value)


def _print_media(value: dict[str, Any], printer: Any, _cycle: bool) -> None:  # noqa: FBT001 - IPython passes it so
    printer.text(_media(value)[TEXT] if len(printer.stack) == 1 else repr(value))


def _html(value: object) -> str | None:
    table = table_of(value)
    return None if table is None else table._repr_html_()


def _print(value: object, printer: Any, _cycle: bool) -> None:  # noqa: FBT001 - IPython passes it so
    # Within something else a table of many lines would be torn apart.
    table = table_of(value) if len(printer.stack) == 1 else None
    printer.text(repr(value if table is None else table))


def _printer_of_lists(earlier: Callable[..., None]) -> Callable[..., None]:
    def print_list(value: list[object], printer: Any, cycle: bool) -> None:  # noqa: FBT001 - IPython passes it so
        table = table_of(value) if len(printer.stack) == 1 else None
        if table is None:
            earlier(value, printer, cycle)
        else:
            printer.text(repr(table))

    return print_list
