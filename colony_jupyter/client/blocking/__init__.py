"""The blocking faces, derived from the asynchronous classes: the same names, run on the shared loop thread."""

from __future__ import annotations

from colony_jupyter.client.blocking.channel import Channel as Channel
from colony_jupyter.client.blocking.colony import Colony as Colony
from colony_jupyter.client.blocking.group import ProcessGroup as ProcessGroup
from colony_jupyter.client.blocking.group import interrupted_group as interrupted_group
from colony_jupyter.client.blocking.process import Process as Process
from colony_jupyter.client.blocking.streams import LogStream as LogStream
from colony_jupyter.client.blocking.streams import Stream as Stream
from colony_jupyter.client.blocking.workflow_run import WorkflowRun as WorkflowRun
