"""What shows that a server's channel is not the one of the process (docs/protocol.md section 9).

A channel lives on one node of a cluster; any other node makes an empty one of its own on demand, in which both a reader
and a writer seem to succeed. A process that is assigned in the moment of its submission may have channels that do not
know its executor, also on a server of one node.
"""

from typing import Final

_SAME_NODE: Final = "connect the submitter and the executor to the same node, the leader if one is refused"

NOT_ASSIGNED_HERE: Final = (
    "the server refuses the executor that the process is assigned to. Either it assigned the process before it had "
    "made the channels: submit the process again. Or it has several nodes, and a channel lives on one of them: "
    f"{_SAME_NODE}"
)
"""Why an executor cannot write to the channel of its own process, as a clause."""

EMPTY_AFTER_END: Final = (
    "no entry of the other party arrived, and this node of the server still has an empty channel although the process "
    f"has ended. The server has several nodes, and a channel lives on one of them: {_SAME_NODE}"
)
"""Why a stream that received nothing is not known to be complete, as a clause."""
