"""The processes that carry a kernel, as its caller finds and submits them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from colony_jupyter.errors import ColonyError, ProcessNotFound
from colony_jupyter.kernels import names
from colony_jupyter.kernels.relay.layout import CHANNELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from colony_jupyter.client.colony import AsyncColony
    from colony_jupyter.client.process import AsyncProcess
    from colony_jupyter.kernels.events import Target

_WAIT: Final = 20.0
"""Seconds for a successor to be assigned."""


async def find(colony: AsyncColony, processid: str) -> AsyncProcess | None:
    """Return the process that carries a kernel, or the one that it was to succeed; None if the kernel has ended.

    A successor without a session fails after a while: a caller may have been killed before it had one.
    """
    with contextlib.suppress(ProcessNotFound):
        process = await colony.get_process(processid)
        if process.state.is_closed and (former := str(process.spec.kwargs.get(names.ADOPT, ""))):
            process = await colony.get_process(former)
        if not process.state.is_closed:
            return process
    return None


async def submit(
    colony: AsyncColony, target: Target, executornames: Sequence[str] = (), *, adopt: str = ""
) -> AsyncProcess:
    """Submit a process for a kernel.

    Args:
        colony: the colony, as the caller.
        target: where the kernel is to run.
        executornames: only these executors; empty for those of the target.
        adopt: the process whose kernel it takes over; empty for a new kernel.

    Raises:
        ColonyError: if it is refused.
    """
    return await colony.submit(
        names.FUNCTION,
        kwargs={**({names.ADOPT: adopt} if adopt else {}), **({names.SHARED: True} if target.is_shared else {})},
        channels=CHANNELS,
        executortype=target.executortype,
        executornames=executornames or target.executornames,
        label=names.FUNCTION,
        maxexectime=-1,
    )


async def succeed(colony: AsyncColony, target: Target, process: AsyncProcess) -> AsyncProcess:
    """Return another process that runs on the same executor and may take the kernel over.

    Raises:
        ColonyError: if the executor has no free slot for it.
    """
    executor = await colony.get_executor_by_id(process.record.assignedexecutorid)
    successor = await submit(colony, target, [executor.executorname], adopt=process.processid)
    try:
        return await successor.running(_WAIT)
    except BaseException:
        with contextlib.suppress(ColonyError):
            await successor.cancel()
        raise
