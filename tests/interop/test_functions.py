"""Functions with their source: those of the official SDK on our executor, and ours on ColonyOS's Python executor."""

from __future__ import annotations

import asyncio
import base64

import pytest

import colony_jupyter as cj

FACTOR = 10


class PythonExecutor:
    """Does what ColonyOS's Python executor (colonyos/executors, python/python_executor.py) does, with the SDK alone."""

    def __init__(self, world, member) -> None:
        self.world = world
        self.member = member
        self.module = {"__name__": "__main__"}

    def run_one(self):
        process = self.world.assign(self.member, timeout=10)
        code = base64.b64decode(process.spec.env["code"]).decode("ascii")
        scope = {}  # of the method; the names of its module are others
        exec(code, self.module, scope)
        args = process.input or process.spec.args
        ctx = {
            "process": process,
            "colonyname": self.world.colonyname,
            "executorid": self.world.crypto.id(self.member.prvkey),
            "executor_prvkey": self.member.prvkey,
        }
        try:
            result = eval(process.spec.funcname, self.module, scope)(*tuple(args), ctx=ctx)
        except Exception:  # noqa: BLE001 - as it does
            self.world.sdk.fail(process.processid, ["Failed to execute function"], self.member.prvkey)
            return
        output = list(result) if type(result) is tuple else [] if result is None else [result]
        self.world.sdk.close(process.processid, output, self.member.prvkey)


def sum_nums(n1, n2, ctx={}):  # noqa: B006 - as in ColonyOS's example
    return n1 + n2


def pair(n1, ctx={}):  # noqa: B006
    return n1, ctx["process"].spec.funcname, "executor_prvkey" in ctx


def helper(value):
    return value * FACTOR


def train(rate: float, epochs=1):
    import math

    return helper(math.floor(rate)) * epochs


def factorial(n):
    return 1 if n < 2 else n * factorial(n - 1)


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "result"),
    [
        (sum_nums, (1, 2), {}, 3),
        (train, (1,), {"epochs": 3}, 30),  # the SDK's own model of a process accepts no float among the arguments
        (train, (2,), {}, 20),
        (factorial, (5,), {}, 120),
    ],
)
async def test_our_functions_run_on_their_executor(world, user, executor, function, args, kwargs, result):
    theirs = PythonExecutor(world, executor)
    running = asyncio.create_task(asyncio.to_thread(theirs.run_one))
    async with cj.AsyncColony(world.settings(user)) as colony:
        process = await colony.submit(function, *args, kwargs=kwargs, executortype=executor.executortype)
        assert await process.result(timeout=20) == result
    await running


@pytest.fixture
async def ours(world, user):
    """Return an executor of ours that runs functions of one user of the colony."""
    executor = cj.Executor(f"{world.colonyname}-ours", settings=world.settings(user))
    executor.functions_from_callers()
    serving = asyncio.create_task(executor.serve())
    yield executor
    executor.stop()
    await serving


@pytest.mark.parametrize(("function", "args", "output"), [(sum_nums, [1, 2], [3]), (pair, [7], [7, "pair", False])])
async def test_their_functions_run_on_our_executor(world, user, ours, function, args, output):
    sdk = world.sdk

    def run():
        import pycolonies

        spec = pycolonies.func_spec(function, args, world.colonyname, ours.executortype, maxexectime=30, maxretries=1)
        process = sdk.submit_func_spec(spec, user.prvkey)
        return sdk.wait(process, 20, user.prvkey)

    finished = await asyncio.to_thread(run)
    assert (finished.state, finished.output) == (sdk.SUCCESSFUL, output)


async def test_another_member_is_refused_also_by_the_official_sdk(world, ours):
    sdk, other = world.sdk, world.user()

    def submit():
        import pycolonies

        spec = pycolonies.func_spec(sum_nums, [1, 2], world.colonyname, ours.executortype)
        return sdk.submit_func_spec(spec, other.prvkey).processid

    processid = await asyncio.to_thread(submit)
    async with cj.AsyncColony(world.settings(other)) as colony:
        await (await colony.get_process(processid)).closed(timeout=20)
    finished = await asyncio.to_thread(sdk.get_process, processid, other.prvkey)
    assert finished.state == sdk.FAILED
    assert f"does not run functions that '{other.name}' sends" in finished.errors[0]
