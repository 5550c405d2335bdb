"""Processes, for code that blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colony_jupyter.client.blocking.channel import Channel
from colony_jupyter.client.blocking.face import Face, blocking
from colony_jupyter.client.blocking.streams import LogStream
from colony_jupyter.client.process import AsyncProcess
from colony_jupyter.client.process_facts import ProcessFacts

if TYPE_CHECKING:
    from typing import Self

    from colony_jupyter.wire.models import ProcessRecord, ProcessState


class Process(Face[AsyncProcess], ProcessFacts):
    """A handle to a process: its state, channels, log and result. See `AsyncProcess`."""

    cancel = blocking(AsyncProcess.cancel)
    refresh = blocking(AsyncProcess.refresh)
    result = blocking(AsyncProcess.result)

    @property
    def processid(self) -> str:  # type: ignore[override]
        """Its id, 64 hex digits."""
        return self._async.processid

    @property
    def record(self) -> ProcessRecord:
        """The process as the server reported it last."""
        return self._async.record

    def channel(self, name: str) -> Channel:
        """Return a handle to one of its channels."""
        return Channel(self._async.channel(name), self._portal)

    def log(self, *, timeout: float | None = None) -> LogStream:
        """Read the lines of its log as they come; see `AsyncProcess.log`."""
        return LogStream(self._async.log(timeout=timeout), self._portal)

    def running(self, timeout: float | None = None) -> Self:
        """Wait until it runs, or has run; see `AsyncProcess.running`."""
        self._portal.run(self._async.running, timeout)
        return self

    def closed(self, timeout: float | None = None) -> Self:
        """Wait until it has ended, however it ended; see `AsyncProcess.closed`."""
        self._portal.run(self._async.closed, timeout)
        return self

    def wait(self, state: ProcessState | int | str, timeout: float | None = None) -> Self:
        """Wait until it is in a state, or has been and is past it; see `AsyncProcess.wait`."""
        self._portal.run(self._async.wait, state, timeout)
        return self
