"""Errors that state how a process, a channel or a stream ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colony_jupyter.errors.general import ColonyError, quoted, went_through

if TYPE_CHECKING:
    from collections.abc import Sequence

    from colony_jupyter.wire.models import Entry


class ProcessError(ColonyError):
    """A process that ended without success.

    Attributes:
        processid: the process.
        funcname: its function.
    """

    def __init__(self, processid: str, funcname: str = "") -> None:
        super().__init__(processid, funcname)
        self.processid = processid
        self.funcname = funcname

    def _name(self) -> str:
        return f"{self.funcname} ({self.processid[:8]})" if self.funcname else self.processid[:8]


class ProcessFailed(ProcessError):
    """The process failed.

    Attributes:
        errors: the executor's errors, or the server's words for a missed deadline; may be empty (trap 30).
    """

    def __init__(self, processid: str, funcname: str = "", errors: Sequence[str] = ()) -> None:
        super().__init__(processid, funcname)
        self.errors = tuple(errors)

    def __str__(self) -> str:
        if not self.errors:
            return f"{self._name()} failed, and its executor gave no reason."
        return f"{self._name()} failed: {'; '.join(self.errors)}"


class ProcessCancelled(ProcessError):
    """The process was cancelled."""

    def __str__(self) -> str:
        return f"{self._name()} was cancelled."


class ProcessRemoved(ProcessError):
    """The process was removed from the server."""

    def __str__(self) -> str:
        return f"{self._name()} was removed from the server: neither its state nor its output can be had any more."


class ChannelError(ColonyError):
    """Something about one channel of one process.

    Attributes:
        processid: the process.
        channel: the channel's name.
    """

    def __init__(self, processid: str, channel: str) -> None:
        super().__init__(processid, channel)
        self.processid = processid
        self.channel = channel


class ChannelClosed(ChannelError):
    """Nothing can be written (any more).

    Attributes:
        reason: why, as a clause.
        written: entries of the text stream that went through before.
        sent: whether a question was sent, and only its answer cannot arrive any more.
    """

    def __init__(self, processid: str, channel: str, reason: str, written: int = 0, *, sent: bool = False) -> None:
        super().__init__(processid, channel)
        self.reason = reason
        self.written = written
        self.sent = sent

    def __str__(self) -> str:
        if self.sent:
            return f"The message was sent on channel '{self.channel}', but it was not answered: {self.reason}."
        return f"Nothing can be sent on channel '{self.channel}': {self.reason}.{went_through(self.written)}"


class StreamError(ChannelError):
    """The other party sent an ``error`` entry; raised after everything before it was delivered.

    Attributes:
        entry: that entry.
    """

    def __init__(self, processid: str, channel: str, entry: Entry) -> None:
        super().__init__(processid, channel)
        self.entry = entry

    def __str__(self) -> str:
        return f"Error on channel '{self.channel}': {self.entry.text}"


class StreamBroken(ChannelError):
    """Entries may be missing and cannot be had; a stream never ends as if it were complete when it may not be.

    Attributes:
        delivered: entries delivered before.
        reason: what happened, as a clause.
        ended: whether the process ended before everything was received.
        errors: the errors of the process, if it failed.
        sent: whether a question was sent whose answer is among the missing entries.
        avoidable: whether a channel ``sync``, on which the executor waits for the reader, would have prevented it.
    """

    def __init__(
        self,
        processid: str,
        channel: str,
        delivered: int,
        reason: str,
        *,
        ended: bool = False,
        errors: Sequence[str] = (),
        sent: bool = False,
        avoidable: bool = False,
    ) -> None:
        super().__init__(processid, channel)
        self.avoidable = avoidable
        self.delivered = delivered
        self.reason = reason
        self.ended = ended
        self.errors = tuple(errors)
        self.sent = sent

    def __str__(self) -> str:
        if self.sent:
            failure = quoted(self.errors)
            return (
                f"The message was sent on channel '{self.channel}', but no answer was received: {self.reason}{failure}."
            )
        delivered = "1 entry was" if self.delivered == 1 else f"{self.delivered} entries were"
        advice = ""
        if self.avoidable:
            advice = " Declare a channel named 'sync' so that the executor waits for the reader before it closes."
        return (
            f"The stream of channel '{self.channel}' may be incomplete: {self.reason}{quoted(self.errors)}. "
            f"{delivered} delivered before.{advice}"
        )
