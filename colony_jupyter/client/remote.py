"""`remote`: a function of the notebook that runs on executors."""

from __future__ import annotations

import contextlib
import functools
import threading
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, Generic, ParamSpec, TypeVar

from colony_jupyter.client.blocking import Colony
from colony_jupyter.client.carried import OPTIONS
from colony_jupyter.errors import ColonyError, InvalidSpec, UsageError
from colony_jupyter.settings import current

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from colony_jupyter.client.blocking import Process, ProcessGroup

P = ParamSpec("P")
R = TypeVar("R")

_colonies: Final[list[Colony]] = []  # one for each connection that was chosen
_lock: Final = threading.Lock()


class Remote(Generic[P, R]):
    """A function that runs on executors. Made by the decorator `remote`.

    A call waits for the result: ``train(0.1, epochs=3)``. The function itself is ``train.__wrapped__``.

    Args:
        function: the function.
        colony: where it is submitted; None for the colony that `Colony()` gives.
        options: arguments of `Colony.submit`.
    """

    def __init__(self, function: Callable[P, R], colony: Colony | None, options: dict[str, Any]) -> None:
        functools.update_wrapper(self, function)
        self.__wrapped__ = function
        self._colony = colony
        self._options = options
        setattr(self, OPTIONS, options)  # for `colony.submit(train)`

    def __repr__(self) -> str:
        return f"<Remote {self.__wrapped__.__name__!r} on executors of type {self._options['executortype']!r}>"

    def submit(self, *args: Any, **kwargs: Any) -> Process:
        """Submit a call; returns at once with its process.

        Raises:
            UsageError: if the function cannot be sent, or the arguments do not fit it.
        """
        colony = self._colony or _default_colony()
        return colony.submit(_newest(self.__wrapped__), *args, kwargs=kwargs, **self._options)

    def map(self, *iterables: Iterable[Any] | Mapping[str, Iterable[Any]]) -> ProcessGroup:
        """Submit a call for each value: ``train.map([0.1, 0.01]).results()``; see `Colony.map`.

        Raises:
            UsageError: if the function cannot be sent, or the arguments do not fit it.
        """
        colony = self._colony or _default_colony()
        return colony.map(_newest(self.__wrapped__), *iterables, **self._options)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Submit a call and wait for its result; an interrupt cancels its process.

        Raises:
            ProcessFailed, ProcessCancelled: if the process ended so.
        """
        process = self.submit(*args, **kwargs)
        try:
            return process.result()
        except KeyboardInterrupt:
            with contextlib.suppress(ColonyError):  # it may have ended meanwhile
                process.cancel()
            raise


def remote(
    executortype: str,
    *,
    channels: Sequence[str] = (),
    executornames: Sequence[str] = (),
    colony: Colony | None = None,
    **options: Any,
) -> Callable[[Callable[P, R]], Remote[P, R]]:
    """Make a function of the notebook run on executors: ``@cj.remote(executortype="python-executor")``.

    Its source is sent with each call, so the executor needs `Executor.functions_from_callers`, or is ColonyOS's Python
    executor.

    Args:
        executortype: type of the executors.
        channels: names of the channels of each process; a function whose first parameter is ``context`` uses them.
        executornames: only these executors may run it.
        colony: where it is submitted; by default the colony that `Colony()` gives.
        options: further options of `Colony.submit`: ``maxexectime``, ``priority``, ``label`` and so on.

    Raises:
        UsageError: if the decorator is written without its parentheses.
    """
    if not isinstance(executortype, str):
        raise UsageError('The decorator needs a type: @cj.remote(executortype="python-executor").')
    if not executortype:
        raise InvalidSpec("executortype is empty: it names the executors that run the function.")
    chosen = {"executortype": executortype, "channels": channels, "executornames": executornames, **options}
    return lambda function: Remote(function, colony, chosen)


def _newest(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return what the function's name stands for now, if that is a newer definition of it in the same notebook."""
    if isinstance(function, FunctionType):
        found = function.__globals__.get(function.__name__)
        if isinstance(found, FunctionType) and _identity(found) == _identity(function):
            return found
    return function


def _identity(function: FunctionType) -> tuple[str, str]:
    return function.__module__, function.__qualname__


def _default_colony() -> Colony:
    """Return the colony that is shared by all functions without one of their own, on the connection chosen now."""
    settings = current()
    with _lock:
        for colony in _colonies:
            if colony.settings == settings and not colony.asynchronous.scope.is_closed:
                return colony
        _colonies.append(Colony(settings))
        return _colonies[-1]
