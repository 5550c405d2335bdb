"""What every blocking class is: an asynchronous object, and the way to its loop.

Each method of a blocking class is the coroutine of the same name, passed through one function; signatures and
docstrings are its own.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar

from colony_jupyter.client.portal import PORTAL, Portal

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

P = ParamSpec("P")
R = TypeVar("R")
A_co = TypeVar("A_co", covariant=True)
"""The asynchronous class behind a blocking one."""


class Face(Generic[A_co]):
    """A blocking object and the asynchronous one that does its work.

    Args:
        behind: the asynchronous object.
        portal: the way to the loop that it belongs to; the shared loop thread by default.
    """

    def __init__(self, behind: A_co, portal: Portal = PORTAL) -> None:
        self._async = behind
        self._portal = portal

    @property
    def portal(self) -> Portal:
        """The way to the loop of the object behind."""
        return self._portal

    @property
    def asynchronous(self) -> A_co:
        """The object behind this one; it belongs to the loop behind `portal`."""
        return self._async

    def __repr__(self) -> str:
        return repr(self._async).replace("<Async", "<", 1)


def blocking(
    method: Callable[Concatenate[A_co, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[Face[A_co], P], R]:
    """Derive a blocking method from a coroutine method."""

    @functools.wraps(method)
    def call(self: Face[A_co], /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.portal.run(method, self.asynchronous, *args, **kwargs)

    return call
