"""Registration of an executor and its functions with the colony (docs/protocol.md section 4)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from colony_jupyter.client.colony import AsyncColony
from colony_jupyter.errors import AccessDenied, ColonyError, ExecutorError, ServerRefused, ServerUnreachable
from colony_jupyter.executor.functions import Offer
from colony_jupyter.wire.models import ExecutorState, moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from colony_jupyter.executor.membership.identity import Identity
    from colony_jupyter.wire.models import ExecutorRecord

logger = logging.getLogger(__name__)

_POLL: Final = 2.0
"""Seconds between two requests for whether the owner has approved."""
_ALIVE: Final = 60.0
"""Seconds since the latest sign of life within which another executor counts as running."""


class Registration:
    """An executor's membership.

    Args:
        colony: the colony, as the executor; the owner's key is used where it is at hand.
        identity: name and key of the executor.
        executortype: its type.
    """

    def __init__(self, colony: AsyncColony, identity: Identity, executortype: str) -> None:
        self._colony = colony
        self._identity = identity
        self._executortype = executortype
        self._publishing = asyncio.Lock()

    async def is_member(self) -> bool:
        """Whether the executor is approved. The processes that an executor ran wait again once it is removed.

        Raises:
            ServerUnreachable: if no server answers.
        """
        await self._colony.connect()
        record = await self._record()
        return record is not None and record.state is ExecutorState.APPROVED

    async def join(self) -> bool:
        """Become a member, if need be; False if only the colony's owner can do it, whose key is not at hand.

        An executor that is one already is left as it is: adding it again would put its processes back (trap 18).

        Raises:
            ExecutorError: if the owner has rejected it, or its name is another's.
            ServerUnreachable: if no server answers.
        """
        colony, name = self._colony, self._identity.executorname
        await colony.connect()
        record = await self._record()
        if record is not None and record.executortype == self._executortype:
            if record.state is ExecutorState.APPROVED:
                return True
            if record.state is ExecutorState.REJECTED:
                raise ExecutorError(
                    f"The owner of colony '{colony.colonyname}' has rejected executor '{name}'. Ask for its approval, "
                    "or choose another name."
                )
            is_added = True
        else:
            is_added = False
        if not colony.is_owner:
            return False
        if not is_added:
            await self._refuse_name_in_use()
            await colony.add_executor(name, self._identity.key.id, self._executortype)
        await colony.approve_executor(name)
        logger.info("executor %r of type %r is a member of colony %r", name, self._executortype, colony.colonyname)
        return True

    def request(self) -> str:
        """Return what the colony's owner is to do."""
        identity = self._identity
        return (
            f"Executor '{identity.executorname}' is no member of colony '{self._colony.colonyname}' yet, and "
            "COLONIES_COLONY_PRVKEY is not set. The colony's owner has to add and approve it: "
            f"name {identity.executorname}, type {self._executortype}, id {identity.key.id}. Waiting for that."
        )

    async def await_membership(self) -> None:
        """Wait until the executor is approved.

        Raises:
            ExecutorError: if it is rejected.
        """
        while True:
            with contextlib.suppress(ServerUnreachable):
                if await self.join():
                    return
            await asyncio.sleep(_POLL)

    async def publish(self, functions: Mapping[str, Offer]) -> None:
        """Make the server list exactly these functions.

        What is listed already, as it is now, is left alone: adding it again would make a second record, and its counts
        would begin anew.

        Args:
            functions: what is listed of each, by name.
        """
        async with self._publishing:
            name = self._identity.executorname
            listed: set[str] = set()
            for function in await self._colony.functions(name):
                listed_before = Offer(function.description, function.args)
                if functions.get(function.funcname) == listed_before and function.funcname not in listed:
                    listed.add(function.funcname)
                else:
                    with contextlib.suppress(ServerRefused):
                        await self._colony.remove_function(function.functionid)
            for funcname, offer in list(functions.items()):
                if funcname not in listed:
                    await self._colony.add_function(
                        name,
                        funcname,
                        executortype=self._executortype,
                        description=offer.description,
                        args=offer.arguments,
                    )

    async def _record(self) -> ExecutorRecord | None:
        """Find our own record, in any state; for a stranger the server reports that it is one (trap 17)."""
        try:
            executors = await self._colony.executors()
        except AccessDenied as error:
            if error.is_stranger:
                return None
            raise
        key, name = self._identity.key, self._identity.executorname
        return next((each for each in executors if each.executorid == key.id and each.executorname == name), None)

    async def _refuse_name_in_use(self) -> None:
        """Refuse the name of an executor that runs; the name of one that does not run may be used again.

        Raises:
            ExecutorError: if another executor runs under that name.
        """
        if not self._identity.is_chosen:
            return
        user = AsyncColony(self._colony.settings)
        try:
            executors = await user.executors()
        except ColonyError:  # the user may be no member, who may not ask
            return
        finally:
            await user.aclose()
        name = self._identity.executorname
        for each in executors:
            if each.executorname != name or each.executorid == self._identity.key.id:
                continue
            heard = moment(each.lastheardfromtime)
            if each.state is ExecutorState.APPROVED and heard is not None:
                seconds = (datetime.now(UTC) - heard).total_seconds()
                if seconds < _ALIVE:
                    raise ExecutorError(
                        f"The name '{name}' is in use: an executor with another key runs under it (last heard from "
                        f"{max(seconds, 0):.0f} s ago). Choose another name, or stop that one and wait a minute."
                    )
            logger.warning("executor name %r is taken over from the id %s", name, each.executorid[:8])
