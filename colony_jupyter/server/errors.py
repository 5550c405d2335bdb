"""The one exception by which a call is refused."""

from __future__ import annotations

from typing import Final


class Refused(Exception):
    """A call that is refused; becomes an error reply.

    Args:
        status: HTTP status, and the status inside the reply.
        message: the words a ColonyOS server uses (docs/protocol.md section 4).
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message


def denied_member(colonyname: str) -> Refused:
    """Return the refusal for a caller that is not a member."""
    return Refused(403, f"Access denied, not a member of Colony with name <{colonyname}>")


NUL: Final = 'pq: invalid byte sequence for encoding "UTF8": 0x00'
"""The message of a real server's database for a text that contains NUL."""


def check_text(*texts: str, refused: tuple[int, str] = (400, NUL)) -> None:
    """Refuse texts that a real server's database rejects.

    Args:
        texts: what is to be stored.
        refused: status and words.

    Raises:
        Refused: if there is a NUL in one.
    """
    if any("\0" in text for text in texts):
        raise Refused(*refused)
