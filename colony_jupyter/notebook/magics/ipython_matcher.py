"""Hands completions to IPython, and keeps the names of the colony at hand for them."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher

from colony_jupyter.errors import ColonyError
from colony_jupyter.notebook.formats import ipython_formatters
from colony_jupyter.notebook.magics.completion import Known, complete
from colony_jupyter.notebook.magics.ipython_inspector import remote_code
from colony_jupyter.wire.models import visible_channels

if TYPE_CHECKING:
    from collections.abc import Callable

    from colony_jupyter.client.colony import AsyncColony
    from colony_jupyter.notebook.session.session import Session

_FRESH: Final = 5.0
"""Seconds for which names are not asked for again."""

_FIRST_NAMES: Final = 0.1
"""Seconds that Tab waits for names when there are none at all yet."""

_IDS: Final = 20
_PRIORITY: Final = 1000
"""Of the matcher: others may guess for seconds before it is asked."""


class NameCache:
    """Names of the colony, as they were a moment ago.

    Args:
        session: the kernel's.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: Known | None = None  # None before the first answer
        self._asked = -_FRESH  # when they were asked for last, by time.monotonic
        self._answered = threading.Event()

    def known(self) -> Known:
        """Return the names at once, or after a moment if there are none yet, and renew them for the next time."""
        if self._session.is_connected and time.monotonic() - self._asked >= _FRESH:
            self._asked = time.monotonic()
            self._session.start(self._renew, self._session.colony)
            if self._known is None:
                self._answered.wait(_FIRST_NAMES)
        known = self._known or Known()
        ours = {
            processid: tuple(visible_channels(process.spec.channels))
            for processid, process in reversed(self._session.processes.items())
            if processid not in known.processes
        }
        return Known(known.functions, known.types, known.executors, {**ours, **known.processes})

    async def _renew(self, colony: AsyncColony) -> None:
        from colony_jupyter.wire.models import ExecutorState, ProcessState  # noqa: PLC0415 - who asks has the client

        with contextlib.suppress(ColonyError):  # then the old ones have to do
            executors, functions = await asyncio.gather(colony.executors(), colony.functions())
            processes = await asyncio.gather(*(colony.list_processes(state, count=_IDS) for state in ProcessState))
            records = [one for some in processes for one in some]
            records.sort(key=lambda one: one.submissiontime, reverse=True)
            approved = [one for one in executors if one.state is ExecutorState.APPROVED]
            self._known = Known(
                functions=tuple(sorted({one.funcname for one in functions})),
                types=tuple(sorted({one.executortype for one in approved})),
                executors=tuple(sorted(one.executorname for one in approved)),
                processes={one.processid: tuple(visible_channels(one.spec.channels)) for one in records},
            )
            self._answered.set()


def make_matcher(
    cache: NameCache, shell: Any, remote: Callable[[str, int], tuple[list[str], int]]
) -> Callable[[CompletionContext], SimpleMatcherResult]:
    """Make what IPython asks at each Tab.

    Args:
        cache: the names of the colony.
        shell: IPython's.
        remote: completes code at a position in the kernel on an executor: words, and how many characters they replace.
    """

    @context_matcher(identifier="colony_jupyter", priority=_PRIORITY)  # type: ignore[untyped-decorator]
    def colony_matcher(context: CompletionContext) -> SimpleMatcherResult:
        lines = context.full_text.split("\n")
        line = lines[context.cursor_line] if context.cursor_line < len(lines) else ""
        before = line[: context.cursor_position]
        position = sum(len(each) + 1 for each in lines[: context.cursor_line]) + context.cursor_position
        if there := remote_code(context.full_text, position):
            found, length = remote(*there)
            fragment = before[len(before) - length :] if found else before.rpartition(" ")[2]
            completions = [SimpleCompletion(word) for word in found or [fragment] if word]
            return SimpleMatcherResult(completions=completions, suppress=True, matched_fragment=fragment, ordered=True)
        is_text = context.cursor_line and (lines[0].startswith("%%colony") or before.lstrip().startswith("%%"))
        if "colony" not in before or is_text:
            return SimpleMatcherResult(completions=[])
        variables = [
            name
            for name, held in shell.user_ns.items()
            if ipython_formatters.is_one_of(held, ipython_formatters.PROCESS) and not name.startswith("_")
        ]
        offer = complete(before, cache.known(), variables)
        if offer is None:
            return SimpleMatcherResult(completions=[])
        # Nothing to offer would let others guess for seconds: what was typed stands for itself then.
        words = offer.words or ([offer.fragment] if offer.fragment else [])
        return SimpleMatcherResult(
            completions=[SimpleCompletion(word, type="magic") for word in words],
            suppress=True,
            matched_fragment=offer.fragment,
            ordered=True,
        )

    return colony_matcher  # type: ignore[no-any-return]
