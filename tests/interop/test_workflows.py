"""Workflows between our client and the official SDK, in both directions."""

from __future__ import annotations

import asyncio

import pycolonies
from model import ProcessGraph, Workflow

import colony_jupyter as cj


def run_members(world, executor, count):
    """Do the members' work with the SDK alone: each returns its arguments and what arrived from its parents."""
    for _ in range(count):
        process = world.assign(executor, timeout=10)
        world.sdk.close(process.processid, [*process.spec.args, *(process.input or [])], executor.prvkey)


async def test_an_sdk_executor_runs_our_workflow(world, user, executor):
    async with cj.AsyncColony(world.settings(user)) as colony:
        workflow = cj.Workflow()
        gens = [workflow.add("gen", at, nodename=f"gen-{at}", executortype=executor.executortype) for at in range(3)]
        workflow.add("sum", 10, executortype=executor.executortype, after=gens)
        run = await colony.submit(workflow)
        running = asyncio.create_task(asyncio.to_thread(run_members, world, executor, 4))
        assert await run.result(30) == {"sum": [10, 0, 1, 2]}
        await running
        graph: ProcessGraph = world.sdk.get_processgraph(run.processgraphid, user.prvkey)
        assert graph.state == run.state == cj.ProcessState.SUCCESS
        assert sorted(graph.processids) == sorted(member.processid for member in run.members)
        assert {node.data["label"] for node in graph.nodes} == set(run.nodes)


async def test_our_executor_runs_a_workflow_of_the_sdk(world, user):
    settings = world.settings(user)
    executor = cj.Executor(f"{world.colonyname}-flows-x", settings=settings)

    @executor.function("gen")
    def gen(context, value):
        return value + len(context.input)

    @executor.function("sum")
    def total(context, offset):
        return sum(context.input) + offset

    await asyncio.to_thread(executor.start)
    try:
        sdk_workflow = Workflow(colonyname=world.colonyname)
        for name, args, needs in (("sum", [100], ["a", "b"]), ("a", [1], []), ("b", [2], [])):
            spec = pycolonies.func_spec(
                "sum" if needs else "gen", args, world.colonyname, executor.executortype, maxexectime=30
            )
            spec.nodename = name
            spec.conditions.dependencies = needs
            sdk_workflow.functionspecs.append(spec)
        graph = world.sdk.submit_workflow(sdk_workflow, user.prvkey)
        async with cj.AsyncColony(settings) as colony:
            run = await colony.get_run(graph.processgraphid)
            assert await run.result(30) == {"sum": 103}
            assert sorted(run.nodes[:2]) == ["a", "b"]
            assert sorted(run["sum"].input) == [1, 2]
        process = world.sdk.get_process(run["sum"].processid, user.prvkey)
        assert process.output == [103]
    finally:
        await asyncio.to_thread(executor.stop)
