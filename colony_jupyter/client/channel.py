"""One channel of one process, for the party that holds the handle."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from colony_jupyter.client.streams.channel_log import pages
from colony_jupyter.client.streams.stream import AsyncStream, Errors
from colony_jupyter.errors import ChannelNotFound, WaitTimeout
from colony_jupyter.values.rows import entry_records
from colony_jupyter.wire.models import END, ERROR, Entry, ProcessState, visible_channels

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from colony_jupyter.client.process_session import ProcessSession
    from colony_jupyter.client.writer import ChannelWriter
    from colony_jupyter.values.records import Records


class AsyncChannel:
    """A channel: send, read, iterate. Made by `AsyncProcess.channel`.

    Args:
        session: gives the session of its process; another one in a forked child and on another event loop.
        name: the channel's name.
    """

    def __init__(self, session: Callable[[], ProcessSession], name: str) -> None:
        self._session = session
        self.name = name

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} of {self.processid[:8]}>"

    @property
    def processid(self) -> str:
        """Id of its process."""
        return self._session().processid

    # reading

    def __aiter__(self) -> AsyncIterator[Entry]:
        return self.stream()

    def stream(
        self,
        *,
        start: int = 0,
        limit: int = 0,
        timeout: float | None = None,
        idle_timeout: float | None = None,
        errors: Errors = "raise",
        to_end: bool = True,
        on_loss: Callable[[int], None] | None = None,
    ) -> AsyncStream:
        """Read entries as they come, from the beginning of the channel on.

        Args:
            start: number of entries to skip; not a sequence number (trap 2).
            limit: entries after which to stop; 0 for no limit.
            timeout: seconds for the whole stream; None for no limit.
            idle_timeout: seconds without an entry; None for no limit.
            errors: whether an ``error`` entry of the other party raises `StreamError` or is yielded.
            to_end: whether the other party's ``end`` ends the stream; if not, ``end`` entries are yielded like all
                others and only the closing of the process ends it.
            on_loss: called on the loop when the server has lost the log, with the number of entries delivered before;
                the stream then continues with the new log. Without it, such a stream raises `StreamBroken`.
        """
        session = self._session()
        return AsyncStream(
            session.subscription(self.name, to_end=to_end, survives_loss=on_loss is not None),
            start=start,
            limit=limit,
            timeout=timeout,
            idle_timeout=idle_timeout,
            errors=errors,
            everything=not to_end,
            on_loss=on_loss,
            readers=session.readers if to_end and limit == 0 else None,
        )

    async def read(self, start: int = 0, limit: int = 0) -> Records[Entry]:
        """Read what is there now, of all types and both parties.

        Args:
            start: number of entries to skip.
            limit: how many at most; 0 for all.

        Raises:
            ChannelNotFound: if there is no such channel, or the process has ended.
        """
        session = self._session()
        entries: list[Entry] = []
        try:
            async for page in pages(session.connection, session.processid, self.name, start, limit):
                entries += page
        except ChannelNotFound as error:
            raise await self._explain(error) from error
        return entry_records(entries)

    async def subscribe(
        self, callback: Callable[[list[Entry]], object], start: int = 0, timeout: float | None = None
    ) -> None:
        """Pass entries to a callback as they arrive, of all types and both parties, until it returns False.

        Ends also at the timeout, and when the process has closed.

        Args:
            callback: gets a list of entries. What it returns is awaited where that is awaitable, before the next call.
            start: number of entries to skip.
            timeout: seconds for the whole; None for no limit.
        """
        stream = self.stream(start=start, timeout=timeout, errors="yield", to_end=False)
        try:
            async with stream:
                while entries := await stream.batch():
                    returned = callback(entries)
                    if inspect.isawaitable(returned):
                        returned = await returned
                    if returned is False:
                        return
        except WaitTimeout:
            return

    # writing

    async def send(self, payload: Any, *, type: str = "data", inreplyto: int = 0) -> int:  # noqa: A002 - the field's name
        """Append an entry and return its sequence number; waits at the limit of rate, and while no connection is there.

        Args:
            payload: text, bytes, or a JSON value; at most 10 MiB.
            type: ``data``, ``end``, ``error``, or any other text.
            inreplyto: sequence of the entry this one answers; 0 for none.

        Raises:
            ChannelNotFound, ChannelClosed, ChannelFull, MessageTooLarge: see their docstrings.
            ServerUnreachable: if no server answers for a minute.
        """
        return await self._writer().send(payload, kind=type, inreplyto=inreplyto)

    async def write(self, text: str, *, inreplyto: int = 0) -> None:
        """Add to a text stream. Pieces are joined into few entries, to stay below the limit of rate.

        Args:
            text: the next piece.
            inreplyto: sequence of the entry that the text answers; pieces for different ones are not joined.
        """
        await self._writer().write(text, inreplyto=inreplyto)

    async def flush(self) -> None:
        """Wait until all text written so far has been appended."""
        await self._writer().flush()

    async def ask(self, payload: Any, timeout: float | None = None) -> Entry:
        """Send an entry and wait for the one that answers it by ``inreplyto``.

        Args:
            payload: text, bytes, or a JSON value.
            timeout: seconds; None for no limit.

        Raises:
            WaitTimeout: if no answer came in that time.
            StreamError: if the answer is an ``error``.
            ChannelClosed, StreamBroken: if no answer can arrive any more; the message states whether it was sent.
        """
        return await self._session().request_reply(self.name).ask(payload, timeout)

    async def end(self, *, inreplyto: int = 0) -> int:
        """Send ``end``: nothing more will come, or with ``inreplyto`` nothing more in answer to that entry."""
        return await self.send("", type=END, inreplyto=inreplyto)

    async def error(self, text: str, *, inreplyto: int = 0) -> int:
        """Send an ``error`` entry."""
        return await self.send(text, type=ERROR, inreplyto=inreplyto)

    def _writer(self) -> ChannelWriter:
        return self._session().writer(self.name)

    async def _explain(self, error: ChannelNotFound) -> ChannelNotFound:
        record = await self._session().refresh()
        return ChannelNotFound(
            error.status,
            error.message,
            processid=self.processid,
            channel=self.name,
            declared=visible_channels(record.spec.channels),
            closed=record.state.is_closed,
            errors=record.errors or () if record.state is ProcessState.FAILED else (),
        )
