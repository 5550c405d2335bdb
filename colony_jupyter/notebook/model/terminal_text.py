"""Text as a terminal shows it: carriage returns overwrite, and the cursor moves up as far as nested bars need (pure).

Understood are line feeds, carriage returns, backspaces, and of the control sequences of ECMA-48 the movements of the
cursor (``CSI A`` to ``CSI D``, ``CSI G``) and erasing (``CSI J``, ``CSI K``). Colours (SGR) stay in the text. All other
sequences are dropped. Where a text is cut into pieces does not matter.
"""

from __future__ import annotations

import re
from typing import Final

HEIGHT: Final = 50
"""Lines, counted from the last one, that the cursor can reach."""

WIDTH: Final = 1000
"""Columns and lines that one sequence moves the cursor at most."""

_DIGITS: Final = 4
_TOKEN: Final = re.compile(r"\n|\r|\x08|\x1b\[[0-9;?]*[@-~]|\x1b[^\[\x1b]|[^\n\r\x08\x1b]+|\x1b")
_SGR: Final = re.compile(r"\x1b\[[0-9;]*m")
_UNFINISHED: Final = re.compile(r"\x1b(?:\[[0-9;?]{0,64})?\Z")
_CONTROL: Final = re.compile(r"[\n\r\x08]|\x1b\[[0-9;?]*[A-KST]")
_OVERWRITES: Final = re.compile(r"(?:\x1b\[[0-9;]*m)*(?:[\r\x08]|\x1b\[[0-9;?]*[A-K])")


def has_control(text: str) -> bool:
    """Whether a text has several lines, overwrites itself or moves the cursor."""
    return not text.isprintable() and _CONTROL.search(text) is not None


class TerminalText:
    """Lines of one stream of text.

    Attributes:
        first: number of the oldest line that can still change; lines before it are forgotten.
    """

    def __init__(self) -> None:
        self.first = 0
        self._lines: list[str] = []
        self._row = 0  # of the cursor, counted from `first`
        self._column = 0
        self._pending = ""  # the beginning of a control sequence whose rest is still to come
        self._changed: dict[int, str] = {}

    def continues(self, text: str) -> bool:
        """Whether a text overwrites what is there, so that it does not begin a line of its own."""
        overwrites = _OVERWRITES.match(text) is not None
        is_open = self._row < len(self._lines) and bool(self._lines[self._row])
        is_above = self._row < len(self._lines) - 1  # it was moved up, and moves down again
        return bool(self._pending) or overwrites or is_above or (is_open and self._column == 0)

    def begin_line(self) -> None:
        """Move to a new line after the last one, unless the last one is empty."""
        self._pending = ""
        self._row = len(self._lines)
        self._column = 0

    def write(self, text: str) -> list[tuple[int, str]]:
        """Add text; return the numbers and texts of the lines that it changed, in order."""
        text = self._pending + text
        unfinished = _UNFINISHED.search(text)
        self._pending = unfinished[0] if unfinished else ""
        self._changed = {}
        for piece in _TOKEN.findall(text, 0, unfinished.start() if unfinished else len(text)):
            if piece == "\n":
                self._line(self._row)  # an empty line is a line, too
                self._row += 1
                self._column = 0
                self._forget()
            elif piece == "\r":
                self._column = 0
            elif piece == "\b":
                self._column = max(0, self._column - 1)
            elif piece[0] != "\x1b":
                self._put(piece)
            elif piece[1:2] == "[":
                self._control(piece)
        return sorted(self._changed.items())

    def _line(self, row: int) -> str:
        """Return a line; lines up to it that are missing are created empty."""
        while len(self._lines) <= row:
            self._changed[self.first + len(self._lines)] = ""
            self._lines.append("")
        return self._lines[row]

    def _set(self, row: int, line: str) -> None:
        if self._line(row) != line:
            self._lines[row] = line
            self._changed[self.first + row] = line

    def _put(self, text: str) -> None:
        line = self._line(self._row)
        length = len(_SGR.sub("", line))
        if self._column >= length:
            line += " " * (self._column - length) + text
        elif "\x1b" not in line:
            line = line[: self._column] + text + line[self._column + len(text) :]
        elif self._column == 0:
            line = text  # a coloured frame is overwritten as a whole
        else:
            line += text
        self._column += len(text)
        self._set(self._row, line)

    def _control(self, piece: str) -> None:
        kind = piece[-1]
        if kind == "m":
            line = self._line(self._row)
            # At the beginning of a line that is overwritten, the colours of the earlier frame are dropped, too.
            self._set(self._row, piece if self._column == 0 else line + piece)
            return
        number = piece[2:-1].partition(";")[0]
        # Far movements come from other people's programs; no line is filled up with blanks for more than a screen.
        count = min(int(number[:_DIGITS]), WIDTH) if number.isdecimal() else None
        if kind == "A":
            self._row = max(0, self._row - min(count or 1, HEIGHT))
        elif kind == "B":
            self._row = min(self._row + (count or 1), max(len(self._lines) - 1, self._row))
        elif kind == "C":
            self._column = min(self._column + (count or 1), len(_SGR.sub("", self._line(self._row))))
        elif kind == "D":
            self._column = max(0, self._column - (count or 1))
        elif kind == "G":
            self._column = max(0, (count or 1) - 1)
        elif kind in "JK":
            self._erase(kind, count or 0)

    def _erase(self, kind: str, what: int) -> None:
        """Erase in the line (``K``) or the screen (``J``): 0 from the cursor on, 1 up to it, 2 all."""
        if self._row < len(self._lines):
            line = self._lines[self._row]
            if what == 0 and "\x1b" not in line:
                self._set(self._row, line[: self._column])
            elif what != 0 or self._column == 0:
                self._set(self._row, "")
        if kind == "J" and what != 1:
            for row in range(self._row + 1, len(self._lines)):
                self._set(row, "")

    def _forget(self) -> None:
        over = len(self._lines) - HEIGHT
        if over > 0 and self._row >= over:
            del self._lines[:over]
            self.first += over
            self._row -= over
