"""What is made in a kernel without settings goes where people connected to."""

from __future__ import annotations

import pytest
from notebook_kernel import Notebook

from colony_jupyter import Colony
from colony_jupyter.settings import resolve

WHERE = """
import asyncio
import colony_jupyter as cj
def where():
    with cj.Colony() as colony:
        colony.executors()
        return colony.settings.port, colony.userid
async def where_async():
    async with cj.AsyncColony() as colony:
        await colony.executors()
        return colony.settings.port, colony.userid
"""
EXECUTOR = """
executor = cj.Executor("chosen-place")
@executor.function("who")
def who(context):
    return "here"
executor.start()
"""


@pytest.fixture
def other(colony_server):
    """Return the server that is connected to, its user, and the line that connects there."""
    with Colony(resolve(colony_server.environ())) as user:
        address = f"{colony_server.host}:{colony_server.port}"
        yield colony_server, user, f"%colony connect {address} --colony {colony_server.colonyname} --ask"


@pytest.fixture
def kernel(tmp_path):
    with Notebook({"XDG_DATA_HOME": str(tmp_path)}) as notebook:
        assert notebook.run("%load_ext colony_jupyter").status == "ok"
        assert notebook.run(WHERE).status == "ok"
        yield notebook


def connect(kernel, line, *keys):
    cell = kernel.start(line)
    for key in keys:
        kernel.answer(key)
    kernel.finish(cell)
    assert cell.status == "ok", cell.error


def test_everything_without_settings_follows(kernel, other):
    server, user, line = other
    embedded = kernel.evaluate("where()")
    assert embedded[0] == 0
    connect(kernel, line, server.prvkey.reveal(), server.colony_prvkey.reveal())
    there = (server.port, user.userid)
    assert kernel.evaluate("where()") == there
    kernel.run("found = await where_async()")
    assert kernel.evaluate("found") == there
    started = kernel.run(EXECUTOR)
    assert (started.status, started.text) == ("ok", ""), started.error  # the key that was typed adds it
    assert user.submit("who", executortype="chosen-place").result(10) == "here"
    assert "keys: typed" in kernel.run("%colony doctor").value["text/plain"]
    assert "embedded" in kernel.run("%colony connect").text
    assert kernel.evaluate("where()") == embedded
    assert user.submit("who", executortype="chosen-place").result(10) == "here"  # what runs goes on where it is
    kernel.run("executor.stop()")


def test_a_connection_that_failed_changes_nothing(kernel):
    before = kernel.evaluate("where()")
    assert kernel.run("%colony connect localhost:1 --colony dev").status == "error"
    assert kernel.evaluate("where()") == before


def test_unloading_forgets_it(kernel, other):
    server, _, line = other
    connect(kernel, line, server.prvkey.reveal(), "")
    assert kernel.evaluate("where()")[0] == server.port
    kernel.run("%unload_ext colony_jupyter")
    assert kernel.evaluate("where()")[0] == 0


def test_without_the_colonys_key_the_owner_is_asked_and_waited_for(kernel, other):
    server, user, line = other
    connect(kernel, line, server.prvkey.reveal(), "")
    cell = kernel.start(EXECUTOR)
    kernel.until(lambda: "Waiting for that." in cell.text)
    words = cell.text.split()
    name, ident = (words[words.index(what) + 1].strip(",.") for what in ("name", "id"))
    assert server.prvkey.reveal()[:12] not in cell.text
    user.add_executor(name, ident, "chosen-place")
    user.approve_executor(name)
    kernel.finish(cell)
    assert cell.text.count("Waiting for that.") == 1
    assert user.submit("who", executortype="chosen-place").result(10) == "here"
    kernel.run("executor.stop()")
