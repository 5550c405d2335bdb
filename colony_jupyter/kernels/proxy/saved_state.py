"""What the next proxy of a connection file needs to attach to the same kernel: kept beside that file."""

from __future__ import annotations

import contextlib
import os
import struct
from typing import TYPE_CHECKING, Final

from colony_jupyter.kernels.relay.layout import CTL, OUT
from colony_jupyter.kernels.relay.line import Position

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_ID: Final = 64
_POSITION: Final = struct.Struct(">QI")
_LANES: Final = (OUT, CTL)
_FLAG: Final = _ID + _POSITION.size * len(_LANES)
_SIZE: Final = _FLAG + 1


class SavedState:
    """The process that carries the kernel, and how much of each lane the front end has.

    One small write right before each message: the file has a fixed layout. A proxy that is killed loses at most the
    message that it was about to send, and repeats none: front ends refuse a message that they have seen.

    Args:
        connection_file: the connection file of the front end.
    """

    def __init__(self, connection_file: Path) -> None:
        self._path = connection_file.with_suffix(".colony")
        self._file: int | None = None  # None until it is written
        self.is_to_restart = False
        """Whether the kernel is to be restarted, which the executor was not asked for yet."""

    def read(self) -> tuple[str, dict[str, Position]]:
        """Return the process and the positions; an empty id if there is none."""
        try:
            data = self._path.read_bytes()
        except OSError:
            return "", {}
        if len(data) != _SIZE:
            return "", {}
        self.is_to_restart = data[_FLAG] != 0
        positions = map(Position._make, _POSITION.iter_unpack(data[_ID:_FLAG]))
        return data[:_ID].decode("ascii", "replace"), dict(zip(_LANES, positions, strict=True))

    def use(self, processid: str, positions: Mapping[str, Position]) -> None:
        """Note the process."""
        if self._file is None:
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
        packed = [_POSITION.pack(*positions.get(lane, Position())) for lane in _LANES]
        flag = bytes([self.is_to_restart])
        os.pwrite(self._file, b"".join([processid.encode().ljust(_ID)[:_ID], *packed, flag]), 0)

    def delivered(self, lane: str, position: Position) -> None:
        """Note how much of a lane the front end has."""
        if self._file is not None and lane in _LANES:
            os.pwrite(self._file, _POSITION.pack(*position), _ID + _POSITION.size * _LANES.index(lane))

    def restarts(self, *, wanted: bool) -> None:
        """Note whether the next proxy is to have the kernel restarted, since this one could not."""
        if self._file is not None and wanted != self.is_to_restart:
            self.is_to_restart = wanted
            os.pwrite(self._file, bytes([wanted]), _FLAG)

    def close(self) -> None:
        """Leave it for the next proxy."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def remove(self) -> None:
        """Forget the kernel."""
        self.close()
        with contextlib.suppress(OSError):
            self._path.unlink()
