"""A board as text, and as the HTML of a transcript (pure). Styles are inline, text is escaped."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Final

from colony_jupyter.notebook.formats.plain_text import aligned, seconds, written
from colony_jupyter.notebook.formats.tables import CELL_STYLE, COLOURS, MONO, NO_MATH
from colony_jupyter.wire.models import ProcessState

if TYPE_CHECKING:
    from colony_jupyter.notebook.model.board import Board, Cell, Section

_BAR: Final = 30
_FAILED: Final = COLOURS[ProcessState.FAILED]


def bundle(board: Board, at: float) -> dict[str, str]:
    """Return the MIME bundle of the transcript, written at the time ``at`` (Unix seconds)."""
    note = written(at)
    return {"text/html": as_html(board, note), "text/plain": f"{as_text(board)}\n({note})"}


def as_text(board: Board) -> str:
    """Return the board as lines of text."""
    lines = [_headline(board)]
    if board.bar is not None:
        lines.append(_bar(board))
    if board.counts:
        lines.append("  ".join(_count(each.state, each.count, each.rate) for each in board.counts))
    for section in board.sections:
        lines += ["", f"{section.name}:", *_table(section)]
    if board.trouble:
        lines += ["", board.trouble]
    return "\n".join(lines)


def as_html(board: Board, note: str = "") -> str:
    """Return the board as HTML, with a note beside its title."""
    state = f'<b style="color:{_colour(board.state)}">{html.escape(board.state)}</b> ' if board.state else ""
    title = html.escape(" ".join(filter(None, [board.title, board.meta, _elapsed(board)])), quote=False)
    small = f' <small style="opacity:.7">{html.escape(note)}</small>' if note else ""
    bar = f'<div style="{MONO};font-size:12px">{html.escape(_bar(board))}</div>' if board.bar is not None else ""
    counts = "".join(
        f'<b style="color:{_colour(each.state)};margin-right:12px">'
        f"{html.escape(_count(each.state, each.count, each.rate))}</b>"
        for each in board.counts
    )
    tables = "".join(_html_table(section) for section in board.sections)
    trouble = f'<div style="color:{_FAILED}">{html.escape(board.trouble)}</div>' if board.trouble else ""
    return (
        f'<details open class="cj-transcript {NO_MATH}"><summary>{state}<bdi>{title}</bdi>{small}</summary>'
        f'{bar}<div style="font-size:12px">{counts}</div>{tables}{trouble}</details>'
    )


def _headline(board: Board) -> str:
    return " ".join(filter(None, [board.state, board.title, board.meta, _elapsed(board)]))


def _elapsed(board: Board) -> str:
    return "" if board.elapsed is None else f"· {seconds(board.elapsed)}"


def _bar(board: Board) -> str:
    bar = board.bar
    if bar is None:
        return ""
    full = round(bar.fraction * _BAR)
    text = f"{bar.done:,}/{bar.total:,} ▕{'█' * full}{'░' * (_BAR - full)}▏ {bar.fraction * 100:.0f} %"
    return f"{text} · {bar.x}" if bar.x else text


def _count(state: str, count: int, rate: str) -> str:
    return f"{count:,} {state}{f' ({rate})' if rate else ''}"


def _table(section: Section) -> list[str]:
    if not section.rows:
        return [f"  {section.more}"]
    lines = aligned([section.columns, *([cell.x for cell in row.cells] for row in section.rows)]).splitlines()
    return [f"  {line}" for line in [*lines, *([section.more] if section.more else [])]]


def _html_table(section: Section) -> str:
    columns = section.columns if section.rows else []
    head = "".join(f'<th style="{CELL_STYLE};overflow-wrap:anywhere">{html.escape(name)}</th>' for name in columns)
    body = "".join(f"<tr>{''.join(_html_cell(cell) for cell in row.cells)}</tr>" for row in section.rows)
    more = f'<div style="opacity:.7">{html.escape(section.more)}</div>' if section.more else ""
    return (
        f'<div style="font-size:12px;margin-top:4px"><i style="opacity:.7">{html.escape(section.name)}</i>'
        f'<table style="border-collapse:collapse;font-size:12px;margin:0"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>{more}</div>"
    )


def _html_cell(cell: Cell) -> str:
    style = f"{CELL_STYLE};overflow-wrap:anywhere{f';{MONO}' if cell.pid else ''}"
    style += f";color:{_colour(cell.state)};font-weight:600" if cell.state else ""
    title = f' title="{html.escape(cell.exact)}"' if cell.exact else ""
    return f'<td style="{style}"{title}><bdi>{html.escape(cell.x)}</bdi></td>'


def _colour(state: str) -> str:
    return COLOURS[ProcessState[state]] if state in ProcessState.__members__ else "inherit"
