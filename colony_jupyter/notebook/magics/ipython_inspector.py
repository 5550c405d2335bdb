"""Hands Shift+Tab in a cell that runs on an executor to the kernel there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_RUN: Final = re.compile(r"%%colony\s+run\b")


def remote_code(code: str, position: int) -> tuple[str, int] | None:
    """Return the code of a ``%%colony run`` cell without its first line, and the position in it.

    Args:
        code: the text of the cell.
        position: of the cursor.

    Returns:
        None if the cell runs here, or the cursor is in its first line.
    """
    first, _, rest = code.partition("\n")
    at = position - len(first) - 1
    return (rest, at) if at >= 0 and _RUN.match(first) else None


class Inspector:
    """What ipykernel calls to describe the object at the cursor.

    IPython has no hook for it, so the method of the running kernel is replaced.

    Args:
        kernel: ipykernel's kernel; None outside of Jupyter.
        remote: describes code at a position in the kernel on an executor; returns the content of the reply.
    """

    def __init__(self, kernel: Any, remote: Callable[[str, int, int], dict[str, Any]]) -> None:
        self._kernel = kernel
        self._remote = remote
        if kernel is not None:
            self._local: Callable[..., Any] = kernel.do_inspect
            kernel.do_inspect = self._inspect

    def close(self) -> None:
        """Give the kernel its own method back."""
        if self._kernel is not None:
            del self._kernel.do_inspect

    def _inspect(self, code: str, cursor_pos: int, detail_level: int = 0, *args: Any, **options: Any) -> Any:
        found = remote_code(code, cursor_pos)
        if found is None:
            return self._local(code, cursor_pos, detail_level, *args, **options)
        return self._describe(*found, detail_level)

    async def _describe(self, code: str, position: int, detail: int) -> dict[str, Any]:
        return self._remote(code, position, detail)
