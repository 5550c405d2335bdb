"""The transcript of a pane: what a saved notebook shows where no widget lives (pure).

Bounded in size whatever the stream's length, escaped, its styles inline, since notebooks that are not trusted, GitHub
and nbconvert drop style sheets and scripts (docs/decisions.md).
"""

from __future__ import annotations

import base64
import html
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from colony_jupyter.notebook.formats.plain_text import clean, clock, one_line, shortened, size, written
from colony_jupyter.notebook.formats.plot_svg import POINTS, svg
from colony_jupyter.notebook.formats.sparkline import plot_lines
from colony_jupyter.notebook.formats.tables import COLOURS, HEAD_STYLE, MONO, NO_MATH
from colony_jupyter.notebook.model.rows import FAULT, LOG, NOTE
from colony_jupyter.values.mime import picture as picture_of
from colony_jupyter.wire.models import ERROR, ProcessState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from colony_jupyter.notebook.model.pane_model import PaneModel
    from colony_jupyter.notebook.model.result import Result
    from colony_jupyter.notebook.model.rows import Row

ROWS: Final = 200
"""Rows a transcript holds at most, the last ones."""

BUDGET: Final = 14_000
"""Bytes the rows may have in each of the two forms; with the markup both stay under 50 kB as JSON."""

CELL: Final = 50_000
"""Bytes that both forms may have in the notebook's file, with one picture if there is room for it."""

PROGRESS: Final = 20
"""Rows among them that report progress, the last ones: the bar shows what the others reported."""

_LOOKED_AT: Final = 10 * ROWS
_PLOTS: Final = 3
_FRAME: Final = 5000  # bytes of a plot without its points, with the names of as many lines as there may be
_POINT: Final = 8  # bytes of a point
_FEWEST: Final = 20
_SPARKLINES: Final = 12
_LINE: Final = 400
_TURN: Final = 4000
_STORY: Final = 2000
_STANDING_OUT: Final = (ERROR, FAULT, NOTE)
_TABLE: Final = 6000  # bytes of a table, its markup included

_Line: TypeAlias = tuple[str, str]  # kind of the row or bubble, and what is shown of it


def bundle(model: PaneModel, at: float) -> dict[str, str]:
    """Return the MIME bundle of the transcript, written at the time ``at`` (Unix seconds)."""
    left_out, chosen = _chosen(model)
    forms = {
        "text/html": _as_html(model, at, left_out, chosen, ""),
        "text/plain": _as_text(model, at, left_out, chosen),
    }
    room = CELL - len(msgspec.json.encode(forms))
    pictures = _graph(model, room)
    pictures += _plots(model, room - len(msgspec.json.encode(pictures)))
    pictures += _picture(model, room - len(msgspec.json.encode(pictures)))
    if pictures:
        forms["text/html"] = _as_html(model, at, left_out, chosen, pictures)
    return forms


def _graph(model: PaneModel, room: int) -> str:
    """Draw the graph of a workflow in ``room`` bytes."""
    graph = model.flow.graph()
    drawing = "" if graph is None else graph.drawing()
    return drawing if len(msgspec.json.encode(drawing)) <= room else ""


def _plots(model: PaneModel, room: int) -> str:
    """Draw the plots of the first channels in ``room`` bytes, as images: nothing in an image can run."""
    chosen = [(channel, series, model.plots.keys(series)) for channel, series in model.plots.shown().items()][:_PLOTS]
    lines = sum(len(keys) for *_, keys in chosen)
    if not lines:
        return ""
    # Base64 needs four bytes for three.
    points = min(POINTS, int((room * 0.75 - _FRAME * len(chosen)) / (_POINT * lines)))
    if points < _FEWEST:
        return ""
    elements = []
    for channel, series, keys in chosen:
        picture = svg(series, model.plots.axis(series), keys, channel, points)
        if picture:
            address = f"data:image/svg+xml;base64,{base64.b64encode(picture.encode()).decode()}"
            names = ", ".join(one_line(key or channel, 24) for key in keys)
            title = html.escape(f"plot of {one_line(channel, 40)}: {names}")
            elements.append(f'<div><img alt="{title}" src="{address}" style="max-width:100%"></div>')
    return "".join(elements)


def _picture(model: PaneModel, room: int) -> str:
    """Return the newest picture as an HTML element, or where to get it if it is larger than ``room`` (bytes)."""
    number = model.store.newest_picture
    media = model.result.media if model.result is not None else None
    from_result = media is not None and media.kind == "image"
    if number is None and not from_result:
        return ""
    found = picture_of(model.bundle(None if from_result else number))
    if found is None:
        return ""
    media_type, data = found
    source = "process.result()" if from_result else f"process.channel({model.store[number or 0].channel!r}).read()"
    address = f"data:{media_type};base64,{base64.b64encode(data).decode()}"
    element = f'<div><img alt="picture" src="{address}" style="max-width:100%"></div>'
    if len(msgspec.json.encode(element)) <= room:
        return element
    missing = f"The picture ({media_type}, {size(len(data))}) is not in this transcript: {source} returns it."
    return f'<div><i style="opacity:.7">{html.escape(missing)}</i></div>'


def _as_text(model: PaneModel, at: float, left_out: int, chosen: list[_Line]) -> str:
    bar = [model.meter.latest.bar] if model.meter.latest is not None else []
    lines = [_headline(model), *bar, *([_left_out(left_out)] if left_out else []), *(text for _, text in chosen)]
    lines += islice(plot_lines(model.plots), _SPARKLINES)
    if model.result is not None:
        lines.append(shortened(model.result.line, _STORY))
    return "\n".join([*lines, f"({written(at)})"])


def _as_html(model: PaneModel, at: float, left_out: int, chosen: list[_Line], pictures: str) -> str:
    lines = [model.meter.latest.bar] if model.meter.latest is not None else []
    lines += [f'<i style="opacity:.7">{html.escape(_left_out(left_out))}</i>'] if left_out else []
    lines += [_marked(line) for line in chosen]
    log = (
        f'<pre style="{MONO};font-size:12px;line-height:1.5;margin:4px 0;white-space:pre-wrap;overflow-wrap:anywhere">'
        f"{chr(10).join(lines)}</pre>"
        if lines
        else ""
    )
    result = ""
    if model.result is not None and model.result.table is not None:
        result = _table(model.result)
    elif model.result is not None:
        result = (
            f'<div style="white-space:pre-wrap;overflow-wrap:anywhere;{MONO};font-size:12px">'
            f"{html.escape(shortened(model.result.line, _STORY), quote=False)}</div>"
        )
    state = _state(model)
    if model.answer:
        state = f'<small style="opacity:.7">{state}</small> '
    elif state:
        state = f'<b style="color:{COLOURS[model.state or ProcessState.WAITING]}">{state}</b> '
    title = html.escape(_title(model), quote=False)
    return (
        f'<details open class="cj-transcript {NO_MATH}"><summary>{state}<bdi>{title}</bdi> '
        f'<small style="opacity:.7">{html.escape(written(at))}</small></summary>{log}{result}{pictures}</details>'
    )


def _table(result: Result) -> str:
    """Return the beginning of an output that is a table, in at most `_TABLE` bytes."""
    columns, rows = result.head()
    room = _TABLE
    shown = []
    for row in rows:
        cells = "".join(f'<td style="{HEAD_STYLE}">{html.escape(cell, quote=False)}</td>' for cell in row)
        room -= len(msgspec.json.encode(cells))
        if room < 0:
            break
        shown.append(f"<tr>{cells}</tr>")
    head = "".join(f'<th style="{HEAD_STYLE}">{html.escape(name, quote=False)}</th>' for name in columns)
    note = f"{result.label}: {result.text}"
    note += f"; {len(shown)} are in this transcript" if len(shown) < result.count else ""
    return (
        f'<div style="font-size:12px">{html.escape(note)}</div><table style="border-collapse:collapse;font-size:12px;'
        f'margin:0"><thead><tr>{head}</tr></thead><tbody>{"".join(shown)}</tbody></table>'
    )


def _headline(model: PaneModel) -> str:
    return f"{_state(model)} {_title(model)}".lstrip()


def _state(model: PaneModel) -> str:
    return model.answer or (model.state.name if model.state is not None else "")


def _title(model: PaneModel) -> str:
    parts = [model.title]
    if model.record is not None:
        parts.append(model.record.processid[:8])
    if model.executorname:
        parts.append(f"{'with' if model.kind == 'chat' else 'on'} {model.executorname}")
    if model.waiting_for:
        parts.append(f"· {one_line(model.waiting_for, _LINE)}")
    return " ".join(parts)


def _left_out(count: int) -> str:
    return f"… {count:,} earlier rows are not in this transcript"


def _chosen(model: PaneModel) -> tuple[int, list[_Line]]:
    """Return the number of lines left out, and those to show: the last ones, within the bounds."""
    # The newest first, and no more of them than are wanted: a long stream costs no more than a short one.
    if model.kind == "plot":
        return 0, []
    if model.kind == "workflow":
        lines = list(_of_workflow(model))
        newest, count = iter(lines), len(lines)
    elif model.kind == "chat":
        newest, count = _of_chat(model), len(model.chat.bubbles)
    else:
        newest, count = _of_log(model), model.store.readable
    room = BUDGET
    chosen: list[_Line] = []
    for line in islice(newest, ROWS):
        # As the notebook's file counts it: quotes, line breaks and escapes have more than a byte each.
        room -= len(msgspec.json.encode(html.escape(line[1]))) + (80 if line[0] in _STANDING_OUT else 0)
        if room < 0:
            break
        chosen.append(line)
    return count - len(chosen), chosen[::-1]


def _of_log(model: PaneModel) -> Iterator[_Line]:
    several = len(model.store.counts) > 1
    progress = 0
    newest = list(islice(reversed(model.store), _LOOKED_AT))
    if LOG in model.store.counts:  # its lines arrive later than entries
        newest.sort(key=lambda row: row.at, reverse=True)
    for row in newest:
        progress += row.progress
        if row.has_content and not (row.progress and progress > PROGRESS):
            channel = f"[{one_line(row.source, 40)}] " if row.channel and several else ""
            yield row.kind, f"{clock(row.at)}  {_who(row.who)}{channel}{_text(row)}"


def _text(row: Row) -> str:
    """Return a row's text as one line; that of a displayed object retains its lines, such as those of a table."""
    line = row.line
    return f"\n{shortened(line, _STORY)}" if row.media is not None and "\n" in line else one_line(line, _LINE)


def _of_workflow(model: PaneModel) -> Iterator[_Line]:
    """Yield our remarks, and a line for each process as it is now."""
    for row in reversed(model.store):
        if row.kind in (NOTE, FAULT):
            yield row.kind, f"{clock(row.at)}  {one_line(row.line, _LINE)}"
    for line in reversed(model.flow.lines(model.now())):
        yield "", line


def _of_chat(model: PaneModel) -> Iterator[_Line]:
    for bubble in reversed(model.chat.bubbles):
        text = clean(shortened(bubble.text, _TURN))
        yield bubble.kind, f"{clock(bubble.at)[:8]}  {_who(bubble.who)}{text}"


def _who(name: str) -> str:
    return f"{name}  " if name else ""


def _marked(line: _Line) -> str:
    kind, text = line
    text = html.escape(text, quote=False)
    if kind in (ERROR, FAULT):
        return f'<b style="color:{COLOURS[ProcessState.FAILED]}">{text}</b>'
    return f'<i style="opacity:.7">{text}</i>' if kind == NOTE else text
