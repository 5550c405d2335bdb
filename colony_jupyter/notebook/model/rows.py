"""Rows: what a pane shows of each entry, numbered, all of them stored (pure).

The page shows a window of these; whatever it has not, it asks for by number.
"""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from colony_jupyter.notebook.formats.plain_text import clean, clean_keeping_colours, one_line, size
from colony_jupyter.notebook.model.media import Media, media_of
from colony_jupyter.values.mime import DISPLAY, is_bundle
from colony_jupyter.wire.models import END, ERROR, TURN, Entry, Log, moment

if TYPE_CHECKING:
    from collections.abc import Iterator

WINDOW: Final = 1000
"""Rows a page holds at a time (docs/decisions.md)."""

CLIPPED: Final = 4000
"""Characters of a text that go to the page; the rest is fetched when it is unfolded."""

WHOLE: Final = 1_000_000
"""Characters that are fetched then; what is longer can be downloaded."""

HEX: Final = 48
"""Bytes of a binary payload that are previewed."""

NOTE: Final = "note"
"""Kind of a row that is a remark of ours."""

FAULT: Final = "fault"
"""Kind of a row for an error of this program or of the connection."""

LOG: Final = "\0log"
"""In place of a channel for the lines of the process log; no channel is shown under this name (`clean`)."""

CHANGE: Final = "change"
"""Kind of a row for a member of a workflow whose state has changed."""

TEXT: Final = "text"
JSON: Final = "json"
BYTES: Final = "bytes"
MEDIA: Final = "media"


class Row(msgspec.Struct, frozen=True):
    """One row.

    Attributes:
        number: 0, 1, 2, ... within the pane.
        kind: the entry's type, or `NOTE` or `FAULT`.
        at: when, in Unix seconds.
        who: sender in words; empty for our own rows.
        mine: whether the person at the notebook sent it.
        form: `TEXT`, `JSON`, `BYTES` or `MEDIA`.
        text: what is shown, fit to be shown; for bytes a preview in hexadecimal digits.
        channel: where it came from, `LOG` for a line of the process log; empty for our own rows.
        entry: what it came from; None for our own rows.
        media: of a MIME bundle, what is shown of it.
        progress: whether it reports progress (`colony_jupyter.notebook.model.progress.parse`).
    """

    number: int
    kind: str
    at: float
    who: str
    mine: bool
    form: str
    text: str
    channel: str = ""
    entry: Entry | None = None
    media: Media | None = None
    progress: bool = False

    def wire(self, limit: int = CLIPPED) -> dict[str, Any]:
        """Return the row as the page reads it (`static/store.js`); a text over ``limit`` characters is cut."""
        row: dict[str, Any] = {
            "n": self.number,
            "k": self.kind,
            "t": round(self.at * 1000),
            "w": self.who,
            "x": self.text if len(self.text) <= limit else self.text[:limit],
        }
        if len(self.text) > limit:
            row["all"] = len(self.text)
        if self.mine:
            row["m"] = 1
        if self.form != TEXT:
            row["f"] = self.form
        if self.entry is not None:
            row |= {"c": self.channel, "s": self.entry.sequence}
            if self.entry.inreplyto:
                row["r"] = self.entry.inreplyto
            if self.entry.former:
                row["o"] = 1
            if self.media is not None:
                row["d"] = self.media.wire()
            if self.form == BYTES:
                row["z"] = len(self.entry.payload)
        return row

    @property
    def source(self) -> str:
        """Name of the channel, or ``log``; empty for our own rows."""
        return "log" if self.channel == LOG else self.channel

    @property
    def has_content(self) -> bool:
        """Whether there is anything to read; the end of a turn or of a channel has no content."""
        return self.kind not in (END, TURN) or bool(self.text)

    @property
    def line(self) -> str:
        """What a transcript or a terminal shows of it, without escapes."""
        if self.form == BYTES and self.entry is not None:
            return f"[{size(len(self.entry.payload))}] {self.text}"
        return clean(self.text)


def row_of(number: int, channel: str, entry: Entry, who: str, *, mine: bool, now: float) -> Row:
    """Make the row of an entry; ``now`` (Unix seconds) stands in where the entry has no time."""
    try:
        when = moment(entry.timestamp)
    except ValueError:
        when = None
    form, text, media = _shown(entry)
    who = _label(who, 80)
    if entry.former:
        who += " (former executor)"
    at = when.timestamp() if when else now
    return Row(number, _label(entry.type, 40), at, who, mine, form, text, clean(channel), entry, media)


def row_of_line(number: int, count: int, line: Log, *, now: float) -> Row:
    """Make the row of a line of the process log, the ``count``-th one."""
    when = datetime.fromtimestamp(line.timestamp / 1e9, UTC).isoformat() if line.timestamp > 0 else ""
    payload = line.message.encode("utf-8", "replace")
    entry = Entry(sequence=count, timestamp=when, senderid=line.executorname, payload=payload)
    row = row_of(number, "", entry, line.executorname, mine=False, now=now)
    return msgspec.structs.replace(row, channel=LOG)


# The same few names and types come again and again.
_label = functools.lru_cache(maxsize=256)(one_line)


def bundle_in(entry: Entry) -> dict[str, Any] | None:
    """Return the MIME bundle of a displayed object; None for any other entry."""
    if entry.type != DISPLAY:
        return None
    try:
        value = msgspec.json.decode(entry.payload)
    except (msgspec.DecodeError, RecursionError):
        return None
    return value if is_bundle(value) else None


def _shown(entry: Entry) -> tuple[str, str, Media | None]:
    bundle = bundle_in(entry)
    if bundle is not None:
        media = media_of(bundle)
        return MEDIA, media.plain, media
    return *_shown_as_text(entry), None


def _shown_as_text(entry: Entry) -> tuple[str, str]:
    try:
        text = entry.payload.decode()
    except UnicodeDecodeError:
        return BYTES, entry.payload[:HEX].hex(" ")
    if "\0" in text:
        return BYTES, entry.payload[:HEX].hex(" ")
    if entry.type == ERROR and not text:
        text = entry.error
    if text[:1] in ("{", "["):
        try:
            msgspec.json.decode(entry.payload)
        except (msgspec.DecodeError, RecursionError):
            return TEXT, clean_keeping_colours(text)
        return JSON, clean(text)
    return TEXT, clean_keeping_colours(text)


class RowStore:
    """All rows of a pane, in the order they came."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._entries: list[tuple[str, str, Entry] | Log] = []  # channel, sender and entry, or line, as they came
        self._counts: dict[str, int] = {}
        self.readable = 0
        """Number of rows to read (`Row.has_content`)."""

        self.newest_picture: int | None = None
        """Number of the newest row that shows a picture; None if none does."""

        self.senders: dict[str, None] = {}
        """Names of all senders, in the order of their first entries."""

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def __reversed__(self) -> Iterator[Row]:
        return reversed(self._rows)

    def __getitem__(self, number: int) -> Row:
        return self._rows[number]

    @property
    def counts(self) -> dict[str, int]:
        """Number of rows to read of each channel (`Row.has_content`), in the order in which the channels appeared."""
        return self._counts

    def append(self, row: Row) -> None:
        """Add a row; its number must be the next one."""
        self._rows.append(row)
        self.readable += row.has_content
        if row.media is not None and row.media.kind == "image":
            self.newest_picture = row.number
        if row.channel:
            self._counts[row.channel] = self._counts.get(row.channel, 0) + row.has_content
        if row.who:
            self.senders.setdefault(row.who)

    def replace(self, row: Row) -> None:
        """Put a row in the place of the one with its number."""
        self._rows[row.number] = row

    def add_entry(self, channel: str, who: str, entry: Entry) -> None:
        """Store an entry for `json_lines`: the text of an entry may be in several rows, or in one with others."""
        self._entries.append((channel, who, entry))

    def add_line(self, line: Log) -> None:
        """Store a line of the process log for `json_lines`."""
        self._entries.append(line)

    def between(self, first: int, end: int) -> list[Row]:
        """Rows with numbers from ``first`` up to but not including ``end``."""
        return self._rows[max(0, first) : max(0, end)]

    def before(self, number: int, count: int, channel: str = "") -> list[Row]:
        """Up to ``count`` rows older than ``number``, of one channel or the log, or of all channels; and our own."""
        found: list[Row] = []
        for row in reversed(self._rows[: max(0, number)]):
            if len(found) == count:
                break
            if _is_of(row, channel):
                found.append(row)
        return found[::-1]

    def after(self, number: int, count: int, channel: str = "") -> list[Row]:
        """Up to ``count`` rows newer than ``number``, as `before`."""
        found: list[Row] = []
        for row in self._rows[max(0, number + 1) :]:
            if len(found) == count:
                break
            if _is_of(row, channel):
                found.append(row)
        return found

    def search(self, words: str, channel: str = "", limit: int = WINDOW) -> tuple[int, list[Row]]:
        """Find rows whose text or sender holds ``words``, in any letter case: how many there are, and the last ones."""
        words = words.casefold()
        found = [
            row
            for row in self._rows
            if _is_of(row, channel) and (words in row.text.casefold() or words in row.who.casefold())
        ]
        return len(found), found[-limit:]

    def json_lines(self) -> str:
        """Return every entry and log line as a line of JSON, payloads as they came (text, or base64 where not text)."""
        return "".join(
            msgspec.json.encode(each).decode() + "\n" if isinstance(each, Log) else _json_line(*each)
            for each in self._entries
        )


def _is_of(row: Row, channel: str) -> bool:
    """Whether a row is shown with those of a channel; empty for all channels, which leaves out the log."""
    return row.channel in ("", channel) or (not channel and row.channel != LOG)


def _json_line(channel: str, who: str, entry: Entry) -> str:
    line: dict[str, Any] = {
        "channel": channel,
        "sequence": entry.sequence,
        "inreplyto": entry.inreplyto,
        "type": entry.type,
        "timestamp": entry.timestamp,
        "senderid": entry.senderid,
        "sender": who,
    }
    if entry.error:
        line["error"] = entry.error
    try:
        line["text"] = entry.payload.decode()
    except UnicodeDecodeError:
        line["payload"] = entry.payload  # msgspec writes bytes as base64
    return msgspec.json.encode(line).decode() + "\n"
