"""The root of all errors, and errors of calls, settings, connections, waits, executors and the embedded colony."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


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
    """The settings for the server, the colony or the key are missing or contradictory."""


class InvalidKey(SettingsError):
    """A text that is no private key. The text itself is never repeated."""


class InvalidSpec(UsageError):
    """A function or workflow spec that the server would accept and that could then never work."""


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


class WebSocketRefused(ServerUnreachable):
    """A gateway, a proxy or the server refused a WebSocket; calls may get through all the same.

    Attributes:
        by: what refused it: ``host:port`` of the server, or the proxy.
    """

    def __init__(self, address: str, reason: str, *, by: str, status: int = 0) -> None:
        super().__init__(address, reason, status=status)
        self.by = by

    @property
    def clause(self) -> str:
        """What happened, as a clause."""
        return f"WebSocket refused by {self.by} ({self.status or self.reason})"


class ProtocolError(ColonyError):
    """An answer that cannot be read (docs/protocol.md traps 15 and 16)."""


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


def quoted(errors: Sequence[str]) -> str:
    """Return the part of a message that repeats the errors of a failed process."""
    return f" (it failed: {'; '.join(errors)})" if errors else ""


def went_through(written: int) -> str:
    """Return the sentence that counts the entries sent before an error."""
    return f" {written} entries went through before." if written else ""
