"""Function specs as they are typed, in JSON or as ``KEY=VALUE``."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any, Final

import msgspec

from colony_jupyter.client.function_spec import old_fs
from colony_jupyter.errors import InvalidSpec, UsageError
from colony_jupyter.notebook.magics.shell_words import Word, value
from colony_jupyter.notebook.magics.suggestions import did_you_mean
from colony_jupyter.wire.limits import MAX_CHANNELS
from colony_jupyter.wire.models import SYNC, Conditions, FunctionSpec, Gpu

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping, Sequence

_WALLTIME: Final = 3600
"""Seconds of a container for which none were chosen."""

_LIMITS: Final = ("maxexectime", "maxwaittime", "maxretries", "priority", "label")
_CONDITIONS: Final = {
    "nodes": "nodes",
    "processes": "processes",
    "processes_per_node": "processespernode",
    "cpu": "cpu",
    "mem": "mem",
    "walltime": "walltime",
    "location": "locationname",
}
"""Fields of the conditions by the options that stand for them."""

_AROUND: Final = 20
"""Characters shown before and after the first wrong one."""

_SLIP: Final = 0.8
"""From what likeness on an unknown field counts as a slip."""


def spec_of_json(text: str, chosen: Conditions | None = None) -> FunctionSpec:
    """Read a function spec as ColonyOS's own command line reads it; what it leaves out gets safe values (trap 1).

    Args:
        text: the spec, in JSON.
        chosen: conditions that replace its own where they are not the defaults.

    Raises:
        InvalidSpec: if it is none; the message names the position.
    """
    read = _read(text, "function spec")
    if isinstance(read, list):
        raise InvalidSpec("The cell holds a list: `%%colony workflow` submits a list of function specs, a workflow.")
    return _with(_spec(read), chosen)


def specs_of_json(text: str) -> list[FunctionSpec]:
    """Read a workflow as ColonyOS's own command line reads it: a list of function specs.

    Raises:
        InvalidSpec: if it is none; the message names the position, or the function.
    """
    read = _read(text, "workflow")
    if isinstance(read, dict) and "functionspecs" in read:
        read = read["functionspecs"]  # as the wire has it
    if not isinstance(read, list):
        raise InvalidSpec(
            "A workflow is a JSON list of function specs, in brackets. `%%colony submit` submits a single one."
        )
    specs = []
    for number, each in enumerate(read, 1):
        try:
            specs.append(_spec(each))
        except InvalidSpec as error:
            raise InvalidSpec(f"Function {number} of the workflow: {error}") from None
    return specs


def _read(text: str, what: str) -> Any:
    if not text.strip():
        raise InvalidSpec(f"The cell is empty: write the {what}, in JSON, below the line with the magic.")
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as error:
        reason = str(error)
    try:
        json.loads(text)
    except json.JSONDecodeError as error:  # unlike msgspec's it has the line
        reason = f"{error.msg} in line {error.lineno} of the cell's text, at character {error.colno}"
        line, at = text.split("\n")[error.lineno - 1], error.colno - 1
        reason += f", marked ▸: {line[max(0, at - _AROUND) : at]}▸{line[at : at + _AROUND]}"
    except RecursionError:
        reason = "it is nested too deeply"
    raise InvalidSpec(f"The {what} is no JSON: {reason}.") from None


def _spec(read: Any) -> FunctionSpec:
    if not isinstance(read, dict):
        raise InvalidSpec("The function spec must be a JSON object, in braces.")
    spec = _known(read, FunctionSpec)
    if isinstance(spec.get("fs"), list):
        raise InvalidSpec(old_fs(spec["fs"]))
    if isinstance(spec.get("conditions"), dict):
        spec["conditions"] = _known(spec["conditions"], Conditions)
    try:
        return msgspec.convert(spec, FunctionSpec)
    except msgspec.ValidationError as error:
        raise InvalidSpec(f"The function spec is not as it must be: {error}.") from None


def container_spec(
    image: str, script: str, rebuild: object, chosen: Conditions | None, given: Mapping[str, Any]
) -> FunctionSpec:
    """Make the spec of a shell script in a container, as ColonyOS's executors for Docker, Kubernetes and Slurm read it.

    These join command and arguments with blanks into a line for a shell, and refuse a spec that leaves out the number
    of nodes, of processes on each, the cpu, the wall time, or a time and a number of retries above 0.

    Args:
        image: the container image.
        script: the shell script.
        rebuild: whether the executor builds its image anew.
        chosen: conditions that replace those values where they are not the defaults.
        given: the other options that were chosen.

    Raises:
        UsageError: if the script is empty.
    """
    if not script.strip():
        raise UsageError("The cell is empty: write the shell script below the %%colony execute line.")
    seconds = given.get("maxexectime", chosen.walltime if chosen is not None and chosen.walltime else _WALLTIME)
    made = FunctionSpec(
        funcname="execute",
        kwargs={
            "docker-image": image,
            # Only where it is true: pycolonies cannot read a spec with a bool among its arguments.
            **({"rebuild-image": True} if rebuild else {}),
            "cmd": "sh",
            "args": ["-c", shlex.quote(script.rstrip("\n"))],
        },
        conditions=Conditions(
            nodes=1, processespernode=1, cpu="1000m", mem="1Gi", walltime=seconds if seconds > 0 else _WALLTIME
        ),
        maxexectime=seconds,
        maxretries=1,
    )
    return _with(made, chosen)


def options_of(found: Namespace) -> dict[str, Any]:
    """Return the arguments of `AsyncColony.submit` that a line's options stand for, only those that were given."""
    given = vars(found)
    options = {name: given[name] for name in _LIMITS if given.get(name) is not None}
    if given.get("env"):
        options["env"] = {key: str(value) for key, value in pairs(given["env"], "--env")}
    if isinstance(given["channel"], list):  # of a chat it is the name of the one
        options["channels"] = given["channel"]
    if given["type"]:
        options["executortype"] = given["type"]
    if given["executor"]:
        options["executornames"] = given["executor"]
    conditions = Conditions(gpu=Gpu(count=given["gpu"] or 0, name=given["gpu_name"] or ""))
    for name, field in _CONDITIONS.items():
        if given[name] is not None:
            setattr(conditions, field, given[name])
    if conditions != Conditions():
        options["conditions"] = conditions
    return options


def _with(spec: FunctionSpec, chosen: Conditions | None) -> FunctionSpec:
    """Put conditions that are not the defaults in the place of those of a spec."""
    for target, source, default in (
        ((spec.conditions, chosen, Conditions()), (spec.conditions.gpu, chosen.gpu, Gpu()))
        if chosen is not None
        else ()
    ):
        for name in target.__struct_fields__:
            value = getattr(source, name)
            if name != "gpu" and value != getattr(default, name):
                setattr(target, name, value)
    return spec


def with_acknowledgement(channels: Sequence[str]) -> list[str]:
    """Return the channels of a submission that a pane reads, with `sync` in first place.

    The executor then waits, bounded, until the pane has everything, however short the process is. Nothing is added
    where there is nothing to read, where the user declared `sync`, and where no further channel fits.
    """
    if not channels or SYNC in channels or len(channels) >= MAX_CHANNELS:
        return list(channels)
    return [SYNC, *channels]


def pairs(words: Sequence[str] | None, option: str) -> list[tuple[str, Word]]:
    """Part ``KEY=VALUE`` words.

    Raises:
        UsageError: if one has no ``=``, or two have the same key.
    """
    found: list[tuple[str, Word]] = []
    for word in words or ():
        key, equals, rest = word.partition("=")
        if not equals or not key:
            raise UsageError(f"{option} needs KEY=VALUE, not '{word}'.")
        if key in dict(found):
            raise UsageError(f"{option} has '{key}' twice: each key can have one value.")
        found.append((key, Word.of(rest, quoted=getattr(word, "quoted", False))))
    return found


def named_values(
    words: Sequence[str] | None,
    option: str,
    names: Mapping[str, Any],
    *,
    note: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Read ``KEY=VALUE`` words into values, each as `colony_jupyter.notebook.magics.shell_words.value` reads it."""
    return {key: value(rest, names, note=note) for key, rest in pairs(words, option)}


def _known(read: dict[str, Any], shape: type[FunctionSpec | Conditions]) -> dict[str, Any]:
    """Return the members that are fields, whatever case their names are in; null means left out, as for the server."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(shape)}
    found: dict[str, Any] = {}
    for key, member in read.items():
        name = key.casefold()
        if name not in fields:
            # The command line ignores what it does not know; a probable mistake is not ignored here.
            if near := did_you_mean(key, fields, _SLIP):
                raise InvalidSpec(f"A function spec has no field '{key}'.{near}")
            continue
        if member is not None:
            found[name] = member
    return found
