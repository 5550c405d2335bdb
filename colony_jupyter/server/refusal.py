"""The one exception by which a call is refused."""

from __future__ import annotations


class Refused(Exception):
    """A call that is refused; becomes an error reply.

    Args:
        status: HTTP status, and the status inside the reply.
        message: the words a ColonyOS server uses (PROTOCOL.md section 4).
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message


def denied_member(colonyname: str) -> Refused:
    """Refuse somebody who is no member."""
    return Refused(403, f"Access denied, not a member of Colony with name <{colonyname}>")
