"""Finds out what is wrong between here and a colony, and says what to do about it.

Each finding is one line: fine, a warning, or a failure, the latter two with a remedy. Where something fails that all
after it needs, the rest is left out. Nothing is left behind in the colony, and no key is ever shown.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import importlib.metadata
import platform
import re
import secrets
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from colony_jupyter.client.colony import AsyncColony
from colony_jupyter.errors import AccessDenied, ColonyError, ServerRefused, ServerUnreachable, WaitTimeout
from colony_jupyter.settings import resolve
from colony_jupyter.wire.models import ExecutorState, ProcessState, moment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from colony_jupyter.client.process import AsyncProcess
    from colony_jupyter.settings import Settings

_TYPE: Final = "colony-jupyter-doctor-{}-x"
"""The type of the process it makes: nobody's, and another one each time, so that its traces are known for its own."""
_CHANNEL: Final = "doctor"
_ARRIVES: Final = 15.0
_LATE: Final = 2.0
_CLOCK: Final = 5.0
_OLDEST_SERVER: Final = (1, 9, 6)
_CLEARING: Final = 10.0
"""Seconds for taking back what was made."""
_AGAIN: Final = 0.5
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})

_NEEDED: Final[dict[str, tuple[int, ...]]] = {
    "ipykernel": (6, 30),
    "ipywidgets": (8, 1),
    "anywidget": (0, 9, 18),
    "jupyterlab": (4, 3),
    "jupyterlab_widgets": (3,),
}
"""What this package was made with; `jupyterlab` and its widgets may be installed elsewhere."""

_ELSEWHERE: Final = frozenset({"jupyterlab", "jupyterlab_widgets"})


_Version = tuple[int, ...]


@dataclass(frozen=True)
class _Pair:
    """Two versions that do not go together.

    Attributes:
        one, other: what it is of, each with the versions that are meant: from the first to below the second.
        remedy: what to do.
    """

    one: tuple[str, _Version, _Version]
    other: tuple[str, _Version, _Version]
    remedy: str


_NEWEST: Final = (1_000_000,)
_BAD_PAIRS: Final = (
    # Its two halves, the kernel's and the page's, are made for each other.
    _Pair(("ipywidgets", (8,), _NEWEST), ("jupyterlab_widgets", (0,), (3,)), "pip install -U jupyterlab_widgets"),
    _Pair(("ipywidgets", (0,), (8,)), ("jupyterlab_widgets", (3,), _NEWEST), "pip install -U ipywidgets"),
    _Pair(("ipywidgets", (8,), _NEWEST), ("widgetsnbextension", (0,), (4,)), "pip install -U widgetsnbextension"),
    # Earlier ones have no extension for the later Lab.
    _Pair(("jupyterlab", (4,), _NEWEST), ("anywidget", (0,), (0, 9)), "pip install -U anywidget"),
    # Its patch of asyncio takes from httpx what tells it which task it runs in.
    _Pair(
        ("python", (3, 14), _NEWEST),
        ("nest_asyncio in use", (0,), _NEWEST),
        "restart the kernel, and use `await` instead of asyncio.run; or nest_asyncio2, which is maintained",
    ),
)
"""Pairs that are known to fail, where each half is fine by itself."""


class Mark(enum.Enum):
    """How grave a finding is."""

    FINE = "ok"
    WARNING = "warning"
    FAILURE = "FAILURE"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        mark: how grave it is.
        subject: what was looked at, in a word.
        text: what was found; of warnings and failures with the remedy.
    """

    mark: Mark
    subject: str
    text: str


@dataclass
class Report:
    """All findings; shows itself as text, a line each."""

    findings: list[Finding] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether something does not work."""
        return any(finding.mark is Mark.FAILURE for finding in self.findings)

    @property
    def exit_status(self) -> int:
        """For scripts: 0 if all works, warnings or not."""
        return 1 if self.failed else 0

    def __repr__(self) -> str:
        return "\n".join(f"{each.mark.value:<8}{each.subject:<12}{each.text}" for each in self.findings)


async def examine(choose: Callable[[], Settings] = resolve) -> Report:
    """Look at everything, from the settings to a channel's round trip.

    Args:
        choose: gives the settings; what it raises is the first finding.
    """
    report = Report()
    installed = _installed()
    report.findings += [*versions(installed), *pairs(installed)]
    try:
        settings = choose()
    except ColonyError as error:
        report.findings.append(Finding(Mark.FAILURE, "settings", str(error)))
        return report
    report.findings += settings_found(settings)
    colony = AsyncColony(settings)
    executortype = _TYPE.format(secrets.token_hex(4))
    try:
        async for finding in _colony(colony, executortype):
            report.findings.append(finding)
    except ColonyError as error:
        report.findings.append(Finding(Mark.FAILURE, "colony", str(error)))
    except asyncio.CancelledError:  # somebody waits for the prompt: what is left is cleared away without them
        clearing = asyncio.create_task(_clear(colony, executortype))
        _clearing.add(clearing)
        clearing.add_done_callback(_clearing.discard)
        raise
    except BaseException:
        await colony.aclose()
        raise
    await colony.aclose()
    return report


_clearing: Final[set[asyncio.Task[None]]] = set()  # the loop itself keeps only weak references


async def _clear(colony: AsyncColony, executortype: str) -> None:
    """Remove what was made, also if the answer that told its id did not come."""
    with contextlib.suppress(ColonyError, TimeoutError):
        async with asyncio.timeout(_CLEARING):
            while not await _cleared(colony, executortype):  # noqa: ASYNC110 - a server that is away tells nobody
                await asyncio.sleep(_AGAIN)
    await colony.aclose()


async def _cleared(colony: AsyncColony, executortype: str) -> bool:
    try:
        for state in (ProcessState.WAITING, ProcessState.CANCELLED):
            for process in await colony.processes(state, executortype=executortype):
                await _take_back(process)
    except ServerUnreachable:
        return False
    return True


async def _take_back(process: AsyncProcess) -> None:
    if not process.state.is_closed:
        await process.colony.cancel(process)
    await process.colony.remove_process(process)


# Without a server


def versions(installed: Mapping[str, str | None]) -> list[Finding]:
    """Judge what is installed; None stands for what is not."""
    found = [Finding(Mark.FINE, "python", f"{platform.python_version()} on {sys.platform}")]
    for name, needed in _NEEDED.items():
        version = installed.get(name)
        least = ".".join(map(str, needed))
        if version is None:
            if name in _ELSEWHERE:
                text = f"{name} is not installed here, which is fine if JupyterLab is installed somewhere else."
                found.append(Finding(Mark.FINE, "versions", text))
            else:
                text = f"{name} is not installed: pip install '{name}>={least}'."
                found.append(Finding(Mark.FAILURE, "versions", text))
        elif _numbers(version) < needed:
            text = f"{name} {version} is older than {least}, with which panes are known to work: pip install -U {name}."
            found.append(Finding(Mark.WARNING, "versions", text))
        else:
            found.append(Finding(Mark.FINE, "versions", f"{name} {version}"))
    return found


def pairs(installed: Mapping[str, str | None]) -> list[Finding]:
    """Find what is installed side by side and known not to go together; None stands for what is not."""
    found = []
    for pair in _BAD_PAIRS:
        told = []
        for name, least, below in (pair.one, pair.other):
            version = installed.get(name)
            if version is not None and least <= _numbers(version) < below:
                told.append(f"{name} {version}".strip())
        if len(told) == len((pair.one, pair.other)):
            text = f"{' and '.join(told)} do not go together: {pair.remedy}."
            found.append(Finding(Mark.WARNING, "versions", text))
    return found


def settings_found(settings: Settings) -> list[Finding]:
    """Say what the settings are and where each came from."""
    origins = ", ".join(f"{name}: {source}" for name, source in settings.sources.items())
    found = [Finding(Mark.FINE, "settings", f"{settings.describe()}; {origins}")]
    if not settings.is_embedded and not settings.tls and settings.host not in _LOCAL:
        text = (
            f"{settings.host} is spoken to without TLS: whoever is between can read entries and change requests. "
            "Set COLONIES_TLS=true if the server speaks TLS."
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
    """Judge the server's clock by a time it gave between two of ours."""
    apart = max((before - server).total_seconds(), (server - after).total_seconds(), 0.0)
    if apart > _CLOCK:
        text = f"the server's clock and this machine's are {apart:.0f} s apart: let both follow a time server (NTP)."
        return Finding(Mark.WARNING, "clock", text)
    return Finding(Mark.FINE, "clock", "the server's and this machine's agree")


# With a server


async def _colony(colony: AsyncColony, executortype: str) -> AsyncIterator[Finding]:
    begun = time.monotonic()
    await colony.connect()
    try:
        version = (await colony.version()).buildversion
    except ServerRefused as refusal:
        version = ""
        yield Finding(Mark.WARNING, "server", f"it answers, but does not tell its version: {refusal}")
    took = time.monotonic() - begun
    yield Finding(Mark.FINE, "server", f"answers after {took * 1000:.0f} ms, version {version or 'not told'}")
    if colony.settings.tls:
        yield Finding(Mark.FINE, "tls", "spoken, and the server's certificate is trusted")
    if (numbers := _numbers(version)) and numbers < _OLDEST_SERVER:
        text = f"ColonyOS {version} is older than 1.9.6, the first with all that channels need: have it updated."
        yield Finding(Mark.WARNING, "server", text)

    executors = await colony.executors()
    yield await _caller(colony)
    approved = [each for each in executors if each.state is ExecutorState.APPROVED]
    types = ", ".join(sorted({each.executortype for each in approved}))
    if approved:
        yield Finding(Mark.FINE, "executors", f"{len(approved)} approved, of type {types}")
    else:
        text = "none is approved, so whatever is submitted waits: start one, as in notebooks/01."
        yield Finding(Mark.WARNING, "executors", text)
    for finding in await _round_trip(colony, executortype):
        yield finding


async def _caller(colony: AsyncColony) -> Finding:
    """Say as what the colony knows the caller."""
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


async def _round_trip(colony: AsyncColony, executortype: str) -> list[Finding]:
    """Write to a channel and read it back, both ways, on a process that nobody takes."""
    before = datetime.now(UTC)
    process = await colony.submit("doctor", channels=[_CHANNEL], executortype=executortype, maxwaittime=60)
    try:
        submitted = moment(process.submissiontime)
        of_clock = [clock(submitted, before, datetime.now(UTC))] if submitted is not None else []
        found = [*of_clock, await _channel(process)]
    except ColonyError:
        await _take_back(process)
        raise
    await _take_back(process)
    return found


async def _channel(process: AsyncProcess) -> Finding:
    channel = process.channel(_CHANNEL)
    text = secrets.token_hex(8)
    async with channel.stream(timeout=_ARRIVES, to_end=False) as stream:
        try:
            await stream.listening()
            begun = time.monotonic()
            await channel.send(text)
            entries = await stream.batch()
        except WaitTimeout:
            words = (
                f"an entry that was written did not come back within {_ARRIVES:g} s: if there is a proxy before the "
                "server, it must let WebSockets through."
            )
            return Finding(Mark.FAILURE, "channel", words)
        took = time.monotonic() - begun
    if [entry.text for entry in entries] != [text]:
        return Finding(Mark.FAILURE, "channel", "an entry came back as another one than was written.")
    if took > _LATE:
        words = (
            f"an entry took {took:.1f} s to come back, so it was read from the log and not pushed: if there is a proxy "
            "before the server, it must let WebSockets through."
        )
        return Finding(Mark.WARNING, "channel", words)
    return Finding(Mark.FINE, "channel", f"an entry comes back after {took * 1000:.0f} ms")


def _installed() -> dict[str, str | None]:
    found: dict[str, str | None] = {"python": platform.python_version()}
    for name in (*_NEEDED, "widgetsnbextension"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    if hasattr(asyncio, "_nest_patched") and "nest_asyncio2" not in sys.modules:
        found["nest_asyncio in use"] = importlib.metadata.version("nest_asyncio")
    return found


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"v?(\d+(?:\.\d+)*)", version)
    return tuple(map(int, found[1].split("."))) if found else ()
