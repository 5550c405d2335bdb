"""The server's limit on appends, as a token bucket: the server enforces it, and clients keep below it (pure)."""

from __future__ import annotations

from colony_jupyter.wire.limits import APPEND_BURST, APPEND_RATE


class TokenBucket:
    """Tokens that are added at a steady rate up to a number; each append removes one.

    Attributes:
        tokens: those there were at the last `refill`; users remove them, also more than there are.

    Args:
        now: the time, in seconds.
        rate: tokens a second.
        burst: the most there can be; there are as many at first.
    """

    def __init__(self, now: float, rate: float = APPEND_RATE, burst: float = APPEND_BURST) -> None:
        self.rate = rate
        self.tokens = float(burst)
        self._burst = float(burst)
        self._at = now

    def refill(self, now: float) -> float:
        """Add the tokens of the time since the last call, and return how many there are.

        A clock that goes back adds none.
        """
        self.tokens = min(self._burst, self.tokens + max(0.0, now - self._at) * self.rate)
        self._at = max(self._at, now)
        return self.tokens
