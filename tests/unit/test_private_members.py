"""Members of libraries that are not public and that this package uses. Where one has changed, the failure names it.

Those of uvicorn, of which there are many, are in server/process/test_client_limits.py, and pyproject.toml caps uvicorn.
"""

from __future__ import annotations

import ast
import inspect
import platform
import threading
from importlib.metadata import version
from pathlib import Path

import aiohttp
import nest_asyncio
import pytest
from aiohttp.http_writer import StreamWriter
from ipykernel.comm.comm import BaseComm
from packaging.version import Version
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.connection import Connection
from websockets.client import ClientProtocol
from websockets.uri import parse_uri

PACKAGE = Path(__file__).parents[2] / "colony_jupyter"

MEMBERS = [
    pytest.param(
        BaseComm,
        "_reply_subshell_for",
        ["self", "data", "default"],
        "ipykernel",
        "notebook/views/pane.py replaces it, so that a typed text reaches a kernel that runs a cell. Adapt it, and run "
        "tests/browser/test_kernels.py.",
        id="ipykernel",
        marks=pytest.mark.skipif(Version(version("ipykernel")) < Version("7.4"), reason="ipykernel has it from 7.4 on"),
    ),
    pytest.param(
        threading,
        "_register_atexit",
        ["func", "arg", "kwargs"],
        "Python",
        "executor/registry.py stops executors by it at the interpreter's end, before threads that look up addresses "
        "end. Adapt it, and run tests/unit/executor/test_registry.py and tests/processes/.",
        id="threading",
    ),
    pytest.param(
        aiohttp.BaseConnector,
        "__del__",
        ["self", "_warnings"],
        "aiohttp",
        "client/transport/http_pool.py extends it, so that nothing is written at the interpreter's end. Adapt it, and "
        "run tests/unit/client/transport/test_http_pool.py.",
        id="aiohttp connector",
    ),
    pytest.param(
        aiohttp.Payload,
        "write_with_length",
        ["self", "writer", "content_length"],
        "aiohttp",
        "client/transport/http_pool.py extends it, to know whether anything was sent over a closed connection. "
        "Adapt it, and run tests/unit/client/transport/test_http_pool.py.",
        id="aiohttp payload",
    ),
    pytest.param(
        ClientConnection,
        "process_event",
        ["self", "event"],
        "websockets",
        "client/transport/receiving.py extends it, to pass messages on in the step in which they are read. Adapt it, "
        "and run tests/unit/client/transport/test_receiving.py.",
        id="websockets connection",
    ),
]

# Public in spite of their names: Python's own, and IPython's protocol for exceptions and displayed objects.
PUBLIC = {"_exit", "_make", "_fields", "_field_defaults", "_replace"}
PUBLIC |= {"_render_traceback_", "_repr_html_", "_repr_mimebundle_"}


MARK = "_nest_patched"
"""Attribute of asyncio after nest_asyncio was applied."""


@pytest.mark.parametrize(("owner", "name", "parameters", "library", "advice"), MEMBERS)
def test_a_member_has_the_parameters_that_are_used(owner, name, parameters, library, advice):
    present = platform.python_version() if library == "Python" else version(library)
    member = getattr(owner, name, None)
    found = None if member is None else list(inspect.signature(member).parameters)
    assert found == parameters, f"{library} {present} changed {owner.__name__}.{name}: {advice}"


def test_a_writer_of_aiohttp_gives_its_connection():
    assert isinstance(inspect.getattr_static(StreamWriter, "transport"), property), (
        f"aiohttp {version('aiohttp')} changed StreamWriter.transport, by which client/transport/http_pool.py sees "
        "that a connection was closed before anything was sent. Adapt it, and run "
        "tests/unit/client/transport/test_http_pool.py."
    )


def test_a_connection_of_websockets_processes_each_event_as_it_reads():
    advice = (
        f"websockets {version('websockets')} changed how a connection passes on what it reads, by which "
        "client/transport/receiving.py receives messages. Adapt it, and run "
        "tests/unit/client/transport/test_receiving.py and test_websocket.py."
    )
    assert "self.process_event(event)" in inspect.getsource(Connection.data_received), advice
    assert "self.response = " in inspect.getsource(ClientConnection.process_event), advice
    assert "handshake_exc" in vars(ClientProtocol(parse_uri("ws://x/"))), advice


def test_nest_asyncio_leaves_its_mark():
    assert f"asyncio.{MARK} = True" in inspect.getsource(nest_asyncio), (
        f"nest-asyncio {version('nest-asyncio')} marks asyncio in another way, which doctor/installed.py has to read: "
        "it warns where a kernel is patched."
    )


def _is_private(name: object) -> bool:
    return isinstance(name, str) and name.startswith("_") and not name.startswith("__") and name.isidentifier()


def used_and_defined(source: str) -> tuple[set[str], set[str]]:
    """Private names that a source text uses of objects, also by getattr, and those that it defines."""
    used: set[str] = set()
    defined: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and _is_private(node.attr):
            (used if isinstance(node.ctx, ast.Load) else defined).add(node.attr)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            defined.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            defined.add(node.id)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("getattr", "hasattr", "setattr"):
            used |= {
                str(each.value) for each in node.args if isinstance(each, ast.Constant) and _is_private(each.value)
            }
    return used, defined


def test_no_other_private_member_is_used():
    used, defined = set(), set()
    for path in PACKAGE.rglob("*.py"):
        names = used_and_defined(path.read_text("utf-8"))
        used |= names[0]
        defined |= names[1]
    listed = {str(param.values[1]) for param in MEMBERS} | {MARK}
    # What is replaced on an object of a library is no definition of ours.
    assert sorted(used - (defined - listed) - PUBLIC) == sorted(filter(_is_private, listed))


def test_the_search_finds_a_private_member():
    used, defined = used_and_defined("self._mine = 1\nx._theirs()\ngetattr(y, '_also')\ndef _own(): self._mine")
    assert used - defined == {"_theirs", "_also"}
