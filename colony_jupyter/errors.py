"""Every error of this package, as one tree.

::

    ColonyError
    ├── UsageError                  a call that could never work; the caller's to mend
    │   ├── SettingsError           where the colony is, or who I am, is not (well) said
    │   │   └── InvalidKey          not a private key
    │   └── InvalidSpec             a function spec the server would accept and then let die
    ├── ServerUnreachable           nobody answers at the address
    ├── ProtocolError               an answer nobody can read
    ├── ServerRefused               the server answered with an error
    │   ├── AccessDenied            not a member, not the owner, not a party
    │   ├── ProcessNotFound
    │   ├── ChannelNotFound
    │   ├── RateLimited             too many appends a second
    │   ├── MessageTooLarge
    │   ├── ChannelFull
    │   ├── RequestTooLarge         over the size limit of a gateway or of the embedded colony
    │   └── GatewayRefused          a gateway or proxy in front of the server refused
    ├── ProcessError                how a process ended
    │   ├── ProcessFailed           carries the executor's own story
    │   ├── ProcessCancelled
    │   └── ProcessRemoved          it is not known any more
    ├── ChannelError
    │   ├── ChannelClosed           nothing can be written any more
    │   ├── StreamError             the other party sent an `error` entry
    │   └── StreamBroken            entries may be missing and cannot be had
    ├── WaitTimeout                 (also a TimeoutError)
    ├── ExecutorError               an executor that cannot do its work
    └── EmbeddedError               the embedded colony could not be used

Data is in attributes, the sentence in ``str()``. Every sentence names the thing, the reason and, where there is one,
the remedy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from colony_jupyter.wire.models import Entry


class ColonyError(Exception):
    """Root of all errors of this package. Each can be pickled and copied, as process pools do with errors."""

    def __reduce__(self) -> tuple[Any, ...]:
        # The constructors' parameters differ from `args`, by which exceptions are restored otherwise.
        return _restore, (type(self), self.args, {name: value for name, value in vars(self).items() if _is_data(name)})


def _is_data(attribute: str) -> bool:
    """Return whether an attribute belongs to the error, not to how IPython displays it."""
    return not attribute.startswith("_") or attribute == "__notes__"


def _restore(kind: type[ColonyError], args: tuple[Any, ...], attributes: dict[str, Any]) -> ColonyError:
    error = kind.__new__(kind, *args)
    error.args = args
    vars(error).update(attributes)
    return error


class UsageError(ColonyError):
    """A call that could never work as it was made."""


class SettingsError(UsageError):
    """Where the colony is, or who is calling, is not (well) said."""


class InvalidKey(SettingsError):
    """A text that is no private key. The text itself is never repeated."""


class InvalidSpec(UsageError):
    """A function or workflow spec that the server would take and that could then never work."""


class ServerUnreachable(ColonyError):
    """No answer from ColonyOS: no connection, a connection that was cut, or a gateway that answered in its place.

    Attributes:
        address: ``host:port`` that was tried.
        reason: what the operating system, the TLS library or the gateway reported.
        sent: whether the request may have reached the server all the same.
        status: HTTP status of the gateway's response; 0 if there was no response.
        retry_after: seconds that the gateway asks to wait before the next request; 0 if it does not.
        remedy: what to do, as a sentence; empty if it is not known.
    """

    def __init__(
        self,
        address: str,
        reason: str,
        *,
        sent: bool = False,
        status: int = 0,
        retry_after: float = 0.0,
        remedy: str = "",
    ) -> None:
        super().__init__(address, reason)
        self.address = address
        self.reason = reason
        self.sent = sent
        self.status = status
        self.retry_after = retry_after
        self.remedy = remedy

    def __str__(self) -> str:
        remedy = self.remedy or "Check the address, whether the server runs, and whether it uses TLS."
        if self.status:
            remedy = "Check the address, whether the server runs, and whether gateways in front of it forward to it."
        subject = "No answer from ColonyOS" if self.status or self.remedy else "No ColonyOS server answers"
        return f"{subject} at {self.address}: {self.reason}. {remedy}"


class ProtocolError(ColonyError):
    """An answer that cannot be read (docs/protocol.md traps 15 and 16)."""


class ServerRefused(ColonyError):
    """The server answered with an error.

    Attributes:
        status: HTTP status, or the status inside an error frame of the WebSocket.
        message: the server's own words.
        msgtype: the call that was refused.
    """

    def __init__(self, status: int, message: str, msgtype: str = "") -> None:
        super().__init__(status, message, msgtype)
        self.status = status
        self.message = message
        self.msgtype = msgtype

    def __str__(self) -> str:
        call = f" {self.msgtype}" if self.msgtype else ""
        return f"The server refused{call} ({self.status}): {self.message}."


class AccessDenied(ServerRefused):
    """Not a member of the colony, not its owner, or not a party to the process."""

    def __str__(self) -> str:
        if "does not exists" in self.message:
            return f"{self.message.replace('exists', 'exist')}: check COLONIES_COLONY_NAME (or --colony)."
        if "not colony owner" in self.message:
            return "Only the colony's owner may do this: set COLONIES_COLONY_PRVKEY to the colony's private key."
        if "not server owner" in self.message:
            return "Only the server's owner may do this: set COLONIES_SERVER_PRVKEY to the server's private key."
        if "not a member" in self.message:
            return (
                f"{self.message}: the key used is no user or approved executor of it. Check that COLONIES_PRVKEY is a "
                "member's key (not the colony's own), or ask the colony's owner to add it."
            )
        return super().__str__()


class ProcessNotFound(ServerRefused):
    """No such process."""

    def __init__(self, status: int, message: str, msgtype: str = "", processid: str = "") -> None:
        super().__init__(status, message, msgtype)
        self.processid = processid

    def __str__(self) -> str:
        which = f"Process {self.processid}" if self.processid else "The process"
        return f"{which} is not known to the server: the id is wrong, or it was removed."


class ChannelNotFound(ServerRefused):
    """The process has no channel of that name (any more).

    Attributes:
        processid: the process.
        channel: the name that was asked for.
        declared: names the process was submitted with; None if not known.
        closed: whether the process has ended, and its channels with it (trap 24).
        errors: the errors of the process, if it failed.
    """

    def __init__(
        self,
        status: int,
        message: str,
        msgtype: str = "",
        *,
        processid: str = "",
        channel: str = "",
        declared: Sequence[str] | None = None,
        closed: bool = False,
        errors: Sequence[str] = (),
    ) -> None:
        super().__init__(status, message, msgtype)
        self.processid = processid
        self.channel = channel
        self.declared = None if declared is None else tuple(declared)
        self.closed = closed
        self.errors = tuple(errors)

    def failure(self) -> str:
        """Return a clause that quotes the errors of the process; empty if it did not fail."""
        return _quoted(self.errors)

    def __str__(self) -> str:
        if self.closed and (self.declared is None or self.channel in self.declared):
            return (
                f"Channel '{self.channel}' is gone: process {self.processid} has ended{self.failure()}, and channels "
                "do not outlive their process. What must be kept goes into its output."
            )
        if self.declared is None:
            return f"Channel '{self.channel}' not found: declare it when submitting."
        if not self.declared:
            return f"Channel '{self.channel}' not found. This process has none: declare it when submitting."
        return f"Channel '{self.channel}' not found. This process has: {', '.join(self.declared)}."


class RateLimited(ServerRefused):
    """The append rate of a process exceeds 100 per second after a burst of 500 (docs/protocol.md section 5)."""


class MessageTooLarge(ServerRefused):
    """A payload over 10 MiB: `size` and `limit` are in bytes; the size is None if the server refused it."""

    size: int | None = None
    limit = 10_485_760

    def __str__(self) -> str:
        size = "over 10 MiB" if self.size is None else sizes(self.size, self.limit)[0]
        return f"The message is {size}, the limit of one channel entry is 10 MiB (10,485,760 bytes): send it in pieces."


class ChannelFull(ServerRefused):
    """10 000 entries are in the channel; it stays full.

    Attributes:
        written: entries of the text stream that went through before.
    """

    written = 0

    def __str__(self) -> str:
        return (
            "The channel is full: it holds 10,000 entries, the server's limit, and stays full. Use write() to coalesce "
            f"text into fewer entries, or a second channel.{_went_through(self.written)}"
        )


class RequestTooLarge(ServerRefused):
    """A request over the size limit of a gateway or of the embedded colony (HTTP status 413); repeating it is useless.

    Attributes:
        size: bytes of the request. Encoding makes it larger than what it carries: by a third, an entry by 78 %.
        limit: bytes that are allowed; None if the gateway did not state it.
    """

    def __init__(self, size: int, limit: int | None = None, msgtype: str = "", message: str = "") -> None:
        super().__init__(413, message, msgtype)
        self.size = size
        self.limit = limit

    def __str__(self) -> str:
        call = f" ({self.msgtype})" if self.msgtype else ""
        return f"The request{call} is {self.compared(self.size)}"

    def compared(self, size: int) -> str:
        """Compare the size of the request's content, in bytes, with the largest that fits; to be put after "is"."""
        if self.limit is None:
            return (
                f"{sizes(size, 0)[0]}, over the limit of the gateway in front of the server "
                f"({self.message or 'HTTP 413'}). Send less, pass large data by a file, or raise the gateway's limit "
                "(nginx: client_max_body_size)."
            )
        shown, limit = sizes(size, self.limit * size // max(self.size, 1))  # encoding enlarges both alike
        return f"{shown}, the limit is {limit}. Send less, or pass large data by a file."


_KIB = 1024
_MIB = 1024 * 1024


def sizes(size: int, limit: int) -> tuple[str, str]:
    """Return two numbers of bytes as text that shows that they differ."""
    shown, allowed = (f"{each / _MIB:.1f} MiB" if each >= _MIB else f"{each / _KIB:.1f} KiB" for each in (size, limit))
    return (shown, allowed) if shown != allowed else (f"{size:,} bytes", f"{limit:,} bytes")


class GatewayRefused(ServerRefused):
    """A gateway or proxy in front of the server refused the request; repeating it is useless.

    Attributes:
        address: ``host:port`` that was called.
        location: where a redirect points to; empty if the response is none.
        proxy: environment variable that names the proxy in use; empty without one.
    """

    def __init__(
        self, status: int, message: str, msgtype: str = "", *, address: str = "", location: str = "", proxy: str = ""
    ) -> None:
        super().__init__(status, message, msgtype)
        self.address = address
        self.location = location
        self.proxy = proxy

    def __str__(self) -> str:
        return f"{self.address} did not pass the request on to ColonyOS: {self.message}. {self._remedy()}"

    def _remedy(self) -> str:
        if self.location:
            tls = "use TLS (COLONIES_TLS=true or --tls), and " if self.location.startswith("https:") else "use "
            return f"It redirects to {self.location}: {tls}the host and port of that address."
        if self.status == 401:  # noqa: PLR2004 - the status of HTTP
            return "The gateway requires a login of its own: ask its administrator for an address without one."
        if self.status == 407:  # noqa: PLR2004 - the status of HTTP
            return (
                f"The proxy requires a login: put user and password into {self.proxy or 'HTTP_PROXY or HTTPS_PROXY'}, "
                "such as http://user:password@proxy.example:3128, or exclude the server by NO_PROXY."
            )
        if self.status == 400 and "HTTPS" in self.message:  # noqa: PLR2004 - the status of HTTP
            return "The port expects TLS: set COLONIES_TLS=true or use --tls."
        if self.proxy:
            return (
                f"Ask the proxy's administrator to allow it, or exclude the server by NO_PROXY ({self.proxy} is set)."
            )
        return "Check COLONIES_SERVER_HOST and COLONIES_SERVER_PORT, and ask the gateway's administrator for access."


def _quoted(errors: Sequence[str]) -> str:
    return f" (it failed: {'; '.join(errors)})" if errors else ""


def _went_through(written: int) -> str:
    return f" {written} entries went through before." if written else ""


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
    """Somebody cancelled the process."""

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
        return f"Nothing can be sent on channel '{self.channel}': {self.reason}.{_went_through(self.written)}"


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
    ) -> None:
        super().__init__(processid, channel)
        self.delivered = delivered
        self.reason = reason
        self.ended = ended
        self.errors = tuple(errors)
        self.sent = sent

    def __str__(self) -> str:
        if self.sent:
            return f"The message was sent on channel '{self.channel}', but no answer was received: {self.reason}."
        delivered = "1 entry was" if self.delivered == 1 else f"{self.delivered} entries were"
        advice = ""
        if self.ended and not self.errors:
            advice = " Declare a channel named 'sync' so that the executor waits for the reader before it closes."
        return (
            f"The stream of channel '{self.channel}' may be incomplete: {self.reason}{_quoted(self.errors)}. "
            f"{delivered} delivered before.{advice}"
        )


class WaitTimeout(ColonyError, TimeoutError):
    """A wait took longer than it was allowed to.

    Attributes:
        what: what was waited for, as a clause.
        seconds: how long.
        hint: why it may have been so, or what to do; may be empty.
    """

    def __init__(self, what: str, seconds: float, hint: str = "") -> None:
        super().__init__(what, seconds)
        self.what = what
        self.seconds = seconds
        self.hint = hint

    def __str__(self) -> str:
        hint = f" {self.hint}" if self.hint else ""
        return f"Waited {self.seconds:g} s for {self.what}.{hint}"


class ExecutorError(ColonyError):
    """An executor that cannot do its work."""


class EmbeddedError(ColonyError):
    """The embedded colony could not be started or used."""
