"""The processes that carry a kernel, as their caller submits them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from colony_jupyter.errors import ColonyError, WaitTimeout
from colony_jupyter.kernels import carriers
from colony_jupyter.kernels.events import Target
from colony_jupyter.kernels.relay.layout import CHANNELS

TARGET = Target("hpc", ["one", "two"])


class Process:
    """A successor: runs, or does not."""

    def __init__(self, error=None) -> None:
        self.error = error
        self.is_cancelled = False
        self.processid = "ab" * 32
        self.record = SimpleNamespace(assignedexecutorid="e" * 64)

    async def running(self, seconds):
        assert 0 < seconds < 60
        if self.error is not None:
            raise self.error
        return self

    async def cancel(self):
        self.is_cancelled = True
        raise ColonyError("it has ended")


class Colony:
    """Records what is submitted."""

    def __init__(self, process=None) -> None:
        self.process = process or Process()
        self.submitted: list[dict[str, Any]] = []

    async def submit(self, funcname, **options):
        self.submitted.append({"funcname": funcname, **options})
        return self.process

    async def get_executor_by_id(self, executorid):
        return SimpleNamespace(executorname=f"executor {executorid[:1]}")


@pytest.mark.parametrize(
    ("target", "how", "kwargs", "names"),
    [
        (TARGET, {}, {}, ["one", "two"]),
        (TARGET, {"executornames": ["three"]}, {}, ["three"]),
        (TARGET, {"adopt": "a former one"}, {"adopt": "a former one"}, ["one", "two"]),
        (Target("hpc", is_shared=True), {}, {"shared": True}, ()),
    ],
)
async def test_it_runs_for_as_long_as_the_kernel_and_has_its_channels(target, how, kwargs, names):
    colony: Any = Colony()
    assert await carriers.submit(colony, target, **how) is colony.process
    assert colony.submitted == [
        {
            "funcname": "jupyter-kernel",
            "label": "jupyter-kernel",
            "kwargs": kwargs,
            "channels": CHANNELS,
            "executortype": "hpc",
            "executornames": names,
            "maxexectime": -1,
        }
    ]


async def test_a_successor_runs_on_the_same_executor():
    process: Any = Process()
    colony: Any = Colony(process)
    former: Any = Process()
    successor = await carriers.succeed(colony, TARGET, former)
    [submitted] = colony.submitted
    assert submitted["executornames"] == ["executor e"]
    assert submitted["kwargs"] == {"adopt": former.processid}
    assert not process.is_cancelled
    assert successor is process


async def test_a_successor_that_does_not_run_is_cancelled():
    colony: Any = Colony(Process(WaitTimeout("a process to run", 20.0)))
    former: Any = Process()
    with pytest.raises(WaitTimeout):
        await carriers.succeed(colony, TARGET, former)
    assert colony.process.is_cancelled
