"""Groups of processes, for code that blocks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, SupportsIndex, overload

from colony_jupyter.client.blocking.face import Face, blocking
from colony_jupyter.client.blocking.process import Process
from colony_jupyter.client.groups.group import AsyncProcessGroup
from colony_jupyter.errors import WaitTimeout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from colony_jupyter.client.portal import Portal


class ProcessGroup(Face[AsyncProcessGroup]):
    """The processes of a map, in the order of its values. Made by `Colony.map`. See `AsyncProcessGroup`.

    ``len``, indices and iteration give the processes.
    """

    cancel = blocking(AsyncProcessGroup.cancel)
    refresh = blocking(AsyncProcessGroup.refresh)
    results = blocking(AsyncProcessGroup.results)

    @property
    def funcname(self) -> str:
        """Name of the function."""
        return self._async.funcname

    @property
    def label(self) -> str:
        """The label that all its processes have: ``%colony ps --label`` lists them."""
        return self._async.label

    @property
    def is_over(self) -> bool:
        """Whether all have ended, as far as is known."""
        return self._async.is_over

    def retry_failed(self) -> Self:
        """Submit the processes that failed again; see `AsyncProcessGroup.retry_failed`."""
        self._portal.run(self._async.retry_failed)
        return self

    def counts(self) -> dict[str, int]:
        """Count the processes by the names of their states now."""
        self.refresh()
        return self._async.counts()

    def as_completed(self, timeout: float | None = None) -> Iterator[Process]:
        """Yield the processes as they end; see `AsyncProcessGroup.as_completed`."""
        limit = None if timeout is None else time.monotonic() + timeout
        seen: set[str] = set()
        while True:
            left = None if limit is None else limit - time.monotonic()
            try:
                completed = self._portal.run(self._async.next_completed, seen, left)
            except WaitTimeout as error:
                error.seconds = timeout or 0.0
                raise
            if not completed:
                return
            for process in completed:
                seen.add(process.processid)
                yield Process(process, self._portal)

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return a row for each process as it is now: its arguments, output, state and errors."""
        self.refresh()
        return self._async.to_dicts()

    def to_pandas(self) -> Any:
        """Return a pandas DataFrame with a row for each process as it is now; see `to_dicts`."""
        self.refresh()
        return self._async.to_pandas()

    def to_polars(self) -> Any:
        """Return a polars DataFrame with a row for each process as it is now; see `to_dicts`."""
        self.refresh()
        return self._async.to_polars()

    def __len__(self) -> int:
        return len(self._async)

    @overload
    def __getitem__(self, index: SupportsIndex) -> Process: ...
    @overload
    def __getitem__(self, index: slice) -> list[Process]: ...
    def __getitem__(self, index: SupportsIndex | slice) -> Process | list[Process]:
        async def handles() -> Any:
            return self._async[index]

        found = self._portal.run(handles)
        return (
            [Process(each, self._portal) for each in found] if isinstance(found, list) else Process(found, self._portal)
        )

    def __iter__(self) -> Iterator[Process]:
        yield from self[:]


_interrupted: Final[list[ProcessGroup]] = []  # the latest one, or none


def submit_group(planned: AsyncProcessGroup, portal: Portal) -> ProcessGroup:
    """Submit a group.

    An interrupt, or an error of the server, keeps what was submitted: `interrupted_group` returns it.
    """
    group = ProcessGroup(planned, portal)
    try:
        portal.run(planned.submit)
    except BaseException as error:
        _interrupted[:] = [group]
        report = planned.report()
        notes = [each for each in getattr(error, "__notes__", []) if each != report]
        error.__notes__ = [*notes, f"{report} colony_jupyter.interrupted_group() holds them."]
        raise
    return group


def interrupted_group() -> ProcessGroup | None:
    """Return the processes that the latest map submitted before it was interrupted or refused; None if none was."""
    return _interrupted[0] if _interrupted else None
