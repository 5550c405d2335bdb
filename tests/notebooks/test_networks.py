"""A notebook behind a gateway: one that refuses WebSockets, and one that answers in place of the server."""

from __future__ import annotations

import asyncio
import threading

import pytest
from gateway import Fault, Gateway
from notebook_kernel import Notebook

from colony_jupyter.testing import ColonyServer

EXECUTOR = """
import asyncio
import colony_jupyter as cj

executor = cj.Executor("behind-x")

@executor.function("steps")
async def steps(context, count=5):
    for step in range(1, count + 1):
        await context.channel("progress").send(f"Processing step {step}/{count}")
        await asyncio.sleep(0.1)
    return "Task completed!"

executor.start()
"""


class GatewayThread:
    """A gateway on a loop of its own, since a test drives the kernel without one."""

    def __init__(self, port: int) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="gateway")
        self.gateway = Gateway(port)

    def __enter__(self) -> Gateway:
        self._thread.start()
        self._run(self.gateway.__aenter__())
        return self.gateway

    def __exit__(self, *_: object) -> None:
        self._run(self.gateway.__aexit__())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(20)


@pytest.fixture
def gateway(tmp_path):
    with ColonyServer(tmp_path / "colony") as server, GatewayThread(server.port) as gateway:
        gateway.environ = {**server.environ(), "COLONIES_SERVER_PORT": str(gateway.port)}
        yield gateway


@pytest.fixture
def notebook(gateway):
    with Notebook(gateway.environ) as notebook:
        assert notebook.run("%load_ext colony_jupyter").status == "ok"
        made = notebook.run(EXECUTOR)
        assert made.status == "ok", made.error
        yield notebook


def test_a_pane_behind_a_gateway_that_refuses_websockets_shows_everything_and_the_reason(notebook, gateway):
    gateway.upgrade_refusal = Fault(403)
    try:
        cell = notebook.run("process = %colony submit steps 5 --channel progress --wait")
        assert cell.status == "ok", cell.error
        for step in range(1, 6):
            assert f"Processing step {step}/5" in cell.transcript
        assert notebook.run("print(process.result())").text.strip() == "Task completed!"
        found = str(notebook.run("%colony doctor").value)
        assert f"WebSocket refused by 127.0.0.1:{gateway.port} (403)" in found
    finally:
        gateway.upgrade_refusal = None


def test_a_pane_behind_a_gateway_that_answers_in_place_of_the_server_shows_everything(notebook, gateway):
    for call in ("getprocessmsg", "channelappendmsg", "closesuccessfulmsg", "getexecutorbyidmsg"):
        gateway.plan(call, [Fault(503), Fault(502), Fault(200)])
    cell = notebook.run("process = %colony submit steps 5 --channel progress --wait")
    assert cell.status == "ok", cell.error
    for step in range(1, 6):
        assert f"Processing step {step}/5" in cell.transcript
    assert gateway.planned == []
