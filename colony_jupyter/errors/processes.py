"""Errors that state how a process, a channel or a stream ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from colony_jupyter.errors.general import ColonyError, quoted, went_through

if TYPE_CHECKING:
    from collections.abc import Sequence

    from colony_jupyter.wire.models import Entry


_SHOWN: Final = 3
"""Errors of a group's processes that are shown."""


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

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def _name(self) -> str:
        return f"{self.funcname} ({self.processid[:8]})" if self.funcname else self.processid[:8]


class ProcessFailed(ProcessError):
    """The process failed.

    Attributes:
        errors: the executor's errors, or the server's words for a missed deadline; may be empty (trap 30).
        cause: what failed in its workflow, as a clause, where the process failed only along with that.
    """

    def __init__(self, processid: str, funcname: str = "", errors: Sequence[str] = (), cause: str = "") -> None:
        super().__init__(processid, funcname)
        self.errors = tuple(errors)
        self.cause = cause

    def __str__(self) -> str:
        if self.cause:
            return f"{self._name()} failed along with its workflow: {self.cause}"
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
        return f"{self._name()} was removed from the server: neither its state nor its output is available any more."


class LogIncomplete(ProcessError):
    """Lines of a process log cannot be read.

    Attributes:
        delivered: lines read before.
    """

    def __init__(self, processid: str, delivered: int) -> None:
        super().__init__(processid)
        self.args = (processid, delivered)
        self.delivered = delivered

    def __str__(self) -> str:
        return (
            f"The log of {self._name()} cannot be read completely: it has more lines of one and the same time than the "
            f"server lists in a reply. {self.delivered} lines were read before."
        )


class WorkflowError(ColonyError):
    """A workflow that ended without success.

    Attributes:
        processgraphid: the workflow.
    """

    def __init__(self, processgraphid: str) -> None:
        super().__init__(processgraphid)
        self.processgraphid = processgraphid


class WorkflowFailed(WorkflowError):
    """A process of the workflow failed.

    Attributes:
        failure: the nodes that failed by themselves and their reasons, as a clause; empty if there are none.
    """

    def __init__(self, processgraphid: str, failure: str = "") -> None:
        super().__init__(processgraphid)
        self.failure = failure

    def __str__(self) -> str:
        return f"Workflow {self.processgraphid[:8]} failed{f': {self.failure}' if self.failure else '.'}"


class WorkflowCancelled(WorkflowError):
    """The workflow was cancelled."""

    def __str__(self) -> str:
        return f"Workflow {self.processgraphid[:8]} was cancelled."


class GroupFailed(ColonyError):
    """Processes of a group ended without success.

    Attributes:
        failures: the error of each of them, in the order of the group.
        count: number of processes in the group.
    """

    def __init__(self, failures: Sequence[ProcessError], count: int) -> None:
        super().__init__(failures, count)
        self.failures = tuple(failures)
        self.count = count

    def __str__(self) -> str:
        reasons = [f"  {failure}" for failure in self.failures[:_SHOWN]]
        left = len(self.failures) - len(reasons)
        lines = [
            f"{len(self.failures)} of {self.count} processes ended without success:",
            *reasons,
            *([f"  and {left} more"] if left else []),
            "retry_failed() submits those that failed again; results(errors='return') gives the other results.",
        ]
        return "\n".join(lines)


class RemoteCellFailed(ColonyError):
    """A cell raised an error in its kernel on an executor.

    Attributes:
        ename: type of the error.
        evalue: its text.
        executorname: the executor.
        traceback: the lines that the kernel shows for it.
    """

    def __init__(self, ename: str, evalue: str, executorname: str = "", traceback: Sequence[str] = ()) -> None:
        super().__init__(ename, evalue, executorname, traceback)
        self.ename = ename
        self.evalue = evalue
        self.executorname = executorname
        self.traceback = tuple(traceback)

    def __str__(self) -> str:
        return f"{self.ename}: {self.evalue} (on executor '{self.executorname}')"


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
    """Entries may be missing and are not available; a stream never ends as if it were complete when it may not be.

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
