"""The blocking classes have the public names of the asynchronous ones."""

from __future__ import annotations

import inspect

import pytest

from colony_jupyter.client import blocking
from colony_jupyter.client.channel import AsyncChannel
from colony_jupyter.client.colony import AsyncColony
from colony_jupyter.client.groups.group import AsyncProcessGroup
from colony_jupyter.client.process import AsyncProcess
from colony_jupyter.client.workflows.run import AsyncWorkflowRun


@pytest.mark.parametrize(
    ("face", "behind", "others"),
    [
        (blocking.Colony, AsyncColony, {"aclose", "close"}),
        (blocking.Process, AsyncProcess, set()),
        (blocking.Channel, AsyncChannel, set()),
        (
            blocking.ProcessGroup,
            AsyncProcessGroup,
            {"asked", "describe", "next_completed", "report", "submit", "tracker", "unsure"},
        ),
        (blocking.WorkflowRun, AsyncWorkflowRun, {"poll_interval", "poll", "following", "unanswered"}),
    ],
)
def test_every_public_name_is_on_both_faces(face, behind, others):
    inner = {
        "request_reply", "call_as_owner", "call_as_server_owner", "endpoint", "explain_waiting", "shared", "handle",
        "is_owner", "get_record", "key", "list_processes", "workflow_failure",
        "plan",
        "reader_ended", "reader_started", "readers", "watch", "writer", "writers",
        "open_subscription", "scope", "type_offering", "colony", "acknowledge",
    }  # fmt: skip
    names = {name for name, _ in inspect.getmembers(behind) if not name.startswith("_")}
    missing = names - inner - others - {name for name, _ in inspect.getmembers(face)}
    assert not missing
