"""An executor as a program of its own: it runs until the operating system asks it to end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from colony_jupyter.executor.executor import Executor

logger = logging.getLogger(__name__)

FINISH: Final = 30.0
"""Seconds that running processes have by default once the program is asked to end."""


def run_until_signalled(executor: Executor, *, finish: float = FINISH) -> None:
    """Run an executor until SIGTERM or SIGINT; from the main thread.

    After the first signal it accepts no more work, and what runs has ``finish`` seconds; then, or at a second signal,
    it is stopped and its processes are failed.

    Args:
        executor: the executor; one that runs in the background goes on here.
        finish: seconds.

    Raises:
        ColonyError: if it cannot be registered, or was rejected by the owner of the colony.
    """
    if executor.is_running:
        executor.stop()
    asyncio.run(_run(executor, finish))


async def _run(executor: Executor, finish: float) -> None:
    loop = asyncio.get_running_loop()
    serving = asyncio.create_task(executor.serve())

    def end(number: signal.Signals) -> None:
        worker = executor.worker
        if worker is None or not worker.is_serving:
            serving.cancel()  # it is not at work yet
            return
        logger.info("%s: executor %r ends within %g s", number.name, executor.name, finish)
        worker.request_stop(finish)  # a second request ends it at once

    signals = (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        with contextlib.suppress(NotImplementedError):  # Windows: SIGINT cancels us instead
            loop.add_signal_handler(number, end, number)
    try:
        await serving
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
    finally:
        for number in signals:
            with contextlib.suppress(NotImplementedError):
                loop.remove_signal_handler(number)
