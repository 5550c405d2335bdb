"""A group of processes on a simulated server, with what notebooks ask of its client besides."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from simulated_processes import ProcessServer

from colony_jupyter.client.groups.group import AsyncProcessGroup
from colony_jupyter.client.process import AsyncProcess
from colony_jupyter.wire.messages import CancelProcess
from colony_jupyter.wire.models import ExecutorRecord, FunctionSpec

if TYPE_CHECKING:
    from colony_jupyter.wire.models import ProcessRecord


class GroupServer(ProcessServer):
    """The server, as the client of a notebook."""

    def __init__(self) -> None:
        super().__init__(random.Random(0))
        self.asked: list[str] = []
        """Ids of the executors that were asked for."""
        self.name_refusal: Exception | None = None
        """What calls for the names of executors are refused with."""

    async def get_executor_by_id(self, executorid: str) -> ExecutorRecord:
        self.asked.append(executorid)
        if self.name_refusal is not None:
            raise self.name_refusal
        return ExecutorRecord(executorid=executorid, executorname="laptop", executortype="cli", colonyname="dev")

    async def explain_waiting(self, record: ProcessRecord) -> str:
        return "Waiting for an executor of type 'cli': none is registered."

    async def workflow_failure(self, record: ProcessRecord) -> str:
        return ""

    async def cancel(self, processid: str) -> None:
        await self.call(CancelProcess(processid=processid), dict)

    def handle(self, processid: str) -> AsyncProcess:
        return AsyncProcess(self, processid)  # type: ignore[arg-type]  # as much of a client as is used


async def submit(server: GroupServer, count: int) -> AsyncProcessGroup:
    """Return a group of so many processes."""
    specs = [FunctionSpec(funcname="train", args=[number], label="sweep") for number in range(count)]
    client: Any = server
    group = AsyncProcessGroup(client, specs, [{"x": number} for number in range(count)])
    await group.submit()
    return group
