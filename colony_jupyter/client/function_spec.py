"""Function and workflow specs as a user gives them, checked for what the server would take and then let die."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.caller import warn
from colony_jupyter.errors import InvalidSpec
from colony_jupyter.values.conversion import convert
from colony_jupyter.wire.limits import MAX_CHANNELS, MAX_PRIORITY
from colony_jupyter.wire.models import FunctionSpec, WorkflowSpec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_OPTIONS: Final = frozenset({"maxexectime", "maxwaittime", "maxretries", "priority", "label", "env", "nodename"})


def make_spec(
    function: str | FunctionSpec,
    args: Sequence[Any],
    *,
    kwargs: Mapping[str, Any] | None,
    channels: Sequence[str],
    executortype: str,
    executornames: Sequence[str],
    colonyname: str,
    options: Mapping[str, Any],
) -> FunctionSpec:
    """Make the spec of one process; what is said beside a whole spec is added to it.

    Raises:
        InvalidSpec: if it could never run as it is.
        TypeError: for an option that is none.
    """
    unknown = options.keys() - _OPTIONS
    if unknown:
        raise TypeError(f"submit() has no option {min(unknown)!r}; it has: {', '.join(sorted(_OPTIONS))}.")
    check_list("channels", channels)
    check_list("executornames", executornames)
    spec = FunctionSpec(funcname=function) if isinstance(function, str) else copy.deepcopy(function)
    for name, value in options.items():
        setattr(spec, name, value)
    spec.args = [*spec.args, *args]
    spec.kwargs = {**spec.kwargs, **(kwargs or {})}
    check_list("channels", spec.channels)
    spec.channels = list(dict.fromkeys([*spec.channels, *channels]))
    conditions = spec.conditions
    conditions.colonyname = conditions.colonyname or colonyname
    conditions.executortype = executortype or conditions.executortype
    if executornames:
        conditions.executornames = list(executornames)
    check_spec(spec)
    return spec


def check_spec(spec: FunctionSpec) -> None:
    """Refuse what the server would accept and then never run as meant (traps 1, 25, 26).

    Raises:
        InvalidSpec: naming the field.
    """
    if not spec.funcname:
        raise InvalidSpec("A function name is missing.")
    if spec.maxexectime == 0:
        warn(
            "maxexectime=0 means a deadline that has passed already, so the process would fail at once; "
            "-1, no limit, is used instead."
        )
        spec.maxexectime = -1
    _check_types(spec)
    if not -MAX_PRIORITY <= spec.priority <= MAX_PRIORITY:
        raise InvalidSpec(f"priority is {spec.priority}: it must be from -{MAX_PRIORITY} to {MAX_PRIORITY}.")
    if len(spec.channels) > MAX_CHANNELS:
        raise InvalidSpec(
            f"{len(spec.channels)} channels are declared: a process has at most {MAX_CHANNELS}, and the server would "
            "leave the rest out without a word."
        )
    if spec.conditions.executornames and "*" in spec.conditions.executornames:
        raise InvalidSpec('The executor name "*" matches no executor: leave the names out to allow all of the type.')
    spec.args = _as_json(spec.args, "args")
    spec.kwargs = _as_json(spec.kwargs, "kwargs")


def _as_json(values: Any, name: str) -> Any:
    """Convert arguments to JSON, with a warning at the caller's line that counts numbers that became null."""
    converted = convert(values, name, large="refuse")
    if converted.faults:
        raise InvalidSpec(converted.complaint())
    for note in converted.notes():
        warn(f"{name}: {note}")
    return converted.value


def check_list(name: str, value: object) -> None:
    """Refuse a text where a list of texts is expected: it would be read as a list of its characters.

    Raises:
        InvalidSpec: naming the argument.
    """
    if isinstance(value, str | bytes):
        raise InvalidSpec(f"{name} is the single text {value!r}: use a list, {name}=[{value!r}].")


def _check_types(spec: FunctionSpec) -> None:
    for name in ("maxwaittime", "maxexectime", "maxretries"):
        if not isinstance(getattr(spec, name), int):
            raise InvalidSpec(f"{name} is {getattr(spec, name)!r}: whole numbers are needed (seconds for times).")
    if not isinstance(spec.priority, int):
        raise InvalidSpec(f"priority is {spec.priority!r}: a whole number is needed.")
    for name in ("funcname", "nodename", "label"):
        if not isinstance(getattr(spec, name), str):
            raise InvalidSpec(f"{name} is {getattr(spec, name)!r}: a text is needed.")
    for name, value in (("channels", spec.channels), ("executornames", spec.conditions.executornames)):
        check_list(name, value)
        if not all(isinstance(each, str) for each in value or ()):
            raise InvalidSpec(f"{name} is {value!r}: a list of texts is needed.")
    if not all(isinstance(text, str) for item in spec.env.items() for text in item):
        raise InvalidSpec("env holds a name or a value that is not a text: the variables of an executor are texts.")


def check_workflow(workflow: WorkflowSpec) -> None:
    """Refuse a workflow that the server would half store or never start (trap 12).

    Raises:
        InvalidSpec: naming the node.
    """
    nodes: dict[str, list[str]] = {}
    for spec in workflow.functionspecs:
        check_spec(spec)
        if not spec.nodename:
            raise InvalidSpec(f"A function of the workflow ({spec.funcname}) has no nodename.")
        if spec.nodename in nodes:
            raise InvalidSpec(f"Two functions of the workflow are named '{spec.nodename}'.")
        nodes[spec.nodename] = spec.conditions.dependencies
    for name, dependencies in nodes.items():
        for dependency in dependencies:
            if dependency not in nodes:
                raise InvalidSpec(f"Node '{name}' depends on '{dependency}', which the workflow does not have.")
    ready: set[str] = set()
    while len(ready) < len(nodes):
        more = {name for name, needs in nodes.items() if name not in ready and ready.issuperset(needs)}
        if not more:
            cycle = ", ".join(sorted(nodes.keys() - ready))
            raise InvalidSpec(f"Nodes depend on each other in a circle, so none would ever start: {cycle}.")
        ready |= more


def check_name(name: str, what: str) -> str:
    """Refuse a name with a colon, which ruins a colony's lists on a real server (trap 13).

    Raises:
        InvalidSpec: naming it.
    """
    if not name or ":" in name:
        raise InvalidSpec(f"'{name}' cannot be the name of {what}: it must not be empty or contain a colon.")
    return name
