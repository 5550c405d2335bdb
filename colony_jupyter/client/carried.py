"""Specs of functions whose source is sent with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.errors import InvalidSpec
from colony_jupyter.functions.packing import pack
from colony_jupyter.wire.models import FunctionSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from colony_jupyter.functions.packing import Packed


OPTIONS: Final = "__colony_options__"
"""Attribute of a decorated function: its options for `Colony.submit`."""
_WHERE: Final = ("channels", "executortype", "executornames")


def merge_options(function: Callable[..., Any], **given: Any) -> tuple[Any, Any, Any, dict[str, Any]]:
    """Return channels, type of executor, names of executors and further options of a function that is submitted.

    Args:
        function: the function; the options of its decorator hold where none are given.
        given: the options of the submission; the three above are not given if they are empty.
    """
    chosen = {
        **getattr(function, OPTIONS, {}),
        **{name: given[name] for name in given if given[name] or name not in _WHERE},
    }
    channels, executortype, executornames = (chosen.pop(name, given[name]) for name in _WHERE)
    return channels, executortype, executornames, chosen


def pack_for(function: Callable[..., Any], executortype: str) -> Packed:
    """Read the source of a function.

    Args:
        function: a function that is written in Python.
        executortype: type of executor; needed, since no list of functions names those that run the code of others.

    Raises:
        UsageError: if the function cannot be sent.
        InvalidSpec: if no type is given.
    """
    packed = pack(function)
    if not executortype:
        raise InvalidSpec(
            f"executortype is missing: it names the executors that run '{packed.funcname}', whose source is sent, such "
            "as executortype='python-executor'."
        )
    return packed


def carry(
    packed: Packed, args: Sequence[Any], kwargs: Mapping[str, Any] | None, env: Mapping[str, str] | None
) -> FunctionSpec:
    """Make a spec that carries the source of a function and its arguments.

    Args:
        packed: the function.
        args: its positional arguments.
        kwargs: its named arguments.
        env: further environment variables of the spec.

    Raises:
        UsageError: if the arguments do not fit the function.
    """
    positional, named = packed.bind(args, kwargs or {})
    return FunctionSpec(funcname=packed.funcname, args=positional, kwargs=named, env={**(env or {}), **packed.env})
