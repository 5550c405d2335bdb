"""Where the embedded colony answers otherwise than the recorded server, on purpose.

Each is stated with what it answers instead, so a step listed here is judged like any other: a difference that is not
there any more fails as much as one that is not listed.
"""

from __future__ import annotations

from typing import Any

from colony_contract.replaying import KnownDifference


def _refused(status: int, message: str) -> dict[str, Any]:
    return {
        "status": status,
        "error": True,
        "payloadtype": "error",
        "payload": {"status": status, "message": message},
    }


def _answered(payloadtype: str, payload: Any) -> dict[str, Any]:
    return {"status": 200, "error": False, "payloadtype": payloadtype, "payload": payload}


_PROCESS = [
    "processid",
    "initiatorid",
    "initiatorname",
    "assignedexecutorid",
    "isassigned",
    "state",
    "prioritytime",
    "submissiontime",
    "starttime",
    "endtime",
    "waitdeadline",
    "execdeadline",
    "retries",
    "attributes",
    "spec",
    "waitforparents",
    "parents",
    "children",
    "processgraphid",
    "in",
    "out",
    "errors",
]

# What no transcript can show: the embedded colony limits clients where the real server does not, as the table in
# `colony_jupyter.server.process.client_limits.ClientLimits` states: a request of more than 32 MiB is answered 413, a
# frame of more than 64 KiB ends its connection, and so do senders and readers that are too slow
# (tests/unit/server/process/test_http_server.py). A lookup by a name that contains NUL is answered as for an unknown
# name, where the real server's database objects.
EMBEDDED: tuple[KnownDifference, ...] = (
    KnownDifference(
        "identity-errors",
        "payload is JSON null",
        _refused(400, "$str"),
        "a null message crashes the real server's handler (500, empty body); section 8 asks for 400",
    ),
    KnownDifference(
        "identity-errors",
        "body is JSON null",
        _refused(400, "$str"),
        "a null body crashes the real server's handler (500, empty body); section 8 asks for 400",
    ),
    KnownDifference(
        "workflows",
        "... but spoils the list of waiting workflows",
        _answered("getprocessgraphsmsg", None),
        "a refused workflow is half stored by the real server and spoils the list; section 8: check before writing",
    ),
    KnownDifference(
        "deadlines",
        "the former executor can still write to the channel",
        _refused(403, "Not authorized to write to channel"),
        "section 8: the executor is cleared when its process goes back to waiting",
    ),
    KnownDifference(
        "deadlines",
        "the new executor sees the old entry",
        _answered("channelreadmsg", []),
        "follows from the refusal before: there is no entry of the former executor",
    ),
    KnownDifference(
        "subscriptions",
        "no pong while a channel subscription is active",
        {"pong": True},
        "the real server does not read during a channel subscription (trap 7); ours does so only with --deaf",
    ),
    KnownDifference(
        "extremes",
        "it has failed all the same, without them",
        _answered("getprocessmsg", {**dict.fromkeys(_PROCESS, "$any"), "state": 1, "errors": [], "out": ["a\0b"]}),
        "the real server closes first and stumbles over the errors; section 8: check before writing",
    ),
    KnownDifference(
        "extremes",
        "1000 lists in each other",
        _refused(400, "Failed to get colony, invalid JSON"),
        "the real server takes 10,000 levels; ours 400, since Python's readers and writers of JSON end at about 1,000",
    ),
)
