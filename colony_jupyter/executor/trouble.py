"""Calls for work that ColonyOS does not answer, or refuses, for so long that the user should know (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from colony_jupyter.errors import ServerUnreachable

if TYPE_CHECKING:
    from colony_jupyter.errors import ColonyError

LONG: Final = 30.0
"""Seconds after which a failure is reported."""


class Trouble:
    """The failures since the latest call that succeeded.

    Args:
        name: the executor's name.
    """

    def __init__(self, name: str) -> None:
        self.text = ""
        """What is wrong, as a clause, once it lasts for long; empty otherwise."""
        self._name = name
        self._since: float | None = None  # None while calls succeed

    def failed(self, error: ColonyError, now: float) -> str:
        """Note a failure; returns the sentence to report, once for each period, and otherwise an empty text.

        Args:
            error: why the call failed.
            now: the present time, in seconds.
        """
        if self._since is None:
            self._since = now
        if now - self._since < LONG:
            return ""
        is_new = not self.text
        reason = error.reason if isinstance(error, ServerUnreachable) else str(error).rstrip(".")
        self.text = f"no work for {now - self._since:.0f} s: {reason}"
        return f"Executor '{self._name}' gets no work at the moment, and tries again: {error}" if is_new else ""

    def succeeded(self) -> str:
        """Note a call that succeeded; returns the sentence to report if a failure was reported before."""
        was_reported, self.text, self._since = bool(self.text), "", None
        return f"Executor '{self._name}' gets work again." if was_reported else ""
