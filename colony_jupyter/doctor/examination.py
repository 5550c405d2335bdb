"""Checks a connection to a colony, from the settings to a channel's round trip.

Each finding is one line: fine, a warning, or a failure, the latter two with a remedy. Where a check fails that all
later ones need, those are left out. Nothing is left in the colony, and no key is ever shown.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from packaging.version import Version

from colony_jupyter.client.colony import AsyncColony
from colony_jupyter.doctor.channel import round_trip
from colony_jupyter.doctor.cluster import check_nodes
from colony_jupyter.doctor.installed import installed, is_older, pairs, versions
from colony_jupyter.doctor.report import Finding, Mark, Report
from colony_jupyter.errors import (
    AccessDenied,
    ColonyError,
    GatewayRefused,
    RequestTooLarge,
    ServerRefused,
    ServerUnreachable,
)
from colony_jupyter.settings import resolve
from colony_jupyter.wire.models import ExecutorState, ProcessState, moment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from colony_jupyter.client.process import AsyncProcess
    from colony_jupyter.settings import Settings

_TYPE: Final = "colony-jupyter-doctor-{}-x"
"""Executor type of the process that is submitted: no executor has it, and each examination uses another one, by which
its process is found again."""
_CHANNEL: Final = "doctor"
_CLOCK: Final = 5.0
_OLDEST_SERVER: Final = Version("1.9.6")
_LIMIT: Final = 12.0
"""Seconds for all checks that need the server."""
_REMOVAL: Final = 2.0
"""Further seconds to wait for the removal of the process; the removal then continues in the background."""
_CLEARING: Final = 10.0
"""Seconds for the removal."""
_AGAIN: Final = 0.5
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


async def examine(choose: Callable[[], Settings] = resolve) -> Report:
    """Check everything, within 15 seconds.

    Args:
        choose: returns the settings; the error that it raises is the first finding.
    """
    report = Report()
    found = installed()
    report.findings += [*versions(found), *pairs(found)]
    try:
        settings = choose()
    except ColonyError as error:
        report.findings.append(Finding(Mark.FAILURE, "settings", str(error)))
        return report
    report.findings += settings_found(settings)
    examination = _Examination(AsyncColony(settings))
    try:
        async with asyncio.timeout(_LIMIT):
            async for finding in examination.findings():
                report.findings.append(finding)
    except ColonyError as error:
        report.findings.append(Finding(Mark.FAILURE, "colony", str(error)))
    except TimeoutError:
        text = (
            f"{examination.step}: no result within {_LIMIT:g} s. The server or a gateway in front of it is overloaded, "
            "or drops requests: check its log."
        )
        report.findings.append(Finding(Mark.FAILURE, "colony", text))
    except asyncio.CancelledError:  # the user waits for the prompt, so what is left is removed in the background
        examination.clear()
        raise
    await asyncio.wait({examination.clear()}, timeout=_REMOVAL)
    return report


def settings_found(settings: Settings) -> list[Finding]:
    """Report the settings and the origin of each."""
    origins = ", ".join(f"{name}: {source}" for name, source in settings.sources.items())
    found = [Finding(Mark.FINE, "settings", f"{settings.describe()}; {origins}")]
    if not settings.is_embedded and not settings.tls and settings.host not in _LOCAL:
        text = (
            f"connections to {settings.host} are not encrypted: others on the network can read entries and change "
            "requests. Set COLONIES_TLS=true if the server uses TLS."
        )
        found.append(Finding(Mark.WARNING, "tls", text))
    if settings.colony_prvkey is None and not settings.is_embedded:
        text = (
            "COLONIES_COLONY_PRVKEY is not set: executors started here cannot add themselves to the colony; its "
            "owner must."
        )
        found.append(Finding(Mark.FINE, "keys", text))
    return found


def clock(server: datetime, before: datetime, after: datetime) -> Finding:
    """Compare the server's clock with this machine's.

    Args:
        server: a time of the server.
        before, after: times of this machine, between which the server noted its own.
    """
    apart = max((before - server).total_seconds(), (server - after).total_seconds(), 0.0)
    if apart > _CLOCK:
        text = (
            f"the server's clock and this machine's are {apart:.0f} s apart: synchronize both with a time server (NTP)."
        )
        return Finding(Mark.WARNING, "clock", text)
    return Finding(Mark.FINE, "clock", "the server's and this machine's agree")


class _Examination:
    """The checks that need a server, and the removal of what they leave.

    Args:
        colony: the colony to check; it is closed after the removal.
    """

    def __init__(self, colony: AsyncColony) -> None:
        self.step = ""
        """What is being checked."""
        self._colony = colony
        self._executortype = _TYPE.format(secrets.token_hex(4))
        self._has_submitted = False
        self._is_clean = False

    async def findings(self) -> AsyncIterator[Finding]:
        """Yield one finding after the other.

        Raises:
            ColonyError: if a check fails that all later ones need.
        """
        colony = self._colony
        self.step = "connecting to the server"
        begun = time.monotonic()
        await colony.connect()
        try:
            version = (await colony.version()).buildversion
        except (GatewayRefused, RequestTooLarge):
            raise
        except ServerRefused as refusal:
            version = ""
            yield Finding(Mark.WARNING, "server", f"it answers, but does not state its version: {refusal}")
        took = time.monotonic() - begun
        yield Finding(Mark.FINE, "server", f"answers after {took * 1000:.0f} ms, version {version or 'unknown'}")
        if colony.settings.tls:
            yield Finding(Mark.FINE, "tls", "in use, and the server's certificate is trusted")
        if is_older(version, _OLDEST_SERVER):
            oldest = f"{_OLDEST_SERVER}, the first with all that channels need"
            text = f"ColonyOS {version} is older than {oldest}: have it updated."
            yield Finding(Mark.WARNING, "server", text)

        self.step = "asking for the server's nodes"
        if (nodes := await check_nodes(colony)) is not None:
            yield nodes

        self.step = "listing the executors"
        executors = await colony.executors()
        yield await _caller(colony)
        approved = [each for each in executors if each.state is ExecutorState.APPROVED]
        types = ", ".join(sorted({each.executortype for each in approved}))
        if approved:
            yield Finding(Mark.FINE, "executors", f"{len(approved)} approved, of type {types}")
        else:
            how = "with Executor.start() in Python, or with 'colony-jupyter executor' in a terminal"
            text = f"none is approved, so every submitted process waits: start one, {how}."
            yield Finding(Mark.WARNING, "executors", text)

        self.step = "submitting a process"
        self._has_submitted = True
        before = datetime.now(UTC)
        process = await colony.submit("doctor", channels=[_CHANNEL], executortype=self._executortype, maxwaittime=60)
        submitted = moment(process.submissiontime)
        if submitted is not None:
            yield clock(submitted, before, datetime.now(UTC))
        self.step = "sending an entry through a channel and back"
        yield await round_trip(process, _CHANNEL)
        self.step = "removing the process"
        await _remove(process)
        self._is_clean = True

    def clear(self) -> asyncio.Task[None]:
        """Remove what is left in the colony and close the connections, in a task of its own."""
        task = asyncio.create_task(self._clear())
        _clearing.add(task)
        task.add_done_callback(_clearing.discard)
        return task

    async def _clear(self) -> None:
        try:
            if self._has_submitted and not self._is_clean:
                with contextlib.suppress(ColonyError, TimeoutError):
                    async with asyncio.timeout(_CLEARING):
                        while not await self._is_cleared():  # noqa: ASYNC110 - a server that is away announces nothing
                            await asyncio.sleep(_AGAIN)
        finally:
            await self._colony.aclose()

    async def _is_cleared(self) -> bool:
        """Remove the process, even if the reply that contains its id was lost."""
        try:
            for state in (ProcessState.WAITING, ProcessState.CANCELLED):
                for process in await self._colony.processes(state, executortype=self._executortype):
                    await _remove(process)
        except ServerUnreachable:
            return False
        return True


_clearing: Final[set[asyncio.Task[None]]] = set()  # the loop itself keeps only weak references


async def _remove(process: AsyncProcess) -> None:
    if not process.state.is_closed:
        await process.colony.cancel(process)
    await process.colony.remove_process(process)


async def _caller(colony: AsyncColony) -> Finding:
    """Report the name under which the colony knows the caller."""
    short = f"id {colony.userid[:8]}…"
    try:
        name = (await colony.get_user_by_id(colony.userid)).name
    except AccessDenied:
        raise
    except ColonyError:
        pass
    else:
        return Finding(Mark.FINE, "identity", f"user '{name}', {short}")
    try:
        executor = await colony.get_executor_by_id(colony.userid)
    except ColonyError:
        return Finding(Mark.WARNING, "identity", f"a member, {short}, but listed neither as a user nor as an executor")
    text = (
        f"executor '{executor.executorname}', {short}: what it submits is listed as an executor's. Set COLONIES_PRVKEY "
        "to a user's key."
    )
    return Finding(Mark.WARNING, "identity", text)
