"""How many examples a property test tries: all in `make test`, a quarter in `make quick`, which is run often."""

from __future__ import annotations

from hypothesis import settings

_USUAL = 100


def examples(count: int) -> int:
    """Scale a number of examples by the profile in use (``--hypothesis-profile``)."""
    return max(1, count * settings.default.max_examples // _USUAL)
