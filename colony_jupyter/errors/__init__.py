"""Every error of this package, as one tree.

::

    ColonyError
    ├── UsageError                  a call that cannot work; the caller must change it
    │   ├── SettingsError           the address of the colony or a key is missing or invalid
    │   │   └── InvalidKey          the text is not a private key
    │   └── InvalidSpec             a function spec that a server accepts and never runs
    ├── ServerUnreachable           no server answers at the address
    │   └── WebSocketRefused        a gateway or proxy refuses WebSockets
    ├── ProtocolError               the answer is not ColonyOS's
    ├── ServerRefused               the server answered with an error
    │   ├── AccessDenied            not a member, not the owner, not a party
    │   ├── ProcessNotFound
    │   ├── WorkflowNotFound
    │   ├── ChannelNotFound
    │   ├── RateLimited             too many appends per second
    │   ├── MessageTooLarge
    │   ├── ChannelFull
    │   ├── RequestTooLarge         over the size limit of a gateway or of the embedded colony
    │   └── GatewayRefused          a gateway or proxy in front of the server refused
    ├── ProcessError                how a process ended
    │   ├── ProcessFailed           carries the executor's error texts
    │   ├── ProcessCancelled
    │   ├── ProcessRemoved          the server does not know the process any more
    │   └── LogIncomplete           lines of its log cannot be read
    ├── WorkflowError               how a workflow ended
    │   ├── WorkflowFailed          names the processes that failed
    │   └── WorkflowCancelled
    ├── GroupFailed                 processes of a group ended without success
    ├── RemoteCellFailed            a cell raised an error in its kernel on an executor
    ├── ChannelError
    │   ├── ChannelClosed           the channel accepts no entries any more
    │   ├── StreamError             the other party sent an `error` entry
    │   └── StreamBroken            entries can be missing and are not available
    ├── WaitTimeout                 (also a TimeoutError)
    ├── ExecutorError               the executor cannot run
    └── EmbeddedError               the embedded colony cannot run

Data is in attributes, the sentence in ``str()``. Each sentence names the thing, the reason and, where there is one,
the remedy.
"""

from colony_jupyter.errors.general import (
    ColonyError,
    EmbeddedError,
    ExecutorError,
    InvalidKey,
    InvalidSpec,
    ProtocolError,
    ServerUnreachable,
    SettingsError,
    UsageError,
    WaitTimeout,
    WebSocketRefused,
)
from colony_jupyter.errors.processes import (
    ChannelClosed,
    ChannelError,
    GroupFailed,
    LogIncomplete,
    ProcessCancelled,
    ProcessError,
    ProcessFailed,
    ProcessRemoved,
    RemoteCellFailed,
    StreamBroken,
    StreamError,
    WorkflowCancelled,
    WorkflowError,
    WorkflowFailed,
)
from colony_jupyter.errors.refused import (
    AccessDenied,
    ChannelFull,
    ChannelNotFound,
    GatewayRefused,
    MessageTooLarge,
    ProcessNotFound,
    RateLimited,
    RequestTooLarge,
    ServerRefused,
    WorkflowNotFound,
    sizes,
)

__all__ = [
    "AccessDenied",
    "ChannelClosed",
    "ChannelError",
    "ChannelFull",
    "ChannelNotFound",
    "ColonyError",
    "EmbeddedError",
    "ExecutorError",
    "GatewayRefused",
    "GroupFailed",
    "InvalidKey",
    "InvalidSpec",
    "LogIncomplete",
    "MessageTooLarge",
    "ProcessCancelled",
    "ProcessError",
    "ProcessFailed",
    "ProcessNotFound",
    "ProcessRemoved",
    "ProtocolError",
    "RateLimited",
    "RemoteCellFailed",
    "RequestTooLarge",
    "ServerRefused",
    "ServerUnreachable",
    "SettingsError",
    "StreamBroken",
    "StreamError",
    "UsageError",
    "WaitTimeout",
    "WebSocketRefused",
    "WorkflowCancelled",
    "WorkflowError",
    "WorkflowFailed",
    "WorkflowNotFound",
    "sizes",
]
