"""Who may send functions to an executor."""

from __future__ import annotations

import getpass
import re
from typing import TYPE_CHECKING, Final, Literal

from colony_jupyter.client.function_spec import check_list
from colony_jupyter.errors import UsageError
from colony_jupyter.executor.functions import Unfit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from colony_jupyter.client.colony import AsyncColony
    from colony_jupyter.wire.models import ProcessRecord

ANYONE: Final = "anyone"
Allowed = Literal["anyone"] | frozenset[str]
_ID: Final = re.compile(r"[0-9a-f]{64}")


def read_allowed(allow: Sequence[str] | str | None) -> Allowed:
    """Read the argument ``allow``.

    Args:
        allow: names or ids of users; ``"anyone"``; None for the executor's own user alone.

    Raises:
        UsageError: for another text than ``"anyone"``.
    """
    if allow == ANYONE:
        return ANYONE
    if allow is not None:
        check_list("allow", allow)
    if not all(isinstance(name, str) and name for name in allow or ()):
        raise UsageError(f"allow is {allow!r}: a list of names of users is needed, or 'anyone'.")
    return frozenset(allow or ())


def anyone_warning(executortype: str) -> str:
    """Return the line that states what ``"anyone"`` means."""
    return (
        f"Every member of the colony may now run any code on this machine, as user '{getpass.getuser()}', "
        f"through the executor of type '{executortype}'."
    )


async def check_sender(
    process: ProcessRecord,
    allowed: Allowed,
    colony: AsyncColony,
    executorname: str,
    *,
    refused: str = "does not run functions that '{sender}' sends: it runs those of its own user{others}",
    remedy: str = "executor.functions_from_callers(allow=[...])",
) -> None:
    """Refuse a process whose submitter may not have its code run.

    A name is looked up among the users of the colony, and ids are compared: the name in a process may be one that the
    submitter has given to itself as an executor of another colony.

    Raises:
        Unfit: if it may not; the sentence is for the submitter.
        ColonyError: if the users of the colony cannot be listed.
    """
    sender = process.initiatorid
    if allowed == ANYONE or sender == own_user(colony) or sender in allowed:
        return
    names = sorted(name for name in allowed if not _ID.fullmatch(name))
    if names and any(user.userid == sender and user.name in allowed for user in await colony.users()):
        return
    others = f" and {', '.join(names)}" if names else ""
    clause = refused.format(sender=process.initiatorname or sender[:8], others=others)
    raise Unfit(f"Executor '{executorname}' {clause}. Its owner allows more with {remedy}.")


def own_user(colony: AsyncColony) -> str:
    """Return the id of the user whose settings the executor uses."""
    return colony.endpoint.keys()[0].id
