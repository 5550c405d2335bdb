"""What a function prints and logs, gathered into lines of its process's log."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import threading
from collections import deque
from typing import TYPE_CHECKING, Final

from colony_jupyter.errors import ColonyError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)

INTERVAL: Final = 0.25
"""Seconds between two log messages of one process: a loop of prints makes four calls a second, not thousands."""
MESSAGE_CHARACTERS: Final = 64_000
"""Characters of one log message at the most."""
PENDING_CHARACTERS: Final = 1_000_000
"""Characters that wait for their message at the most; what is more is left out and counted."""
_BAR: Final = re.compile(r"[^\r\n]*\b\d{1,3}%\|[^\r\n]*")
"""A frame of a progress bar as tqdm draws it."""
_LAST_SEND: Final = 5.0
"""Seconds for the rest of the output once the function has ended."""


class PendingLines:
    """Complete lines that wait to be sent, from several streams (pure; not thread-safe).

    A line that a carriage return overwrites is dropped, as a terminal drops it: only the last frame of a progress bar
    is left.

    Args:
        limit: characters that may wait; what exceeds them is counted and left out.
    """

    def __init__(self, limit: int = PENDING_CHARACTERS) -> None:
        self._limit = limit
        self._partial: dict[str, str] = {}  # the line that is not complete yet, by stream
        self._lines: deque[str] = deque()
        self._size = 0
        self._left_out = 0

    def write(self, stream: str, text: str) -> None:
        """Append text to a stream."""
        *complete, rest = (self._partial.pop(stream, "") + text).split("\n")
        for line in complete:
            self._add(_last_frame(line))
        if rest:
            # A carriage return at the very end may be half of a line break or precede the next frame.
            shown = _last_frame(rest) + ("\r" if rest.endswith("\r") else "")
            self._partial[stream] = shown[-self._limit :]

    def finish(self) -> None:
        """Complete the lines that no line break ended."""
        for line in self._partial.values():
            if shown := _last_frame(line):
                self._add(shown)
        self._partial.clear()

    def next_message(self) -> str | None:
        """Remove lines that fit one log message and return them joined; None if none wait."""
        if self._left_out and not self._lines:
            sentence = f"... {self._left_out} lines of output are left out: the function prints too fast for the log"
            self._left_out = 0
            return sentence
        taken: list[str] = []
        size = 0
        while self._lines and (not taken or size + len(self._lines[0]) < MESSAGE_CHARACTERS):
            line = self._lines.popleft()
            size += len(line) + 1
            self._size -= len(line) + 1
            if len(line) > MESSAGE_CHARACTERS:
                self._lines.appendleft(line[MESSAGE_CHARACTERS:])
                self._size += len(line) - MESSAGE_CHARACTERS + 1
                line = line[:MESSAGE_CHARACTERS]
            taken.append(line)
        return "\n".join(taken) if taken else None

    def _add(self, line: str) -> None:
        if self._left_out or self._size + len(line) + 1 > self._limit:
            self._left_out += 1
        else:
            self._lines.append(line)
            self._size += len(line) + 1


def _last_frame(line: str) -> str:
    """Return what a terminal shows of a line whose frames carriage returns separate."""
    return next((frame for frame in reversed(line.split("\r")) if frame), "")


class OutputCapture:
    """Sends what a function writes to the log of its process, in batches; `write` is called from any thread.

    Args:
        add: adds a message to the process's log.
        interval: seconds between two messages.
        on_frame: called with the latest frame of a progress bar on standard error, at most once in an interval.
    """

    def __init__(
        self,
        add: Callable[[str], Awaitable[None]],
        *,
        interval: float = INTERVAL,
        on_frame: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        self._add = add
        self._on_frame = on_frame
        self._frame = ""  # the latest one that `on_frame` was not called with
        self._interval = interval
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._pending = PendingLines()
        self._written = asyncio.Event()
        self._is_signalled = False  # whether `_written` is set, or will be
        self._failed = False  # whether the log refused a message; nothing is sent after it
        self._sending = asyncio.Lock()
        self._task = asyncio.create_task(self._run())

    def write(self, stream: str, text: str) -> None:
        """Append text that was written to a stream (``"stdout"``, ``"stderr"`` or ``"logging"``)."""
        with self._lock:
            if self._failed:
                return
            self._pending.write(stream, text)
            if stream == "stderr" and self._on_frame is not None and (frames := _BAR.findall(text)):
                self._frame = frames[-1].strip()
            if self._is_signalled:
                return
            self._is_signalled = True
        with contextlib.suppress(RuntimeError):  # the loop is closed: a thread went on after its executor
            self._loop.call_soon_threadsafe(self._written.set)

    async def flush(self) -> None:
        """Send the complete lines now, so that a line that is logged next comes after them."""
        async with self._sending:
            while not self._failed and (message := self._next_message()) is not None:
                await self._send(message)

    async def aclose(self) -> None:
        """Send the rest, for a few seconds at the most; text that is written later is dropped."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_SEND), self._sending:
                pass  # a message that is being sent is not cut off: it would be lost
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        with self._lock:
            self._pending.finish()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_SEND):
                await self._report_frame()
                await self.flush()
        self._failed = True

    async def _run(self) -> None:
        while True:
            await self._written.wait()
            self._written.clear()
            with self._lock:
                self._is_signalled = False
            async with self._sending:
                reported = await self._report_frame()
                message = self._next_message()
                if message is not None and not self._failed:
                    await self._send(message)
                elif not reported:
                    continue
            self._written.set()  # more may wait
            await asyncio.sleep(self._interval)

    async def _report_frame(self) -> bool:
        """Report the latest frame of a progress bar; return whether there was a new one."""
        with self._lock:
            frame, self._frame = self._frame, ""
        if frame and self._on_frame is not None:
            try:
                await self._on_frame(frame)
            except ColonyError as error:
                self._on_frame = None
                logger.info("progress bars of a function are not reported any more: %s", error)
        return bool(frame)

    def _next_message(self) -> str | None:
        with self._lock:
            return self._pending.next_message()

    async def _send(self, message: str) -> None:
        try:
            await self._add(message)
        except ColonyError as error:
            self._failed = True
            logger.info("output of a function is not logged any more: %s", error)
