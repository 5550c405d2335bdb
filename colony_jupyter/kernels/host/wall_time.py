"""The end of the batch job that an executor runs in: announced in the cells of its kernels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_SLURM: Final = "SLURM_JOB_END_TIME"
_BEFORE: Final = (600.0, 120.0)
"""Seconds before the end at which it is announced."""


def end_of_job(environ: Mapping[str, str]) -> float:
    """Return when the batch system ends this process, in seconds since 1970; infinity if it does not state it."""
    value = environ.get(_SLURM, "")
    return float(value) if value.isascii() and value.isdecimal() else math.inf


class WallTime:
    """What one kernel announces.

    Args:
        end: when its executor ends, in seconds since 1970.
    """

    def __init__(self, end: float) -> None:
        self._end = end
        self._due = [end - before for before in _BEFORE]

    def is_due(self, now: float) -> bool:
        """Whether something is to be announced."""
        return bool(self._due) and now >= self._due[0]

    def announcement(self, now: float, executorname: str) -> str:
        """Return the line to show in the cell that runs; nothing more is due then until the next time.

        Args:
            now: seconds since 1970.
            executorname: name of the executor.
        """
        self._due = [due for due in self._due if due > now]
        left = max(0.0, self._end - now)
        span = f"{round(left / 60)} minutes" if left >= 90 else f"{round(left)} seconds"  # noqa: PLR2004
        return (
            f"\n[The batch job of executor '{executorname}' ends in {span}, and this kernel with its variables. "
            "Save what you need: %colony pull, or a file.]\n"
        )
