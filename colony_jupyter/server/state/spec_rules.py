"""Function specs: the form in which a server gives them back, and which executors may run them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from colony_jupyter.server.errors import Refused, check_text
from colony_jupyter.server.state import quantities
from colony_jupyter.server.state.json_values import restored
from colony_jupyter.wire.limits import MAX_PRIORITY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from colony_jupyter.wire.models import FunctionSpec

_MAX_NODES: Final = 127


def normal(spec: FunctionSpec) -> FunctionSpec:
    """Bring a spec into the form in which the server gives it back.

    Raises:
        Refused: if the server would reject it.
    """
    if not -MAX_PRIORITY <= spec.priority <= MAX_PRIORITY:
        raise Refused(400, "Failed to submit function spec, priority outside range [-50000, 50000]")
    check_text(*texts_of(spec))
    conditions = spec.conditions
    conditions.cpu = f"{quantities.millicores(conditions.cpu)}m"
    conditions.mem = f"{quantities.mebibytes(conditions.mem)}Mi"
    conditions.storage = f"{quantities.mebibytes(conditions.storage)}Mi"
    conditions.gpu.mem = f"{quantities.mebibytes(conditions.gpu.mem)}Mi"
    conditions.gpu.nodecount = 0
    spec.args = restored(spec.args)
    spec.kwargs = restored(spec.kwargs)
    spec.env = restored(spec.env)
    return spec


def texts_of(spec: FunctionSpec) -> Iterable[str]:
    """Return the texts of a spec that a real server stores as such; it stores others as JSON."""
    conditions = spec.conditions
    return (
        spec.nodename,
        spec.funcname,
        spec.label,
        conditions.executortype,
        conditions.locationname,
        *(conditions.executornames or ()),
        *conditions.dependencies,
        *spec.channels,
        *spec.env,
        *spec.env.values(),
    )


def fits(spec: FunctionSpec, executorname: str, cpu: int | None, memory: int | None, locationname: str = "") -> bool:
    """Whether an executor may be given what it describes; cpu and memory are what it offers, None for any."""
    conditions = spec.conditions
    named = not conditions.executornames or executorname in conditions.executornames
    return (
        named
        and conditions.locationname.lower() in ("", locationname.lower())
        and conditions.nodes <= _MAX_NODES
        and conditions.processes <= _MAX_NODES
        and conditions.processespernode <= _MAX_NODES
        and quantities.mebibytes(conditions.storage) <= 0
        and (cpu is None or quantities.millicores(conditions.cpu) <= cpu)
        and (memory is None or quantities.mebibytes(conditions.mem) <= memory)
    )
