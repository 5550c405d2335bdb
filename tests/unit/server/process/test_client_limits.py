"""The members of uvicorn's protocol classes that the limits build on: they are not part of its public interface."""

from __future__ import annotations

import asyncio
import inspect

import pytest
import uvicorn
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

ADVICE = (
    "uvicorn {version} changed {owner}.{name}, which colony_jupyter.server.process (client_limits, http_server, "
    "unresponsive_websocket) builds on. Adapt these modules, run tests/unit/server/process/test_http_server.py and "
    "tests/chaos/test_server_attack.py, and only then raise the cap of uvicorn in pyproject.toml."
)

METHODS = {
    HttpToolsProtocol: {
        "connection_made": ["self", "transport"],
        "connection_lost": ["self", "exc"],
        "data_received": ["self", "data"],
        "on_message_begin": ["self"],
        "on_headers_complete": ["self"],
        "on_body": ["self", "body"],
        "on_message_complete": ["self"],
        "on_response_complete": ["self"],
        "handle_websocket_upgrade": ["self"],
        "shutdown": ["self"],
    },
    WebSocketsSansIOProtocol: {
        "run_asgi": ["self"],
        "connection_lost": ["self", "exc"],
        "send": ["self", "message"],
        "receive": ["self"],
        "handle_cont": ["self", "event"],
        "handle_ping": ["self"],
        "handle_parser_exception": ["self"],
        "shutdown": ["self"],
    },
    FlowControl: {"resume_reading": ["self"]},
}
HTTP = ("app", "connections", "cycle", "flow", "headers", "loop", "timeout_keep_alive_task", "transport")
WEBSOCKET = ("app", "close_sent", "conn", "loop", "queue", "read_paused", "transport", "writable")
CYCLE = ("disconnected", "message_event", "response_complete", "response_started")
FLOW = ("read_paused", "write_paused")
STATE = ("connections", "tasks")


def _advice(owner: type, name: str) -> str:
    return ADVICE.format(version=uvicorn.__version__, owner=owner.__name__, name=name)


@pytest.mark.parametrize(
    ("owner", "name", "parameters"),
    [(owner, name, parameters) for owner, methods in METHODS.items() for name, parameters in methods.items()],
)
def test_a_method_has_the_parameters_that_are_passed(owner, name, parameters):
    method = getattr(owner, name, None)
    found = None if method is None else list(inspect.signature(method).parameters)
    assert found == parameters, _advice(owner, name)


def _config():
    async def app(scope, receive, send):
        """Never called."""

    config = uvicorn.Config(app, lifespan="off", log_config=None)
    config.load()
    return config


@pytest.mark.parametrize(
    ("owner", "names"), [(HttpToolsProtocol, HTTP), (WebSocketsSansIOProtocol, WEBSOCKET), (ServerState, STATE)]
)
async def test_an_object_has_the_attributes_that_are_used(owner, names):
    state = ServerState()
    made = state if owner is ServerState else owner(_config(), state, {}, asyncio.get_running_loop())
    declared = {*dir(made), *inspect.get_annotations(owner)}
    for name in names:
        assert name in declared or f"self.{name} = " in inspect.getsource(owner), _advice(owner, name)


@pytest.mark.parametrize(("owner", "names"), [(RequestResponseCycle, CYCLE), (FlowControl, FLOW)])
def test_a_part_of_a_connection_has_the_attributes_that_are_used(owner, names):
    source = inspect.getsource(owner.__init__)
    for name in names:
        assert f"self.{name} = " in source or f"self.{name}: " in source, _advice(owner, name)


def test_the_cap_in_the_requirements_includes_the_version_that_is_tested():
    major, minor = map(int, uvicorn.__version__.split(".")[:2])
    assert (0, 35) <= (major, minor) < (0, 55), "raise the cap in pyproject.toml together with this test"
