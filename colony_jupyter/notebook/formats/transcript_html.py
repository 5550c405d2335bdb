"""The transcript of a pane: what a saved notebook shows where no widget lives (pure).

Bounded in size whatever the stream's length, escaped, its looks inline, since notebooks that are not trusted, GitHub
and nbconvert drop style sheets and scripts (docs/decisions.md).
"""

from __future__ import annotations

import html
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from colony_jupyter.notebook.formats.plain_text import clean, clock, one_line
from colony_jupyter.notebook.formats.tables import COLOURS, NO_MATH
from colony_jupyter.notebook.model.rows import FAULT, NOTE
from colony_jupyter.wire.models import ERROR, ProcessState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from colony_jupyter.notebook.model.pane_model import PaneModel

ROWS: Final = 200
"""Rows a transcript holds at most, the last ones."""

BUDGET: Final = 14_000
"""Bytes the rows may take in each of the two forms; with the markup both stay under 50 kB as JSON."""

PROGRESS: Final = 20
"""Rows among them that report progress, the last ones: the bar tells what the others said."""

_LOOKED_AT: Final = 10 * ROWS
_LINE: Final = 400
_TURN: Final = 4000
_STORY: Final = 2000
_STANDING_OUT: Final = (ERROR, FAULT, NOTE)
_MONO: Final = "font-family:ui-monospace,Menlo,Consolas,monospace"

_Line: TypeAlias = tuple[str, str]  # kind of the row or bubble, and what is shown of it


def bundle(model: PaneModel, written: float) -> dict[str, str]:
    """Give the MIME bundle of the transcript, written at the time ``written`` (Unix seconds)."""
    left_out, chosen = _chosen(model)
    return {
        "text/html": _as_html(model, written, left_out, chosen),
        "text/plain": _as_text(model, written, left_out, chosen),
    }


def _as_text(model: PaneModel, written: float, left_out: int, chosen: list[_Line]) -> str:
    bar = [model.meter.latest.bar] if model.meter.latest is not None else []
    lines = [_headline(model), *bar, *([_left_out(left_out)] if left_out else []), *(text for _, text in chosen)]
    if model.result is not None:
        lines.append(_cut(model.result.line))
    return "\n".join([*lines, f"({_written(written)})"])


def _as_html(model: PaneModel, written: float, left_out: int, chosen: list[_Line]) -> str:
    lines = [model.meter.latest.bar] if model.meter.latest is not None else []
    lines += [f'<i style="opacity:.7">{html.escape(_left_out(left_out))}</i>'] if left_out else []
    lines += [_marked(line) for line in chosen]
    log = (
        f'<pre style="{_MONO};font-size:12px;line-height:1.5;margin:4px 0;white-space:pre-wrap;overflow-wrap:anywhere">'
        f"{chr(10).join(lines)}</pre>"
        if lines
        else ""
    )
    result = ""
    if model.result is not None:
        result = (
            f'<div style="white-space:pre-wrap;overflow-wrap:anywhere;{_MONO};font-size:12px">'
            f"{html.escape(_cut(model.result.line), quote=False)}</div>"
        )
    state = _state(model)
    if model.answer:
        state = f'<small style="opacity:.7">{state}</small> '
    elif state:
        state = f'<b style="color:{COLOURS[model.state or ProcessState.WAITING]}">{state}</b> '
    title = html.escape(_title(model), quote=False)
    return (
        f'<details open class="cj-transcript {NO_MATH}"><summary>{state}<bdi>{title}</bdi> '
        f'<small style="opacity:.7">{html.escape(_written(written))}</small></summary>{log}{result}</details>'
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


def _written(at: float) -> str:
    return f"transcript written {datetime.fromtimestamp(at).astimezone():%Y-%m-%d %H:%M:%S %z}"


def _left_out(count: int) -> str:
    return f"… {count:,} earlier rows are not in this transcript"


def _chosen(model: PaneModel) -> tuple[int, list[_Line]]:
    """Give the number of lines left out, and those to show: the last ones, within the bounds."""
    # The newest first, and no more of them than are wanted: a long stream costs no more than a short one.
    newest = _of_chat(model) if model.kind == "chat" else _of_log(model)
    count = len(model.conversation.bubbles) if model.kind == "chat" else model.store.telling
    room = BUDGET
    chosen: list[_Line] = []
    for line in islice(newest, ROWS):
        # As the notebook's file counts it: quotes, line breaks and escapes take more than a byte each.
        room -= len(msgspec.json.encode(html.escape(line[1]))) + (80 if line[0] in _STANDING_OUT else 0)
        if room < 0:
            break
        chosen.append(line)
    return count - len(chosen), chosen[::-1]


def _of_log(model: PaneModel) -> Iterator[_Line]:
    several = len(model.store.counts) > 1
    progress = 0
    for row in islice(reversed(model.store), _LOOKED_AT):
        progress += row.progress
        if row.tells and not (row.progress and progress > PROGRESS):
            channel = f"[{one_line(row.channel, 40)}] " if row.channel and several else ""
            yield row.kind, f"{clock(row.at)}  {_who(row.who)}{channel}{one_line(row.line, _LINE)}"


def _of_chat(model: PaneModel) -> Iterator[_Line]:
    for bubble in reversed(model.conversation.bubbles):
        text = clean(bubble.text[: _TURN - 1] + "…" if len(bubble.text) > _TURN else bubble.text)
        yield bubble.kind, f"{clock(bubble.at)[:8]}  {_who(bubble.who)}{text}"


def _who(name: str) -> str:
    return f"{name}  " if name else ""


def _marked(line: _Line) -> str:
    kind, text = line
    text = html.escape(text, quote=False)
    if kind in (ERROR, FAULT):
        return f'<b style="color:{COLOURS[ProcessState.FAILED]}">{text}</b>'
    return f'<i style="opacity:.7">{text}</i>' if kind == NOTE else text


def _cut(text: str) -> str:
    return text if len(text) <= _STORY else text[: _STORY - 1] + "…"
