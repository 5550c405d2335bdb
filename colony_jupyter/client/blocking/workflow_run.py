"""Runs of workflows, for code that blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colony_jupyter.client.blocking.face import Face, blocking
from colony_jupyter.client.blocking.process import Process
from colony_jupyter.client.process_facts import handles
from colony_jupyter.client.workflows.facts import RunFacts
from colony_jupyter.client.workflows.run import AsyncWorkflowRun

if TYPE_CHECKING:
    from typing import Self

    from colony_jupyter.values.records import Records
    from colony_jupyter.wire.models import Workflow


class WorkflowRun(Face[AsyncWorkflowRun], RunFacts[Process]):
    """A submitted workflow. ``run["node"]`` is the process of a node. See `AsyncWorkflowRun`."""

    cancel = blocking(AsyncWorkflowRun.cancel)
    refresh = blocking(AsyncWorkflowRun.refresh)
    result = blocking(AsyncWorkflowRun.result)

    @property
    def record(self) -> Workflow:
        """The workflow as the server reported it last."""
        return self._async.record

    @property
    def members(self) -> Records[Process]:
        """Its processes, each after those it depends on."""
        return handles(Process(member, self._portal) for member in self._async.members)

    @property
    def is_over(self) -> bool:
        """Whether all its processes have ended."""
        return self._async.is_over

    def wait(self, timeout: float | None = None) -> Self:
        """Wait until all its processes have ended, however they ended; see `AsyncWorkflowRun.wait`."""
        self._portal.run(self._async.wait, timeout)
        return self
