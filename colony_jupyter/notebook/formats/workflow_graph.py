"""Workflows as small graphs: plain SVG in a notebook, indented text elsewhere.

Members stand in columns, each to the right of all it depends on. Styles are inline and colours those of tables; nothing
in it can run, and text is escaped.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, Final

import msgspec

from colony_jupyter.notebook.formats.plain_text import clean, one_line
from colony_jupyter.notebook.formats.tables import COLOURS, NO_MATH
from colony_jupyter.wire.models import ProcessState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from colony_jupyter.client.workflows.facts import RunFacts
    from colony_jupyter.notebook.formats.tables import Table
    from colony_jupyter.wire.models import ProcessRecord, Workflow

MOST: Final = 60
"""Members that are drawn at most; of a larger workflow only their number is shown."""

_LABEL: Final = 18
_WIDTH: Final = 150
_HEIGHT: Final = 34
_ACROSS: Final = 190
_DOWN: Final = 46
_EDGE: Final = 4


class Node(msgspec.Struct, frozen=True):
    """One member of a workflow.

    Attributes:
        processid: its id.
        label: what it is called.
        state: its state; None when it is not known.
        column: how many others stand before it at most.
        row: its place in the column.
    """

    processid: str
    label: str
    state: ProcessState | None
    column: int
    row: int


class Graph:
    """A workflow that shows itself as a graph wherever it is the value of a cell.

    Args:
        workflow: what is drawn.
        records: its members as far as they are known; without one a member shows no state.
    """

    def __init__(self, workflow: Workflow, records: Iterable[ProcessRecord] = ()) -> None:
        self.workflow = workflow
        known = {record.processid: record for record in records}
        ids = list(dict.fromkeys(workflow.processids))
        self.edges = _edges(workflow, known, set(ids))
        places = _places(ids, self.edges)
        self.edges.sort(key=lambda edge: (places[edge[0]], places[edge[1]]))
        labels = _labels(workflow)
        self.nodes = [
            Node(
                processid=one,
                label=_label(one, labels, known.get(one)),
                state=known[one].state if one in known else None,
                column=places[one][0],
                row=places[one][1],
            )
            for one in sorted(ids, key=lambda one: places[one])
        ]

    def __repr__(self) -> str:
        lines = [self._title()]
        if len(self.nodes) <= MOST:
            before: dict[str, list[str]] = {}
            names = {node.processid: node.label for node in self.nodes}
            for source, target in self.edges:
                before.setdefault(target, []).append(names[source])
            for node in self.nodes:
                after = ", ".join(before.get(node.processid, []))
                state = node.state.name if node.state is not None else ""
                lines.append(f"{'  ' * (node.column + 1)}{node.label}  {state}{f'  after {after}' if after else ''}")
        return "\n".join(line.rstrip() for line in lines)

    def _repr_html_(self) -> str:
        title = f'<div style="font-size:12px;margin:4px 0"><bdi>{html.escape(self._title())}</bdi></div>'
        return f'<div class="{NO_MATH}">{title}{self.drawing()}</div>'

    def _title(self) -> str:
        found = self.workflow
        return f"Workflow {clean(found.processgraphid[:8])}: {found.state.name}, processes: {len(self.nodes)}"

    def drawing(self) -> str:
        """Draw it, as an SVG element; empty if it has no members or too many."""
        if not 0 < len(self.nodes) <= MOST:
            return ""
        places = {node.processid: (2 + node.column * _ACROSS, 2 + node.row * _DOWN) for node in self.nodes}
        width = max(node.column for node in self.nodes) * _ACROSS + _WIDTH + 4
        height = (max(node.row for node in self.nodes) + 1) * _DOWN
        lines = "".join(_line(places[source], places[target]) for source, target in self.edges)
        boxes = "".join(_box(node, *places[node.processid]) for node in self.nodes)
        return (
            f'<svg role="img" aria-label="{html.escape(self._title())}" width="{width}" viewBox="0 0 {width} {height}" '
            f'style="max-width:100%;height:auto;font:12px system-ui,sans-serif">{lines}{boxes}</svg>'
        )


def graph_of_run(run: RunFacts[Any]) -> Graph:
    """Return the graph of a run, with its members in their order."""
    members = [member.record for member in run.members]
    ids = [member.processid for member in members]
    return Graph(msgspec.structs.replace(run.record, processids=ids), members)


class Workflows:
    """The table of workflows, and below it the graphs of the newest.

    Args:
        table: the table.
        graphs: the graphs.
    """

    def __init__(self, table: Table, graphs: Sequence[Graph]) -> None:
        self.table = table
        self.graphs = list(graphs)

        self.to_dicts, self.to_pandas, self.to_polars = table.to_dicts, table.to_pandas, table.to_polars

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        return "\n\n".join(map(repr, [self.table, *self.graphs]))

    def _repr_html_(self) -> str:
        return self.table._repr_html_() + "".join(graph._repr_html_() for graph in self.graphs)


def _edges(workflow: Workflow, known: Mapping[str, ProcessRecord], ids: set[str]) -> list[tuple[str, str]]:
    drawn = [(str(edge.get("source", "")), str(edge.get("target", ""))) for edge in workflow.edges]
    declared = [(one, child) for one, record in known.items() for child in record.children]
    # The drawing is missing in the reply to a submission, and its order is random.
    return sorted({(source, target) for source, target in [*drawn, *declared] if {source, target} <= ids})


def _columns(ids: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    columns = dict.fromkeys(ids, 0)
    # A path passes each member once at most; what goes on changing after that is a cycle, which the server accepts.
    for _ in ids:
        changed = False
        for source, target in edges:
            if columns[target] <= columns[source] and columns[source] + 1 < len(ids):
                columns[target] = columns[source] + 1
                changed = True
        if not changed:
            break
    return columns


def _places(ids: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, tuple[int, int]]:
    """Return the column and the row of each member: beside those it depends on, so that few lines cross."""
    columns = _columns(ids, edges)
    before: dict[str, list[str]] = {}
    for source, target in edges:
        before.setdefault(target, []).append(source)
    places: dict[str, tuple[int, int]] = {}

    def height(one: str) -> float:
        rows = [places[each][1] for each in before.get(one, ()) if each in places]
        return sum(rows) / len(rows) if rows else 0.0

    for column in range(max(columns.values(), default=-1) + 1):
        beside = sorted((one for one in ids if columns[one] == column), key=height)
        places |= {one: (column, row) for row, one in enumerate(beside)}
    return places


def _labels(workflow: Workflow) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in workflow.nodes:
        data: Any = node.get("data")
        if isinstance(data, dict):
            found[str(node.get("id", ""))] = str(data.get("label", ""))
    return found


def _label(processid: str, labels: Mapping[str, str], record: ProcessRecord | None) -> str:
    name = (record.spec.nodename or record.spec.funcname) if record else labels.get(processid, "")
    return one_line(name, _LABEL) or clean(processid[:8])


def _line(source: tuple[int, int], target: tuple[int, int]) -> str:
    x1, y1 = source[0] + _WIDTH, source[1] + _HEIGHT // 2
    x2, y2 = target[0], target[1] + _HEIGHT // 2
    middle = (x1 + x2) // 2
    return (
        f'<path d="M{x1} {y1}C{middle} {y1} {middle} {y2} {x2 - _EDGE} {y2}" fill="none" stroke="#8a8a8a"/>'
        f'<path d="M{x2} {y2}l-6 -3v6z" fill="#8a8a8a"/>'
    )


def _box(node: Node, x: int, y: int) -> str:
    colour = COLOURS[node.state] if node.state is not None else "#8a8a8a"
    state = node.state.name if node.state is not None else ""
    return (
        f"<g><title>{html.escape(clean(node.processid))}</title>"
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="4" fill="{colour}" fill-opacity="0.12" '
        f'stroke="{colour}"/><text x="{x + 8}" y="{y + 14}" fill="currentColor">{html.escape(node.label)}</text>'
        f'<text x="{x + 8}" y="{y + 28}" font-size="10" fill="{colour}">{state}</text></g>'
    )
