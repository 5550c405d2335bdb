"""The operating-system process of one caller's function: started, listened to, and ended with all it has started."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from colony_jupyter.errors import ExecutorError
from colony_jupyter.executor.callers.environment import without_keys
from colony_jupyter.executor.callers.protocol import LENGTH, MAX_MESSAGE, decode_from_child, encode

if TYPE_CHECKING:
    from typing import BinaryIO, Self, TextIO

    from colony_jupyter.executor.callers.protocol import FromChild, ToChild

_ROOT: Final = str(Path(__file__).parents[3])
_PROGRAM: Final = (
    "import sys; sys.path.append(sys.argv[1]); from colony_jupyter.executor.callers.child.main import main; "
    "main(*map(int, sys.argv[2:]))"
)
_EXIT_SECONDS: Final = 2.0
"""Seconds for a process to exit by itself after its function has ended, and for its output to arrive."""
_STREAMS: Final = {1: "stdout", 2: "stderr"}


class _Output(asyncio.SubprocessProtocol):
    """Copies output to this process's streams, where the hooks of `output_hooks` see it, and notes the exit.

    The waiting of `asyncio.subprocess.Process` also waits for the pipes, which a process in the background may hold.
    """

    def __init__(self) -> None:
        self.exited = asyncio.Event()
        self.closed = asyncio.Event()
        self._open = set(_STREAMS)
        decoder = codecs.getincrementaldecoder("utf-8")
        self._decoders = {number: decoder("replace") for number in _STREAMS}

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        target: TextIO | None = getattr(sys, _STREAMS[fd])
        if target is not None:
            target.write(self._decoders[fd].decode(data))
            target.flush()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        del exc
        self._open.discard(fd)
        if not self._open:
            self.closed.set()

    def process_exited(self) -> None:
        self.exited.set()


class ChildProcess:
    """A process that runs one function, in a process group of its own.

    Its output is written to `sys.stdout` and `sys.stderr`, where that of other functions goes too. An asynchronous
    context manager: at the end the whole group is killed.
    """

    def __init__(self) -> None:
        self._output = _Output()
        self._process: asyncio.SubprocessTransport | None = None  # None before it is started
        self._reader = asyncio.StreamReader()
        self._reading: asyncio.ReadTransport | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._liveness: BinaryIO | None = None  # its end is the end of the process

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _start(self) -> None:
        loop = asyncio.get_running_loop()
        here: list[BinaryIO] = []  # ends of this process that no transport owns yet
        there: list[int] = []  # ends of the other process
        try:
            for mode in ("rb", "wb", "wb"):
                ends = os.pipe()
                here.append(os.fdopen(ends[mode == "wb"], mode, 0))
                there.append(ends[mode == "rb"])
            self._liveness = here.pop()
            write_there, read_there, liveness_there = there
            self._process, _ = await loop.subprocess_exec(
                lambda: self._output,
                sys.executable,
                "-c",
                _PROGRAM,
                _ROOT,
                *map(str, (read_there, write_there, liveness_there)),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=there,
                start_new_session=True,
                env={**without_keys(os.environ), "PYTHONIOENCODING": "utf-8:replace"},
            )
            self._reading, _ = await loop.connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(self._reader), here.pop(0)
            )
            transport, protocol = await loop.connect_write_pipe(
                lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()), here.pop(0)
            )
            self._writer = asyncio.StreamWriter(transport, protocol, None, loop)
        finally:
            for pipe in here:
                pipe.close()
            for descriptor in there:
                os.close(descriptor)

    async def send(self, message: ToChild) -> None:
        """Send a message; to a process that has ended nothing is sent."""
        if self._writer is not None:
            with contextlib.suppress(ConnectionError):
                self._writer.write(encode(message))
                await self._writer.drain()

    async def receive(self) -> FromChild | None:
        """Wait for the next message; None when no more can arrive.

        Raises:
            ExecutorError: for bytes that are no message.
        """
        try:
            (length,) = LENGTH.unpack(await self._reader.readexactly(LENGTH.size))
            if length > MAX_MESSAGE:
                raise ExecutorError(f"The function sent {length:,} bytes at once; the limit is {MAX_MESSAGE:,}.")
            return decode_from_child(await self._reader.readexactly(length))
        except asyncio.IncompleteReadError:
            return None
        except ValueError:
            raise ExecutorError("The function wrote into the pipe that its executor reads.") from None

    async def exited(self) -> int:
        """Wait until the process has exited, and return its exit code; that of a signal is negative."""
        await self._output.exited.wait()
        code = self._process.get_returncode() if self._process is not None else None
        return 0 if code is None else code

    async def finish(self) -> None:
        """Give the process a moment to exit and its output to arrive; what it started in the background is killed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_EXIT_SECONDS):
                await self._output.exited.wait()
        self._kill()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_EXIT_SECONDS):
                await self._output.closed.wait()

    async def aclose(self) -> None:
        """Kill the process and all of its group, wait for its exit, and close the pipes."""
        self._kill()
        if self._writer is not None:
            self._writer.close()
        if self._reading is not None:
            self._reading.close()
        if self._liveness is not None:
            self._liveness.close()
        if self._process is not None:
            try:
                await self._output.exited.wait()
            finally:
                self._process.close()

    def _kill(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # its last member has gone
                os.killpg(self._process.get_pid(), signal.SIGKILL)
