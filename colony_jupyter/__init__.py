"""ColonyOS in Jupyter: submit functions and watch them in a cell, run executors, and use kernels on other machines.

The names below are imported when they are first used, so that importing the package, as ``%load_ext`` does, is fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from colony_jupyter.version import __version__ as __version__

if TYPE_CHECKING:
    from colony_jupyter.client.blocking import Channel as Channel
    from colony_jupyter.client.blocking import Colony as Colony
    from colony_jupyter.client.blocking import LogStream as LogStream
    from colony_jupyter.client.blocking import Process as Process
    from colony_jupyter.client.blocking import ProcessGroup as ProcessGroup
    from colony_jupyter.client.blocking import Stream as Stream
    from colony_jupyter.client.blocking import WorkflowRun as WorkflowRun
    from colony_jupyter.client.blocking import interrupted_group as interrupted_group
    from colony_jupyter.client.channel import AsyncChannel as AsyncChannel
    from colony_jupyter.client.colony import AsyncColony as AsyncColony
    from colony_jupyter.client.groups.group import AsyncProcessGroup as AsyncProcessGroup
    from colony_jupyter.client.process import AsyncProcess as AsyncProcess
    from colony_jupyter.client.remote import Remote as Remote
    from colony_jupyter.client.remote import remote as remote
    from colony_jupyter.client.streams.log_stream import AsyncLogStream as AsyncLogStream
    from colony_jupyter.client.streams.stream import AsyncStream as AsyncStream
    from colony_jupyter.client.workflows.run import AsyncWorkflowRun as AsyncWorkflowRun
    from colony_jupyter.client.workflows.workflow import Workflow as Workflow
    from colony_jupyter.errors import AccessDenied as AccessDenied
    from colony_jupyter.errors import ChannelClosed as ChannelClosed
    from colony_jupyter.errors import ChannelError as ChannelError
    from colony_jupyter.errors import ChannelFull as ChannelFull
    from colony_jupyter.errors import ChannelNotFound as ChannelNotFound
    from colony_jupyter.errors import ColonyError as ColonyError
    from colony_jupyter.errors import EmbeddedError as EmbeddedError
    from colony_jupyter.errors import ExecutorError as ExecutorError
    from colony_jupyter.errors import GatewayRefused as GatewayRefused
    from colony_jupyter.errors import GroupFailed as GroupFailed
    from colony_jupyter.errors import InvalidKey as InvalidKey
    from colony_jupyter.errors import InvalidSpec as InvalidSpec
    from colony_jupyter.errors import LogIncomplete as LogIncomplete
    from colony_jupyter.errors import MessageTooLarge as MessageTooLarge
    from colony_jupyter.errors import ProcessCancelled as ProcessCancelled
    from colony_jupyter.errors import ProcessError as ProcessError
    from colony_jupyter.errors import ProcessFailed as ProcessFailed
    from colony_jupyter.errors import ProcessNotFound as ProcessNotFound
    from colony_jupyter.errors import ProcessRemoved as ProcessRemoved
    from colony_jupyter.errors import ProtocolError as ProtocolError
    from colony_jupyter.errors import RateLimited as RateLimited
    from colony_jupyter.errors import RemoteCellFailed as RemoteCellFailed
    from colony_jupyter.errors import RequestTooLarge as RequestTooLarge
    from colony_jupyter.errors import ServerRefused as ServerRefused
    from colony_jupyter.errors import ServerUnreachable as ServerUnreachable
    from colony_jupyter.errors import SettingsError as SettingsError
    from colony_jupyter.errors import StreamBroken as StreamBroken
    from colony_jupyter.errors import StreamError as StreamError
    from colony_jupyter.errors import UsageError as UsageError
    from colony_jupyter.errors import WaitTimeout as WaitTimeout
    from colony_jupyter.errors import WebSocketRefused as WebSocketRefused
    from colony_jupyter.errors import WorkflowCancelled as WorkflowCancelled
    from colony_jupyter.errors import WorkflowError as WorkflowError
    from colony_jupyter.errors import WorkflowFailed as WorkflowFailed
    from colony_jupyter.errors import WorkflowNotFound as WorkflowNotFound
    from colony_jupyter.executor.context import Context as Context
    from colony_jupyter.executor.context import ThreadContext as ThreadContext
    from colony_jupyter.executor.executor import Executor as Executor
    from colony_jupyter.notebook.extension import allow_nested_asyncio as allow_nested_asyncio
    from colony_jupyter.notebook.extension import load_ipython_extension as load_ipython_extension
    from colony_jupyter.notebook.extension import unload_ipython_extension as unload_ipython_extension
    from colony_jupyter.settings import Settings as Settings
    from colony_jupyter.values.datatable import DataTable as DataTable
    from colony_jupyter.values.mime import MimeBundle as MimeBundle
    from colony_jupyter.wire.identity import PrivateKey as PrivateKey
    from colony_jupyter.wire.models import Conditions as Conditions
    from colony_jupyter.wire.models import Entry as Entry
    from colony_jupyter.wire.models import FunctionSpec as FunctionSpec
    from colony_jupyter.wire.models import Gpu as Gpu
    from colony_jupyter.wire.models import Log as Log
    from colony_jupyter.wire.models import ProcessState as ProcessState
    from colony_jupyter.wire.models import WorkflowSpec as WorkflowSpec

_HOMES = {
    "client.blocking": (
        "Channel",
        "Colony",
        "LogStream",
        "Process",
        "ProcessGroup",
        "Stream",
        "WorkflowRun",
        "interrupted_group",
    ),
    "client.channel": ("AsyncChannel",),
    "client.colony": ("AsyncColony",),
    "client.groups.group": ("AsyncProcessGroup",),
    "client.process": ("AsyncProcess",),
    "client.remote": ("Remote", "remote"),
    "client.streams.log_stream": ("AsyncLogStream",),
    "client.streams.stream": ("AsyncStream",),
    "client.workflows.run": ("AsyncWorkflowRun",),
    "client.workflows.workflow": ("Workflow",),
    "errors": (
        "AccessDenied",
        "ChannelClosed",
        "ChannelError",
        "ChannelFull",
        "ChannelNotFound",
        "ColonyError",
        "EmbeddedError",
        "ExecutorError",
        "InvalidKey",
        "InvalidSpec",
        "GatewayRefused",
        "LogIncomplete",
        "GroupFailed",
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
    ),
    "executor.context": ("Context", "ThreadContext"),
    "executor.executor": ("Executor",),
    "notebook.extension": ("allow_nested_asyncio", "load_ipython_extension", "unload_ipython_extension"),
    "settings": ("Settings",),
    "values.datatable": ("DataTable",),
    "values.mime": ("MimeBundle",),
    "wire.identity": ("PrivateKey",),
    "wire.models": ("Conditions", "Entry", "FunctionSpec", "Gpu", "Log", "ProcessState", "WorkflowSpec"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME)  # noqa: PLE0605 - a list, made of the table above


if not TYPE_CHECKING:  # with this function a type checker would accept any name

    def __getattr__(name: str) -> object:
        home = _HOME.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
