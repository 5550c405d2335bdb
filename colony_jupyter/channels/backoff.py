"""How long to wait before something is tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FIRST: Final = 0.05
LONGEST: Final = 2.0
_FACTOR: Final = 2.0


def delays(
    random: Callable[[], float], *, at_once: bool = True, first: float = FIRST, longest: float = LONGEST
) -> Iterator[float]:
    """Yield the seconds to wait before each next try, without end.

    Args:
        random: gives numbers in 0..1, so that many clients do not come back in step.
        at_once: whether the first try follows without a wait, as it should after a connection that worked was cut.
        first: seconds before the first try that waits.
        longest: seconds that no wait exceeds.
    """
    if at_once:
        yield 0.0
    delay = first
    while True:
        yield delay * (0.5 + random() / 2)
        delay = min(delay * _FACTOR, longest)


RETRY_SECONDS: Final = 60.0
"""Seconds for which an operation that must get through is tried again while ColonyOS does not answer."""


class RetryTimer:
    """When to try an operation again that ColonyOS did not answer, and when to give up.

    Args:
        random: gives numbers in 0..1.
        now: the present time, in seconds.
        seconds: how long ColonyOS may be silent before the operation is given up.
        longest: seconds that no wait exceeds, unless a gateway asks for more.
    """

    def __init__(
        self, random: Callable[[], float], now: float, seconds: float = RETRY_SECONDS, *, longest: float = LONGEST
    ) -> None:
        self._random = random
        self._seconds = seconds
        self._longest = longest
        self._delays = delays(random, longest=longest)
        self._answered = now

    def answered(self, now: float) -> None:
        """Note an answer, even a refusal: the time without one starts anew."""
        self._answered = now
        self._delays = delays(self._random, longest=self._longest)

    def delay(self, now: float, at_least: float = 0.0) -> float | None:
        """Return the seconds to wait before the next try, None to give up.

        Args:
            now: the present time, in seconds.
            at_least: seconds that a gateway asked to wait; at most a minute, and not beyond the time at which the
                operation is given up.
        """
        left = self._answered + self._seconds - now
        if left < 0:
            return None
        return max(next(self._delays), min(at_least, left, RETRY_SECONDS))
