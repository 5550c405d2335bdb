"""Text from other people's machines, made fit to be shown (pure).

Entries, names and errors may hold terminal escapes and characters that turn the reading direction around. Nothing of
it may leave its row, so what is no plain text is shown as a visible sign. Colours (SGR sequences) can remain, for
the page knows how to show them.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

# Every control character but tab and line feed; marks, embeddings, overrides and isolates of the bidirectional
# algorithm; line and paragraph separators; surrogates, which no UTF-8 can carry.
_UNFIT: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_SGR: Final = re.compile("\x1b\\[[0-9;]{0,64}m")
# CSI, OSC (ended by BEL or ST) and the two-character sequences, as terminals read them.
_ESCAPE: Final = re.compile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[@-Z\\\\-_])")
_PICTURES: Final = 0x2400  # U+2400 is the picture of U+0000, and so on to U+001F
_DELETE: Final = 0x7F


def _sign(found: re.Match[str]) -> str:
    code = ord(found[0])
    if found[0] == "\r":
        return "\n"
    if code < ord(" "):
        return chr(_PICTURES + code)
    if code == _DELETE:
        return "\u2421"
    return f"\u27e8U+{code:04X}\u27e9"


def clean(text: str) -> str:
    """Return the text without escapes; other characters that are not to be shown become visible signs."""
    # Every unfit character is unprintable for Python, which finds that out in a fraction of the time of a search.
    if text.isprintable() or not _UNFIT.search(text):
        return text
    return _UNFIT.sub(_sign, _ESCAPE.sub("", text.replace("\r\n", "\n")))


def clean_keeping_colours(text: str) -> str:
    """As `clean`, but SGR sequences (colours, bold, underline) stay as they are."""
    if "\x1b" not in text:
        return clean(text)
    parts: list[str] = []
    end = 0
    for found in _SGR.finditer(text):
        parts += [clean(text[end : found.start()]), found[0]]
        end = found.end()
    parts.append(clean(text[end:]))
    return "".join(parts)


def one_line(text: str, limit: int) -> str:
    """Return the text as one line of at most ``limit`` characters."""
    line = " ".join(clean(text[: 4 * limit]).split())
    return line if len(line) <= limit and len(text) <= 4 * limit else line[: limit - 1].rstrip() + "\u2026"


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Lay out rows of single lines of text as a table: two blanks between columns, no blank at the end of a line."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def value_line(value: Any) -> str:
    """Return a JSON value as the text of a cell: a text as it is, anything else as compact JSON."""
    return clean(value if isinstance(value, str) else msgspec.json.encode(value).decode())


def size(count: int) -> str:
    """Format a number of bytes: ``"999 bytes"``, ``"1.5 kB"``."""
    if count == 1:
        return "1 byte"
    value = float(count)
    for unit in ("bytes", "kB", "MB"):
        if value < 1000:  # noqa: PLR2004 - the step between the units
            return f"{count} bytes" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def seconds(count: float) -> str:
    """Format a time span as a clock does: ``"0:04"``, ``"2:41"``, ``"1:02:03"``."""
    whole = max(0, int(count))
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def clock(at: float) -> str:
    """Return the local time of day of ``at`` (Unix seconds) to the millisecond."""
    return datetime.fromtimestamp(at).astimezone().strftime("%H:%M:%S.%f")[:-3]


def written(at: float) -> str:
    """Return the remark of a transcript that was written at ``at`` (Unix seconds)."""
    return f"transcript written {datetime.fromtimestamp(at).astimezone():%Y-%m-%d %H:%M:%S %z}"


def shortened(text: str, limit: int) -> str:
    """Return the first ``limit`` characters of a text, the last of them an ellipsis if there are more."""
    return text if len(text) <= limit else text[: limit - 1] + "\u2026"
