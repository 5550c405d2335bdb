"""Executors on a real server, which keeps the members of its colony: each is removed when its test is over."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import colony_jupyter as cj

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def running(executor: cj.Executor) -> Iterator[cj.Executor]:
    """Run an executor."""
    executor.start()
    name = executor.name
    try:
        yield executor
    finally:
        executor.stop()
        with cj.Colony() as colony:
            colony.remove_executor(name)
