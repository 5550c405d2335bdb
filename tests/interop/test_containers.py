"""Containers and process logs with the official SDK on the other side, on the embedded colony and on a real server.

The executor is `container_executor`, which uses pycolonies only and reports as ColonyOS's executor for Docker does.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import container_executor
import pytest

from colony_jupyter.client.colony import AsyncColony
from colony_jupyter.errors import ProcessFailed
from colony_jupyter.notebook.actions.process_feed import follow
from colony_jupyter.notebook.actions.submit import container_spec, spec_of_json
from colony_jupyter.notebook.model.changes import Fault
from colony_jupyter.notebook.model.pane_model import PaneModel
from colony_jupyter.wire.identity import PrivateKey
from colony_jupyter.wire.models import Conditions, Gpu, ProcessState

ECHO = """{
    "conditions": {
        "executortype": "%s",
        "executornames": ["%s"],
        "nodes": 1,
        "processespernode": 1,
        "mem": "10Gi",
        "cpu": "1000m",
        "gpu": {"count": 0},
        "walltime": 60
    },
    "funcname": "execute",
    "kwargs": {"cmd": "echo hello world", "docker-image": "ubuntu:20.04"},
    "maxexectime": 55,
    "maxretries": 3
}"""
"""The first container of ColonyOS's own tutorials (1-getting-started/echo.json), with names put in."""


@pytest.fixture(scope="module")
def container(world):
    """Start the executor; returns its type and name."""
    executortype = f"{world.colonyname}-container"
    environment = {**os.environ, **world.environ()}
    command = [sys.executable, container_executor.__file__, executortype, "dev-docker"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as executor:
        assert executor.stdout.readline() == "serving\n"
        yield executortype, "dev-docker"
        executor.terminate()


@pytest.fixture
async def colony(world):
    member = world.user()
    async with AsyncColony(world.settings(member)) as made:
        yield made


class Shown:
    """Shows a process in the model of a pane."""

    on_close = None

    def __init__(self) -> None:
        self.model = PaneModel("execute", "log", lambda: 0.0)
        self.faults = []

    def feed(self, change):
        self.model.feed(change)
        if isinstance(change, Fault):
            self.faults.append(change.text)

    def finish(self):
        pass


async def rows_of(process):
    """Follow a process to its end as a pane does; return the rows that the pane shows."""
    follower = await follow(process)
    view = Shown()
    follower.turn_to(view)
    async with asyncio.timeout(20):
        await follower.wait()
    assert view.faults == []
    return [row.text for row in view.model.store]


async def test_the_container_of_colonyos_tutorials(colony, container):
    process = await colony.submit(spec_of_json(ECHO % container))
    pulled = ["Pulling from ubuntu:20.04", "Status: Image is up to date for ubuntu:20.04"]
    assert await rows_of(process) == [*pulled, "hello world", ""]
    assert process.state is ProcessState.SUCCESS
    lines = [line.message async for line in process.log()]
    assert lines == [*(f"{text}\n" for text in pulled), "hello world\n", "\n"]


SCRIPT = r"""
# quotes, dollars and lines stay as they are
name='the "world"'
for step in 1 2 3; do
  echo "step $step of $name"
done
printf '10 %%\r55 %%\r100 %%\n'
echo $GREETING {processid-is-not-replaced}
"""


async def test_a_script_in_a_container(colony, container):
    spec = container_spec("ubuntu:24.04", SCRIPT, rebuild=False, chosen=None, given={})
    spec.env = {"GREETING": "hi"}
    process = await colony.submit(spec, executortype=container[0])
    rows = await rows_of(process)
    assert rows[2:5] == [f'step {step} of the "world"' for step in (1, 2, 3)]
    assert rows[5] == "100 %"
    assert rows[6] == "hi {processid-is-not-replaced}"
    assert process.state is ProcessState.SUCCESS, process.errors


async def test_a_script_that_fails(colony, container):
    spec = container_spec("ubuntu:24.04", "echo first\nexit 3\n", rebuild=False, chosen=None, given={})
    process = await colony.submit(spec, executortype=container[0])
    assert (await rows_of(process))[2] == "first"
    with pytest.raises(ProcessFailed, match="exit code = 3"):
        await process.result()


async def test_conditions_of_a_container(colony, container):
    chosen = Conditions(mem="2Gi", gpu=Gpu(count=1), walltime=120)
    spec = container_spec("ubuntu:24.04", "true", rebuild=False, chosen=chosen, given={})
    process = await colony.submit(spec, executortype=container[0])
    await process.result(timeout=20)
    got = process.spec.conditions
    assert (got.mem, got.gpu.count, got.walltime, process.spec.maxexectime) == ("2048Mi", 1, 120, 120)
    assert (got.nodes, got.processespernode, got.cpu) == (1, 1, "1000m")


async def test_what_no_container_executor_offers(colony, container):
    waiting = await colony.submit("other", executortype=container[0], conditions=Conditions(gpu=Gpu(count=2)))
    record = waiting.record
    sentence = f"Waiting: no executor of type '{container[0]}' offers 2 GPUs; dev-docker has 1."
    assert await colony.explain_waiting(record) == sentence


async def test_the_sdk_reads_a_log_of_ours(world, colony):
    member = world.executor()
    executor = AsyncColony(colony.settings, prvkey=PrivateKey(member.prvkey))
    async with executor:
        process = await colony.submit("f", executortype=member.executortype)
        assigned = await executor.assign(5)
        for number in range(3):
            await executor.add_log(assigned, f"line {number}")
        await executor.close(assigned)
    logs = await asyncio.to_thread(
        world.sdk.get_process_log, world.colonyname, process.processid, 100, 0, str(member.prvkey)
    )
    assert [line["message"] for line in logs] == ["line 0", "line 1", "line 2"]
