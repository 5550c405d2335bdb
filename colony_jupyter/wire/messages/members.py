"""Calls about colonies and their members: users, executors and the functions that executors offer."""

from __future__ import annotations

from colony_jupyter.wire.messages.message import Message
from colony_jupyter.wire.models import Colony, ExecutorRecord, Function, User

# colonies


class AddColony(Message, tag="addcolonymsg"):
    """Add a colony (server key)."""

    colony: Colony | None = None


class RemoveColony(Message, tag="removecolonymsg"):
    """Remove a colony with all that is in it (server key)."""

    colonyname: str = ""


class GetColony(Message, tag="getcolonymsg"):
    """Look up a colony (member)."""

    colonyname: str = ""


class GetColonies(Message, tag="getcoloniesmsg"):
    """List all colonies (server key)."""


class GetColonyStatistics(Message, tag="getcolonystatsmsg"):
    """Counts of one colony (member)."""

    colonyname: str = ""


class GetStatistics(Message, tag="getstatisticsmsg"):
    """Counts of the whole server (server key)."""


# users


class AddUser(Message, tag="addusermsg"):
    """Add a user (colony key)."""

    user: User | None = None


class GetUsers(Message, tag="getusersmsg"):
    """List the users."""

    colonyname: str = ""


class GetUser(Message, tag="getusermsg"):
    """Look up a user by name."""

    colonyname: str = ""
    name: str = ""


class GetUserById(Message, tag="getuserbyidmsg"):
    """Look up a user by id."""

    colonyname: str = ""
    userid: str = ""


class RemoveUser(Message, tag="removeusermsg"):
    """Remove a user (colony key)."""

    colonyname: str = ""
    name: str = ""


# executors


class AddExecutor(Message, tag="addexecutormsg"):
    """Add an executor, pending at first (colony key)."""

    executor: ExecutorRecord | None = None


class ApproveExecutor(Message, tag="approveexecutormsg"):
    """Make an executor a member (colony key)."""

    colonyname: str = ""
    executorname: str = ""


class RejectExecutor(Message, tag="rejectexecutormsg"):
    """Refuse an executor (colony key)."""

    colonyname: str = ""
    executorname: str = ""


class RemoveExecutor(Message, tag="removeexecutormsg"):
    """Remove an executor (colony key)."""

    colonyname: str = ""
    executorname: str = ""


class GetExecutors(Message, tag="getexecutorsmsg"):
    """List the executors, removed ones included."""

    colonyname: str = ""


class GetExecutor(Message, tag="getexecutormsg"):
    """Look up an executor by name (member)."""

    colonyname: str = ""
    executorname: str = ""


class GetExecutorById(Message, tag="getexecutorbyidmsg"):
    """Look up an executor by id (member)."""

    colonyname: str = ""
    executorid: str = ""


# functions


class AddFunction(Message, tag="addfunctionmsg"):
    """Register a function (the executor itself)."""

    fun: Function | None = None


class GetFunctions(Message, tag="getfunctionsmsg"):
    """List functions of one executor, or of all with an empty name (member)."""

    colonyname: str = ""
    executorname: str = ""


class RemoveFunction(Message, tag="removefunctionmsg"):
    """Remove a function (the executor itself)."""

    functionid: str = ""
