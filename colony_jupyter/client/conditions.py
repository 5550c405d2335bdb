"""What a process asks of its executors: checked before it is sent, and compared with what executors have (pure)."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, SupportsIndex

import msgspec

from colony_jupyter.caller import warn
from colony_jupyter.errors import InvalidSpec
from colony_jupyter.wire.models import Conditions, ExecutorRecord, Gpu
from colony_jupyter.wire.quantities import UNRELIABLE, mebibytes, millicores, unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from colony_jupyter.wire.models import Hardware

_MOST: Final = 127
"""Nodes and processes above which a server assigns a process to no executor."""
_LARGEST: Final = 2**31 - 1
"""A server stores seconds and counts in 32 bits."""


def check_conditions(conditions: Conditions) -> None:
    """Refuse what a server would read as something else, or never assign (trap 26).

    Raises:
        InvalidSpec: naming the field, the reason and the remedy.
    """
    check_is_conditions(conditions)
    if not isinstance(conditions.gpu, Gpu):
        raise InvalidSpec(f"gpu is {conditions.gpu!r}: cj.Gpu(...) is needed, as cj.Gpu(count=1).")
    for name in ("executortype", "locationname"):
        if not isinstance(getattr(conditions, name), str):
            raise InvalidSpec(f"{name} is {getattr(conditions, name)!r}: a text is needed.")
    if not isinstance(conditions.gpu.name, str):
        raise InvalidSpec(f"gpu.name is {conditions.gpu.name!r}: a text is needed.")
    for name in ("nodes", "processes", "processespernode"):
        setattr(conditions, name, _count(name, getattr(conditions, name), most=_MOST))
    conditions.walltime = _count("walltime", conditions.walltime, what="a whole number of seconds")
    conditions.gpu.count = _count("gpu.count", conditions.gpu.count)
    _check_cpu(conditions.cpu)
    _check_memory("mem", conditions.mem)
    _check_memory("gpu.mem", conditions.gpu.mem)
    if conditions.storage != "" and mebibytes(conditions.storage) != 0:
        raise InvalidSpec(
            f"storage is {conditions.storage!r}: leave it out. A server assigns a process that asks for storage to no "
            "executor."
        )
    if conditions.gpu.nodecount:
        warn("gpu.nodecount is not stored by a server: executors see 0.")


def check_is_conditions(conditions: object) -> None:
    """Refuse anything but `Conditions`.

    Raises:
        InvalidSpec: naming what is needed.
    """
    if not isinstance(conditions, Conditions):
        raise InvalidSpec(f"conditions is {conditions!r}: cj.Conditions(...) is needed, as cj.Conditions(cpu='500m').")


def whole_number(name: str, value: object, what: str = "a whole number") -> int:
    """Return a whole number of Python or of a library, as numpy's ``int64``, as Python's.

    Args:
        name: name of the field.
        value: what was given for it.
        what: what is needed.

    Raises:
        InvalidSpec: naming the field, if it is none, or larger than a server reads.
    """
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        raise InvalidSpec(f"{name} is {value!r}: {what} is needed.")
    number = operator.index(value)
    if abs(number) > _LARGEST:
        raise InvalidSpec(f"{name} is {number}: it must not be more than {_LARGEST:,}.")
    return number


def _count(name: str, value: object, *, most: int | None = None, what: str = "a whole number") -> int:
    number = whole_number(name, value, what)
    if number < 0:
        raise InvalidSpec(f"{name} is {number}: it must not be negative.")
    if most is not None and number > most:
        raise InvalidSpec(
            f"{name} is {number}: a server assigns a process that asks for more than {most} to no executor."
        )
    return number


def _check_cpu(value: object) -> None:
    if value == "" or (isinstance(value, str) and millicores(value) is not None):
        return
    try:
        meant = f" as '{round(float(str(value)) * 1000)}m'" if float(str(value)) > 0 else ""
    except (ValueError, OverflowError):
        meant = " as '500m'"
    raise InvalidSpec(
        f"cpu is {value!r}: a server reads thousandths of a core followed by m, and any other text as none. Write it"
        f"{meant or ' without a sign'}."
    )


def _check_memory(name: str, value: object) -> None:
    if value == "":
        return
    if not isinstance(value, str) or (amount := mebibytes(value)) is None:
        reason = "a whole number and a unit are needed, as '512Mi' or '2Gi'"
        if isinstance(value, str) and unit(value) in UNRELIABLE:
            reason = f"a server accepts the unit {unit(value)} only at times. Use Ki, Mi or Gi"
        raise InvalidSpec(f"{name} is {value!r}: {reason}.")
    if amount == 0 and int(value.removesuffix(unit(value))):
        raise InvalidSpec(f"{name} is {value!r}: a server rounds down to whole Mi, which leaves none.")


class _Demand(msgspec.Struct, frozen=True):
    """One thing that a process asks for.

    Attributes:
        offered: the thing, as an executor offers it: ``offers 2 GPUs``.
        had: what one executor has of it, as ``has 1``; None if that is unknown, empty if it is enough.
    """

    offered: str
    had: Callable[[ExecutorRecord], str | None]


def missing(conditions: Conditions, executors: Sequence[ExecutorRecord]) -> str:
    """Return a clause about what none of some executors offers; empty if one may offer everything.

    What an executor has is known as far as it was registered with its capabilities.

    Args:
        conditions: what a process asks for.
        executors: those of the type and names that it asks for; not empty.
    """
    kind = f"no executor of type '{conditions.executortype}'"
    lacks: dict[str, list[str]] = {executor.executorname: [] for executor in executors}
    for demand in _demands(conditions):
        had = {executor.executorname: demand.had(executor) for executor in executors}
        if all(had.values()):
            return f"{kind} {demand.offered}; {_listed(f'{name} {text}' for name, text in had.items())}"
        for name, text in had.items():
            lacks[name] += [f"{name} {text}"] if text else []
    if all(lacks.values()):
        return f"{kind} offers all that is asked for; {_listed(texts[0] for texts in lacks.values())}"
    return ""


_LISTED: Final = 3


def _listed(texts: Iterable[str]) -> str:
    all_texts = list(texts)
    more = len(all_texts) - _LISTED
    return ", ".join(all_texts[:_LISTED]) + (f" and {more} more" if more > 0 else "")


def _demands(conditions: Conditions) -> list[_Demand]:
    demands = []
    place = conditions.locationname
    if place:
        demands.append(_Demand(f"is at location '{place}'", lambda executor: _location(executor, place)))
    gpu = conditions.gpu
    if gpu.count > 0:
        named = f"{gpu.name} " if gpu.name else ""
        offered = f"offers {gpu.count} {named}GPU{'s' if gpu.count > 1 else ''}"
        demands.append(_Demand(offered, lambda executor: _gpus(executor, gpu)))
    amounts: list[tuple[str, int, str, Callable[[Hardware], tuple[int, str]]]] = [
        ("of CPU", millicores(conditions.cpu) or 0, conditions.cpu, _cpu),
        ("of memory", mebibytes(conditions.mem) or 0, conditions.mem, lambda one: (mebibytes(one.mem) or 0, one.mem)),
        ("nodes", conditions.nodes, str(conditions.nodes), lambda one: (one.nodes, str(one.nodes))),
    ]
    for what, amount, text, read in amounts:
        if amount > 0:
            demands.append(_Demand(f"offers {text} {what}", _comparison(amount, what, read)))
    return demands


def _comparison(
    amount: int, what: str, read: Callable[[Hardware], tuple[int, str]]
) -> Callable[[ExecutorRecord], str | None]:
    def had(executor: ExecutorRecord) -> str | None:
        most, text = max((read(one) for one in executor.capabilities.hardware or ()), default=(0, ""))
        if most <= 0:
            return None
        return "" if most >= amount else f"has {text} {what}"

    return had


def _cpu(hardware: Hardware) -> tuple[int, str]:
    amount = millicores(hardware.cpu) or hardware.cores * 1000
    return amount, hardware.cpu or f"{amount}m"


def _location(executor: ExecutorRecord, place: str) -> str:
    if executor.locationname.casefold() == place.casefold():
        return ""
    return f"is at '{executor.locationname}'" if executor.locationname else "has no location"


def _gpus(executor: ExecutorRecord, wanted: Gpu) -> str | None:
    hardware = executor.capabilities.hardware
    if not hardware:
        return None
    suitable = [each.gpu for each in hardware if not wanted.name or wanted.name.casefold() in each.gpu.name.casefold()]
    most = max((gpu.count for gpu in suitable), default=0)
    if most >= wanted.count:
        return ""
    if most == 0 and any(each.gpu.count for each in hardware):
        others = ", ".join(f"{each.gpu.count} {each.gpu.name or 'of no name'}" for each in hardware if each.gpu.count)
        return f"has {others}"
    return f"has {most or 'none'}"
