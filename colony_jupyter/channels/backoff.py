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
