"""Errors that a server, a gateway or a proxy answers with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colony_jupyter.errors.general import ColonyError, quoted, went_through

if TYPE_CHECKING:
    from collections.abc import Sequence


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

    @property
    def is_stranger(self) -> bool:
        """Whether the caller is no member of the colony, or one that is not approved (yet, or any more)."""
        return "not a member" in self.message

    def __str__(self) -> str:
        if "does not exists" in self.message:
            return f"{self.message.replace('exists', 'exist')}: check COLONIES_COLONY_NAME (or --colony)."
        if "not colony owner" in self.message:
            return "Only the colony's owner may do this: set COLONIES_COLONY_PRVKEY to the colony's private key."
        if "not server owner" in self.message:
            return "Only the server's owner may do this: set COLONIES_SERVER_PRVKEY to the server's private key."
        if self.is_stranger:
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


class WorkflowNotFound(ServerRefused):
    """No such workflow."""

    def __init__(self, status: int, message: str, msgtype: str = "", processgraphid: str = "") -> None:
        super().__init__(status, message, msgtype)
        self.processgraphid = processgraphid

    def __str__(self) -> str:
        which = f"Workflow {self.processgraphid}" if self.processgraphid else "The workflow"
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
        return quoted(self.errors)

    def __str__(self) -> str:
        subject = f"Channel '{self.channel}'" if self.channel else "Channel"
        if self.closed and (self.declared is None or self.channel in self.declared):
            return (
                f"{subject} is gone: process {self.processid} has ended{self.failure()}, and channels "
                "do not outlive their process. What must be kept goes into its output."
            )
        if self.declared is None:
            return f"{subject} not found: declare it when submitting."
        if not self.declared:
            return f"{subject} not found. This process has none: declare it when submitting."
        return f"{subject} not found. This process has: {', '.join(self.declared)}."


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
            f"text into fewer entries, or a second channel.{went_through(self.written)}"
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
                "such as scheme://user:password@host:port, or exclude the server by NO_PROXY."
            )
        if self.status == 400 and "HTTPS" in self.message:  # noqa: PLR2004 - the status of HTTP
            return "The port expects TLS: set COLONIES_TLS=true or use --tls."
        if self.proxy:
            return (
                f"Ask the proxy's administrator to allow it, or exclude the server by NO_PROXY ({self.proxy} is set)."
            )
        return "Check COLONIES_SERVER_HOST and COLONIES_SERVER_PORT, and ask the gateway's administrator for access."
