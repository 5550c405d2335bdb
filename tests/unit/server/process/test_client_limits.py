"""The limits step by step, and the members of uvicorn's protocol classes that they build on, which are not public."""

from __future__ import annotations

import asyncio
import inspect

import pytest
import uvicorn
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

from colony_jupyter.server.process.client_limits import BoundedConfig, BoundedHttp, ClientLimits, Usage, _Unread

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

    config = uvicorn.Config(app, ws=WebSocketsSansIOProtocol, lifespan="off", log_config=None)
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


def test_a_client_that_does_not_read_is_waited_for_and_counts_anew_once_it_has_read():
    unread = _Unread()
    assert not unread.too_long(True, 100.0, 60.0)
    assert not unread.too_long(True, 160.0, 60.0)
    assert unread.too_long(True, 161.0, 60.0)
    assert not unread.too_long(False, 162.0, 60.0)
    assert not unread.too_long(True, 200.0, 60.0)


class Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""

    def write(self, data) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        """Nothing is open."""

    def pause_reading(self) -> None:
        """Nothing is read."""

    def resume_reading(self) -> None:
        """Likewise."""


def _connection():
    """Return a connection whose requests wait for an answer, and its transport."""

    async def app(scope, receive, send):
        while (await receive())["type"] != "http.disconnect":
            pass

    config = BoundedConfig(app, ws=WebSocketsSansIOProtocol, lifespan="off", log_config=None, interface="asgi3")
    config.limits, config.usage = ClientLimits(), Usage()
    config.load()
    connection, transport = BoundedHttp(config, ServerState(), {}, asyncio.get_running_loop()), Transport()
    connection.connection_made(transport)
    return connection, transport


HALF = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 90000\r\n\r\nbegin"


@pytest.mark.parametrize(("is_paused", "is_refused"), [(False, True), (True, False)])
async def test_a_sender_is_not_slow_while_the_server_does_not_read(is_paused, is_refused):
    connection, transport = _connection()
    connection.data_received(HALF)
    if is_paused:
        connection.flow.pause_reading()
    connection.check(10.0)
    connection.check(20.0)
    assert (b" 408 " in transport.written) is is_refused
    connection.connection_lost(None)
    await asyncio.sleep(0)


async def test_one_request_after_the_other_is_not_one_slow_request():
    connection, transport = _connection()
    head = b"GET / HTTP/1.1\r\nhost: x\r\nx: "
    connection.data_received(head)
    connection.check(10.0)
    connection.data_received(b"y\r\n\r\n")
    connection.cycle.response_complete = True
    connection.data_received(head)
    connection.check(20.0)
    assert transport.written == b""
    connection.connection_lost(None)
    await asyncio.sleep(0)
