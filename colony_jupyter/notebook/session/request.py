"""The request that the kernel is executing: its sender, and whether a person can read and type."""

from __future__ import annotations

from typing import Any


def is_headless() -> bool:
    """Whether no person can read or type: no kernel, or one whose current request allows no standard input."""
    shell = kernel_shell()
    if shell is None:
        return True
    return not current_request().get("content", {}).get("allow_stdin", False)


def current_request() -> dict[str, Any]:
    """Return the message the kernel is executing; empty outside of a kernel."""
    shell = kernel_shell()
    return dict(shell.kernel.get_parent() or {}) if shell is not None else {}


def kernel_shell() -> Any:
    """Return IPython's shell if it belongs to a Jupyter kernel, else None."""
    try:
        from IPython.core.getipython import get_ipython  # noqa: PLC0415 - plain Python may do without
    except ImportError:
        return None
    shell = get_ipython()
    return shell if getattr(shell, "kernel", None) is not None else None
