"""Function specs as a user gives them, checked for what the server would take and then let die."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from colony_jupyter.caller import warn
from colony_jupyter.client.conditions import check_conditions, check_is_conditions, whole_number
from colony_jupyter.errors import InvalidSpec
from colony_jupyter.values.conversion import convert
from colony_jupyter.wire.limits import MAX_CHANNELS, MAX_PRIORITY
from colony_jupyter.wire.models import FunctionSpec
from colony_jupyter.wire.storable import storable

_OPTIONS: Final = frozenset(
    {"conditions", "maxexectime", "maxwaittime", "maxretries", "priority", "label", "env", "nodename"}
)


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
    """Make the spec of one process; further arguments are added to a whole spec.

    Raises:
        InvalidSpec: if it could never run as it is.
        TypeError: for an option that is none.
    """
    unknown = options.keys() - _OPTIONS
    if unknown:
        raise TypeError(f"submit() has no option {min(unknown)!r}; it has: {', '.join(sorted(_OPTIONS))}.")
    check_list("channels", channels)
    check_list("executornames", executornames)
    _check_function(function)
    spec = FunctionSpec(funcname=function) if isinstance(function, str) else copy.deepcopy(function)
    _check_arguments(spec.args, spec.kwargs)
    _check_arguments((), kwargs or {})
    for name, value in options.items():
        setattr(spec, name, copy.deepcopy(value) if name == "conditions" else value)
    check_is_conditions(spec.conditions)  # what they hold is checked at the end, with all of the spec
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
    check_conditions(spec.conditions)
    if not -MAX_PRIORITY <= spec.priority <= MAX_PRIORITY:
        raise InvalidSpec(f"priority is {spec.priority}: it must be from -{MAX_PRIORITY} to {MAX_PRIORITY}.")
    if len(spec.channels) > MAX_CHANNELS:
        raise InvalidSpec(
            f"{len(spec.channels)} channels are declared: a process has at most {MAX_CHANNELS}, and the server would "
            "not create the others."
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
    """Refuse what is no list of texts; a single text would be read as a list of its characters.

    Raises:
        InvalidSpec: naming the argument.
    """
    if isinstance(value, str | bytes):
        raise InvalidSpec(f"{name} is the single text {value!r}: use a list, {name}=[{value!r}].")
    if not isinstance(value, Iterable):
        raise InvalidSpec(f"{name} is {value!r}: a list of texts is needed.")


def _check_function(function: object) -> None:
    if isinstance(function, str | FunctionSpec):
        return
    remedy = "its name, a cj.FunctionSpec or a Python function is needed"
    if isinstance(function, Mapping):
        remedy += ", as cj.FunctionSpec(**spec)"
    elif isinstance(function, Sequence) and not isinstance(function, bytes):
        remedy += "; a list of specs is a workflow, cj.Workflow.of(specs)"
    raise InvalidSpec(f"The function is of type {type(function).__name__}: {remedy}.")


def _check_arguments(args: object, kwargs: object) -> None:
    if isinstance(args, str | bytes) or not isinstance(args, Iterable):
        raise InvalidSpec(f"args is {args!r}: a list of values is needed.")
    if not isinstance(kwargs, Mapping):
        raise InvalidSpec(f"kwargs is {kwargs!r}: a dict of values by their names is needed.")


def old_fs(entries: list[Any]) -> str:
    """Return the error for file mounts in the form of a list, as earlier versions of ColonyOS took them."""
    dirs = [each for each in entries if isinstance(each, dict)] or [{"label": "/src", "dir": "/src"}]
    form = msgspec.json.encode({"mount": "/cfs", "dirs": dirs}).decode()
    return (
        "fs is a list, the form of earlier versions of ColonyOS. It is an object now, with the folder of the container "
        f'that holds all mounts: "fs": {form}'
    )


def _check_types(spec: FunctionSpec) -> None:
    if isinstance(spec.fs, list):
        raise InvalidSpec(old_fs(spec.fs))
    for name in ("maxwaittime", "maxexectime", "maxretries", "priority"):
        what = "a whole number of seconds" if name.endswith("time") else "a whole number"
        number = whole_number(name, getattr(spec, name), what)
        if name.endswith("time") and number < -1:
            raise InvalidSpec(
                f"{name} is {number}: use -1 for no limit. A server reads any other number below 0 as a deadline that "
                "has passed, and fails the process at once."
            )
        setattr(spec, name, number)
    for name in ("funcname", "nodename", "label"):
        if not isinstance(getattr(spec, name), str):
            raise InvalidSpec(f"{name} is {getattr(spec, name)!r}: a text is needed.")
    for name, value in (("channels", spec.channels), ("executornames", spec.conditions.executornames)):
        check_list(name, value or ())
        if not all(isinstance(each, str) for each in value or ()):
            raise InvalidSpec(f"{name} is {value!r}: a list of texts is needed.")
    _check_env(spec.env)
    _check_characters(spec)


def _check_characters(spec: FunctionSpec) -> None:
    """Refuse characters that a server cannot store; in arguments they are replaced, but a name must not change."""
    conditions = spec.conditions
    texts = {name: getattr(spec, name) for name in ("funcname", "nodename", "label")}
    texts["executortype"] = conditions.executortype
    for name, values in (("channels", spec.channels), ("executornames", conditions.executornames or ())):
        texts |= {f"{name}[{at}]": value for at, value in enumerate(values)}
    for name, value in spec.env.items():
        texts |= {"a name in env": name, f"env[{name!r}]": value}
    for where, text in texts.items():
        stored = storable(text)
        if stored != text:
            found = next(character for character, other in zip(text, stored, strict=True) if character != other)
            raise InvalidSpec(f"{where} has the character {found!r}, which no server can store: leave it out.")


def _check_env(env: object) -> None:
    if not isinstance(env, Mapping):
        raise InvalidSpec(f"env is {env!r}: a dict is needed, as env={{'NAME': 'value'}}.")
    for name, value in env.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise InvalidSpec(
                f"env[{name!r}] is {value!r}: the variables of an executor are texts, as env={{{str(name)!r}: "
                f"{str(value)!r}}}."
            )


def check_name(name: str, what: str) -> str:
    """Refuse a name with a colon, which ruins a colony's lists on a real server (trap 13).

    Raises:
        InvalidSpec: naming it.
    """
    if not name or ":" in name:
        raise InvalidSpec(f"'{name}' cannot be the name of {what}: it must not be empty or contain a colon.")
    return name
