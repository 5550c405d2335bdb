"""Finds workflows by a variable, an id or a prefix, submits and cancels them."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.client.process_facts import ProcessFacts
from colony_jupyter.client.workflows.facts import RunFacts
from colony_jupyter.client.workflows.workflow import Workflow
from colony_jupyter.errors import UsageError
from colony_jupyter.notebook.magics.shell_words import variable
from colony_jupyter.notebook.magics.suggestions import did_you_mean
from colony_jupyter.wire.models import ProcessState
from colony_jupyter.wire.models import Workflow as WorkflowRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from colony_jupyter.client.colony import AsyncColony
    from colony_jupyter.client.workflows.run import AsyncWorkflowRun
    from colony_jupyter.wire.models import FunctionSpec

_ID: Final = re.compile(r"[0-9a-f]{64}")
_PREFIX: Final = re.compile(r"[0-9a-f]{1,63}")
_NEWEST: Final = 100


async def submit(colony: AsyncColony, specs: Iterable[FunctionSpec]) -> AsyncWorkflowRun:
    """Submit a workflow of specs that name their dependencies.

    Raises:
        InvalidSpec, UsageError, AccessDenied, ServerUnreachable: why it cannot be submitted.
    """
    return await colony.submit(Workflow.of(specs))


async def find(colony: AsyncColony, word: str, names: Mapping[str, Any]) -> AsyncWorkflowRun:
    """Find the workflow that a word means: a variable, else an id, else the beginning of one.

    Args:
        colony: the colony.
        word: as it was typed; names of variables count, with or without a dollar.
        names: the variables; one that holds a process of a workflow means that workflow.

    Raises:
        UsageError: if it means none, or several.
        WorkflowNotFound: if there is none of that id.
    """
    await colony.connect()
    wanted = (held_id(word, names) or word).casefold()
    if _ID.fullmatch(wanted):
        return await colony.get_run(wanted)
    if not _PREFIX.fullmatch(wanted):
        raise UsageError(f"'{word}' is no workflow: name a variable that holds one, an id, or the beginning of an id.")
    found = await asyncio.gather(*(colony.workflows(state, count=_NEWEST) for state in ProcessState))
    ids = {each.processgraphid for some in found for each in some}
    candidates = sorted(each for each in ids if each.startswith(wanted))
    if not candidates:
        near = did_you_mean(wanted, (each[: len(wanted)] for each in ids)) or " `%colony workflows` lists them."
        raise UsageError(f"No workflow is known whose id begins with '{wanted}'.{near}")
    if len(candidates) > 1:
        shown = ", ".join(each[: len(wanted) + 4] for each in candidates[:5])
        raise UsageError(f"{len(candidates)} workflows' ids begin with '{wanted}' ({shown}): type more of it.")
    return await colony.get_run(candidates[0])


def held_id(word: str, names: Mapping[str, Any]) -> str:
    """Return the id of the workflow that a variable holds; empty if the word is no such variable."""
    held = names.get(variable(word) or word)
    if isinstance(held, (RunFacts, WorkflowRecord)):
        return held.processgraphid
    if isinstance(held, ProcessFacts):
        return held.processgraphid
    return held if isinstance(held, str) and _ID.fullmatch(held.casefold()) else ""


async def cancel(run: AsyncWorkflowRun) -> str:
    """Cancel a workflow; return a sentence about it."""
    name = f"Workflow {run.processgraphid[:8]}"
    if run.is_over:
        return f"{name} has ended already: {run.state.name}."
    await run.cancel()
    return f"{name} is cancelled, with its {len(run)} processes."
