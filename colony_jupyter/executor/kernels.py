"""Jupyter kernels as a function of an executor: who may, with what environment, and how it fails."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from colony_jupyter.errors import ColonyError
from colony_jupyter.executor.callers.environment import without_keys
from colony_jupyter.executor.callers.policy import check_sender
from colony_jupyter.executor.functions import Definition, Unfit
from colony_jupyter.kernels import names

if TYPE_CHECKING:
    from collections.abc import Callable

    from colony_jupyter.executor.callers.policy import Allowed
    from colony_jupyter.executor.context import Context
    from colony_jupyter.kernels.host.host import Host

KERNEL: Final = names.KERNEL
KEEP: Final = names.KEEP


class Kernels:
    """The function ``jupyter-kernel`` of an executor.

    Args:
        allowed: who may run kernels.
        executorname: gives the name of the executor.
        kernel: the installed kernel that is started for callers that name none.
        keep: seconds that a kernel lives without a caller.

    Raises:
        ExecutorError: if there is no such kernel on this machine.
    """

    def __init__(self, allowed: Allowed, executorname: Callable[[], str], kernel: str, keep: float) -> None:
        from colony_jupyter.kernels.host.folders import remove_stale  # noqa: PLC0415 - POSIX only
        from colony_jupyter.kernels.host.launch import find_program  # noqa: PLC0415 - imports ZeroMQ

        find_program(kernel)
        remove_stale()
        self._allowed = allowed
        self._executorname = executorname
        self._kernel = kernel
        self._keep = keep
        self._host: Host | None = None  # None before the first kernel

    @property
    def definition(self) -> Definition:
        """The function."""

        async def run(context: Context, adopt: str = "", *, shared: bool = False) -> None:
            """Run a Jupyter kernel, relayed through the channels of the process."""
            del adopt, shared  # the host reads them from the spec
            await check_sender(
                context.process.record,
                self._allowed,
                context.colony,
                self._executorname(),
                refused="does not run kernels for '{sender}': it runs those of its own user{others}",
                remedy="colony-jupyter kernel serve --allow USER",
            )
            try:
                await self._kernels().serve(context.process)
            except ColonyError as error:
                raise Unfit(str(error)) from None

        return Definition(names.FUNCTION, run)

    def _kernels(self) -> Host:
        from colony_jupyter.kernels.host.host import Host  # noqa: PLC0415 - imports ZeroMQ and cryptography
        from colony_jupyter.kernels.host.wall_time import end_of_job  # noqa: PLC0415 - for kernels only

        if self._host is None:
            self._host = Host(
                lambda: without_keys(os.environ),
                self._executorname,
                kernel=self._kernel,
                keep=self._keep,
                ends=end_of_job(os.environ),
            )
        return self._host

    async def aclose(self) -> None:
        """End all kernels."""
        host, self._host = self._host, None
        if host is not None:
            await host.aclose()
