"""Connects to a colony, and describes the connection."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from colony_jupyter.client.colony import AsyncColony
from colony_jupyter.errors import ColonyError, ServerRefused, SettingsError, UsageError
from colony_jupyter.settings import COLONY_KEY, HOST, KEY, Variables, resolve
from colony_jupyter.wire.models import ExecutorState, Statistics

if TYPE_CHECKING:
    from collections.abc import Callable

    from colony_jupyter.settings import Settings


class Status(msgspec.Struct, frozen=True):
    """The server, the caller and the activity of the colony; its repr is text.

    Attributes:
        place: where calls go, in words.
        caller: who calls, in words.
        statistics: counts of the colony.
        executors: number of approved executors.
        kernel: what this kernel submitted that has not ended, in words; may be empty.
    """

    place: str
    caller: str
    statistics: Statistics
    executors: int
    kernel: str = ""

    def __repr__(self) -> str:
        counts = self.statistics
        lines = [
            f"connected to  {self.place}",
            f"as            {self.caller}",
            f"executors     {self.executors} approved",
            (
                f"processes     {counts.waitingprocesses} waiting, {counts.runningprocesses} running, "
                f"{counts.successfulprocesses} successful, {counts.failedprocesses} failed, "
                f"{counts.cancelledprocesses} cancelled"
            ),
        ]
        if self.kernel:
            lines.append(f"this kernel   {self.kernel}")
        return "\n".join(lines)


def choose(
    address: str | None,
    *,
    colonyname: str | None = None,
    tls: bool | None = None,
    embedded: bool = False,
    ask: Callable[[str], str] | None = None,
) -> Settings:
    """Work out where to connect; nothing is contacted.

    Args:
        address: ``HOST:PORT`` or ``HOST``; None for the server of the environment, else the embedded colony.
        colonyname: the colony.
        tls: whether to speak TLS.
        embedded: use the embedded colony, also if the environment names a server.
        ask: asks for a key without showing it; None to use the environment's keys.

    Raises:
        UsageError: if the words contradict each other.
        SettingsError: if something is missing.
    """
    if embedded:
        if address or tls is not None or ask is not None:
            raise UsageError("--embedded has its own address and keys: leave HOST:PORT, --tls, --no-tls and --ask out.")
        return resolve(colonyname=colonyname, use_embedded=True)
    environ = Variables(os.environ)
    if ask is not None:
        if not address and not environ.get(HOST):
            raise UsageError(f"--ask asks for keys only: name the server by HOST:PORT or by {HOST}.")
        for name, whose in ((KEY, "your private key"), (COLONY_KEY, "the colony's private key, or nothing")):
            if typed := ask(f"{name} ({whose}): ").strip():
                environ[name] = typed
            elif name == KEY:
                raise SettingsError(f"No key was typed, so nothing was changed. {KEY} is 64 hex digits.")
    settings = resolve(environ, host=address or None, tls=tls, colonyname=colonyname)
    return settings if ask is None else replace(settings, sources={**settings.sources, "keys": "typed"})


def place(settings: Settings) -> str:
    """Describe where calls go, once a call succeeded."""
    return settings.describe().replace(", started by the first call", "")


async def open_colony(settings: Settings) -> AsyncColony:
    """Connect, and make sure that the caller is a member there.

    Raises:
        ServerUnreachable, AccessDenied, ServerRefused, EmbeddedError: why it is not possible.
    """
    colony = AsyncColony(settings)
    try:
        await colony.connect()
        await colony.executors()  # not the statistics: asked for those, the server answers strangers with nothing
    except BaseException:
        await colony.aclose()
        raise
    return colony


async def status(colony: AsyncColony, kernel: str = "") -> Status:
    """Ask where one is connected and what goes on there.

    Raises:
        ServerUnreachable, AccessDenied: if the colony does not answer, or refuses.
    """
    await colony.connect()
    executors = await colony.executors()  # first, since its refusal names the reason
    statistics = await colony.statistics()
    return Status(
        place=place(colony.settings),
        caller=await _caller(colony),
        statistics=statistics,
        executors=sum(executor.state is ExecutorState.APPROVED for executor in executors),
        kernel=kernel,
    )


async def _caller(colony: AsyncColony) -> str:
    """Describe the caller as the colony knows it."""
    owner = " (and with the colony owner's key)" if colony.is_owner else ""
    try:
        return f"user '{(await colony.get_user_by_id(colony.userid)).name}' {colony.userid[:8]}…{owner}"
    except ServerRefused:
        pass
    try:
        executor = await colony.get_executor_by_id(colony.userid)
    except ColonyError:
        return f"{colony.userid[:8]}…{owner}"
    # Trap 20: what an executor submits, it may be given itself.
    return (
        f"executor '{executor.executorname}' {colony.userid[:8]}… (an executor's key; a user's is better here){owner}"
    )
