"""What shows that a channel lives on another node of a cluster (docs/protocol.md section 9).

A channel lives on one node, the one that the executor is connected to or the leader; any other makes an empty one of
its own on demand, in which both a reader and a writer seem to succeed.
"""

from typing import Final

_REMEDY: Final = (
    "the server has several nodes, and a channel lives on one of them. Connect the submitter and the executor to the "
    "same node, the leader if one is refused"
)

NOT_ASSIGNED_HERE: Final = (
    f"this node of the server does not accept entries of the executor that the process is assigned to: {_REMEDY}"
)
"""Why an executor cannot write to the channel of its own process, as a clause."""

EMPTY_AFTER_END: Final = (
    "no entry of the other party arrived, and this node of the server still has an empty channel although the process "
    f"has ended, which a node with the process's channel has not: {_REMEDY}"
)
"""Why a stream that received nothing is not known to be complete, as a clause."""
