"""Runs one function that a caller has sent, in this process."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import inspect
import os
import platform
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import msgspec

from colony_jupyter.executor import error_report
from colony_jupyter.executor.callers.child.context import AsyncChildContext, ChildContext
from colony_jupyter.executor.callers.child.link import Link
from colony_jupyter.executor.callers.protocol import Raised, Returned
from colony_jupyter.functions.packing import CTX, takes_context
from colony_jupyter.functions.receiving import Received, define, register_lines
from colony_jupyter.supervisor import supervise
from colony_jupyter.values.conversion import convert
from colony_jupyter.values.datatable import revive

if TYPE_CHECKING:
    from colony_jupyter.executor.callers.protocol import FromChild, Start

_FIRST_VICTIM: Final = "1000"
"""Linux ends the process with the highest score first when no memory is left."""


def main(incoming: int, outgoing: int, liveness: int) -> None:
    """Run the function that the executor names, and report how it ended.

    Args:
        incoming: descriptor of the pipe that the executor writes to.
        outgoing: descriptor of the pipe that it reads.
        liveness: descriptor of the liveness pipe, whose other end the executor holds open while it runs.
    """
    supervise(liveness, incoming, outgoing)
    _prepare()
    for descriptor in (incoming, outgoing):
        os.set_inheritable(descriptor, False)  # noqa: FBT003 - a function of the standard library
    link = Link(os.fdopen(incoming, "rb"), os.fdopen(outgoing, "wb"))
    start = link.start()
    _limit(start.memory)
    last = _run(start, link)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    link.send(last)


def _prepare() -> None:
    faulthandler.enable()
    with contextlib.suppress(OSError):  # not on Linux
        Path("/proc/self/oom_score_adj").write_text(_FIRST_VICTIM, "utf-8")
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # it is the interpreter's own


def _limit(memory: int | None) -> None:
    if memory is not None:
        import resource  # noqa: PLC0415 - not on every platform

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _run(start: Start, link: Link) -> FromChild:
    received = Received(start.funcname, start.text, tuple(start.segments), start.python)
    register_lines(received)
    main_module = sys.modules["__main__"] = ModuleType("__main__")  # where pickle and dataclasses look for its names
    try:
        function = define(received, vars(main_module))
        value = _call(function, start, link)
    except BaseException as error:  # noqa: BLE001 - all of it goes to the submitter
        return Raised(_report(error, start))
    return _returned(value)


def _call(function: Any, start: Start, link: Link) -> Any:
    """Call the function as ColonyOS's Python executor does, where it is written for that, else as ours."""
    process = start.process
    revive(process.spec.args)
    revive(process.spec.kwargs)
    signature = inspect.signature(function)
    args, kwargs = list(process.spec.args), dict(process.spec.kwargs)
    if process.input and (CTX in signature.parameters or not (args or kwargs)):
        args = list(process.input)
    if CTX in signature.parameters:
        kwargs.setdefault(
            CTX,
            {
                "process": process,
                "colonyname": process.spec.conditions.colonyname,
                "executorid": process.assignedexecutorid,
            },
        )
    is_async = inspect.iscoroutinefunction(function)
    if takes_context(signature):
        args.insert(0, (AsyncChildContext if is_async else ChildContext)(process, link))
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        raise _Misfit(f"The arguments do not fit: {error}. The function is {start.funcname}{signature}.") from None
    return asyncio.run(function(*args, **kwargs)) if is_async else function(*args, **kwargs)


class _Misfit(TypeError):
    pass


def _returned(value: Any) -> FromChild:
    """Convert what a function returned: the members of a tuple are the outputs, as in ColonyOS's Python executor."""
    members = value if type(value) is tuple else () if value is None else (value,)
    converted = [convert(member, "result", large="text") for member in members]
    faults = [each.complaint() for each in converted if each.faults]
    if faults:
        return Raised(faults)
    notes = [note for each in converted for note in each.notes()]
    return Returned(msgspec.json.encode([each.value for each in converted]), notes)


def _report(error: BaseException, start: Start) -> list[str]:
    if isinstance(error, _Misfit):
        return [str(error)]
    message, *trace = error_report.report(error)
    here = f"Executor '{start.executorname}' (type '{start.executortype}') has Python {platform.python_version()}"
    if isinstance(error, ModuleNotFoundError):
        message += f". {here}, without this module: install it there, or submit to another executor."
    elif isinstance(error, SyntaxError) and start.python:
        message += f". {here}, and the function was written with Python {start.python}."
    return [message, *trace]
