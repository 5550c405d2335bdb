"""Messages of a kernel as entries of a channel: batches, compressed, and cut into parts where they are large.

An entry's plain text is one byte of flags and a body. The body of a batch is ``[number, acknowledged, items]`` in
MessagePack; an item is the name of a socket or command and its frames, which are never parsed.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

COMPRESSED: Final = 1
MORE: Final = 2
MOVED: Final = 4

PART: Final = 9_500_000
"""Bytes of the body of one entry, below the 10 MiB that a server accepts."""
LARGEST: Final = 2**30
"""Bytes of one batch; a longer one is not unpacked."""
_WORTHWHILE: Final = 200
_LARGE: Final = 2**20
_SAMPLE: Final = 2**15
_GAIN: Final = 0.7
_LEVEL: Final = 1


class Malformed(ValueError):
    """An entry with the right key whose contents have no meaning: the other party has another version."""


class Item(msgspec.Struct, frozen=True, array_like=True):
    """One message of a kernel's socket, or one command.

    Attributes:
        name: ``shell``, ``iopub``, ``stdin``, ``control``, or the name of a command.
        frames: its frames.
    """

    name: str
    frames: list[bytes]

    @property
    def size(self) -> int:
        """Bytes of its frames."""
        return sum(map(len, self.frames))


class Batch(msgspec.Struct, frozen=True, array_like=True):
    """Items that travel together.

    Attributes:
        number: its place among all batches of its lane, from 1 on; 0 for one that is not sent again when it is lost.
        acknowledged: for each lane in the other direction, the number of the last batch that was delivered.
        items: the items.
    """

    number: int
    acknowledged: dict[str, int]
    items: list[Item]


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Batch)


def pack(batch: Batch) -> list[bytes]:
    """Return the plain texts of the entries that carry a batch."""
    data = _encoder.encode(batch)
    flags = 0
    if _is_worthwhile(data) and len(smaller := zlib.compress(data, _LEVEL)) < len(data):
        data, flags = smaller, COMPRESSED
    parts = [data[start : start + PART] for start in range(0, len(data), PART)]
    return [bytes([flags | (MORE if part is not parts[-1] else 0)]) + part for part in parts]


def _is_worthwhile(data: bytes) -> bool:
    """Whether to compress; a picture in base64 shrinks by a quarter, which seldom saves the time that it takes."""
    if len(data) <= _LARGE:
        return len(data) > _WORTHWHILE
    middle = data[len(data) // 2 : len(data) // 2 + _SAMPLE]
    return len(zlib.compress(middle, _LEVEL)) < _GAIN * len(middle)


def moved(channel: str) -> bytes:
    """Return the plain text of the entry after which a lane continues on another channel."""
    return bytes([MOVED]) + channel.encode()


class Unpacker:
    """Puts the parts of batches together again."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, plain: bytes) -> Batch | str | None:
        """Return the batch that an entry completes, the channel it names, or None if further parts follow.

        Raises:
            Malformed: for anything else.
        """
        if not plain:
            raise Malformed("an entry is empty")
        flags, body = plain[0], plain[1:]
        if flags & MOVED:
            return str(body, "ascii", "replace")
        self._parts.append(body)
        self._size += len(body)
        if self._size > LARGEST:
            raise Malformed("a batch is too large")
        if flags & MORE:
            return None
        data, self._parts, self._size = b"".join(self._parts), [], 0
        try:
            return _decoder.decode(_inflated(data) if flags & COMPRESSED else data)
        except (msgspec.MsgspecError, zlib.error) as error:
            raise Malformed(str(error)) from None


def _inflated(data: bytes) -> bytes:
    inflating = zlib.decompressobj()
    plain = inflating.decompress(data, LARGEST)
    if not inflating.eof:
        raise Malformed("a batch is cut, or too large")
    return plain


def items_size(items: Sequence[Item]) -> int:
    """Bytes of the frames of items."""
    return sum(item.size for item in items)
