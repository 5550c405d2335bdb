"""One method for each call, on the embedded colony."""

from __future__ import annotations

import random

import pytest

from colony_jupyter import AsyncColony, FunctionSpec
from colony_jupyter.errors import AccessDenied, InvalidSpec, ServerRefused, UsageError, WorkflowNotFound
from colony_jupyter.wire.identity import PrivateKey
from colony_jupyter.wire.models import Conditions, ExecutorState, FunctionArgument, ProcessState


def new_id():
    return PrivateKey.generate(random.randbytes).id


@pytest.fixture
async def colony(place):
    async with AsyncColony(place) as colony:
        yield colony


class TestColoniesAndUsers:
    async def test_a_colony_is_added_listed_and_removed(self, colony):
        colonyid = new_id()
        added = await colony.add_colony("another", colonyid)
        assert (added.name, added.colonyid) == ("another", colonyid)
        assert {each.name for each in await colony.colonies()} >= {"another", colony.colonyname}
        await colony.remove_colony("another")
        assert "another" not in {each.name for each in await colony.colonies()}

    async def test_a_name_that_would_ruin_lists_is_refused_before_anything_is_sent(self, colony):
        with pytest.raises(InvalidSpec, match=":"):
            await colony.add_colony("an:other", new_id())
        with pytest.raises(InvalidSpec, match=":"):
            await colony.add_executor("an:executor", new_id(), "t")

    async def test_the_colony_itself_and_its_counts(self, colony):
        assert (await colony.colony()).name == colony.colonyname
        before = (await colony.statistics()).waitingprocesses
        process = await colony.submit("f", executortype="absent")
        assert (await colony.statistics()).waitingprocesses == before + 1
        assert (await colony.server_statistics()).waitingprocesses >= before + 1
        await process.cancel()

    async def test_a_user_is_added_found_and_removed(self, colony):
        userid = new_id()
        added = await colony.add_user("alice", userid, email="alice@example.org", phone="1")
        assert (added.name, added.userid, added.email, added.phone) == ("alice", userid, "alice@example.org", "1")
        assert "alice" in {each.name for each in await colony.users()}
        assert (await colony.get_user("alice")).userid == userid
        assert (await colony.get_user_by_id(userid)).name == "alice"
        await colony.remove_user("alice")
        assert "alice" not in {each.name for each in await colony.users()}


class TestExecutorsAndFunctions:
    async def test_an_executor_is_pending_approved_rejected_and_removed(self, colony):
        executorid = new_id()
        added = await colony.add_executor("unit-rpc", executorid, "type-rpc", locationname="here")
        assert (added.state, added.locationname) == (ExecutorState.PENDING, "here")
        await colony.approve_executor("unit-rpc")
        assert (await colony.get_executor("unit-rpc")).state is ExecutorState.APPROVED
        await colony.reject_executor("unit-rpc")
        assert (await colony.get_executor_by_id(executorid)).state is ExecutorState.REJECTED
        await colony.remove_executor("unit-rpc")
        shown = {each.executorname: each.state for each in await colony.executors()}
        assert shown.get("unit-rpc") not in (ExecutorState.APPROVED, ExecutorState.PENDING)

    async def test_a_function_is_listed_with_its_arguments_and_removed(self, running):
        async with running() as (mine, theirs):
            name = mine.spec.conditions.executortype
            argument = FunctionArgument(name="rate", type="float", required=True)
            added = await theirs.colony.add_function(name, "train", description="Train.", args=[argument])
            (listed,) = await mine.colony.functions(name)
            assert (listed.funcname, listed.description) == ("train", "Train.")
            assert [(each.name, each.type, each.required) for each in listed.args] == [("rate", "float", True)]
            await theirs.colony.remove_function(added.functionid)
            assert list(await mine.colony.functions(name)) == []

    async def test_the_type_that_offers_a_function_is_found_if_it_is_one(self, running):
        async with running() as (mine, theirs), running() as (_, others):
            name, other = theirs.spec.conditions.executortype, others.spec.conditions.executortype
            funcname = f"-shared-{name}"  # the first of those that are named: the colony has others, of other tests
            await theirs.colony.add_function(name, funcname)
            assert await mine.colony.type_offering(funcname) == name
            await others.colony.add_function(other, funcname)
            with pytest.raises(UsageError, match=f"Executors of several types offer '{funcname}': .*Choose one"):
                await mine.colony.type_offering(funcname)
            offered = ", ".join(sorted((name, other)))
            with pytest.raises(UsageError, match=rf"Did you mean '{funcname}'\? Offered: .*{funcname} \({offered}\)"):
                await mine.colony.type_offering(f"{funcname}s")


class TestProcesses:
    async def test_lists_are_filtered_by_type_and_label_together(self, colony):
        """A server heeds only one of the two filters (docs/protocol.md, trap 28)."""
        wanted = await colony.submit("f", executortype="list-a", label="x")
        others = [
            await colony.submit("f", executortype="list-a", label="y"),
            await colony.submit("f", executortype="list-b", label="x"),
        ]
        found = await colony.list_processes(ProcessState.WAITING, executortype="list-a", label="x")
        assert [each.processid for each in found] == [wanted.processid]
        for each in (wanted, *others):
            await each.cancel()

    @pytest.mark.parametrize("count", [-1, 0, 1])
    async def test_a_list_has_at_least_one_process(self, colony, count):
        process = await colony.submit("f", executortype="list-c")
        found = await colony.list_processes(ProcessState.WAITING, executortype="list-c", count=count)
        assert len(found) == 1
        await process.cancel()

    async def test_what_was_submitted_lately_is_listed(self, colony):
        process = await colony.submit("f", executortype="lately")
        found = await colony.process_history(60, ProcessState.WAITING)
        assert process.processid in {each.processid for each in found}
        await process.cancel()

    async def test_a_process_that_waits_is_removed_and_all_are(self, colony):
        process = await colony.submit("f", executortype="removed")
        await colony.remove_process(process)
        assert await colony.list_processes(ProcessState.WAITING, executortype="removed") == []
        await colony.submit("f", executortype="removed")
        await colony.remove_all_processes(ProcessState.WAITING)
        assert await colony.list_processes(ProcessState.WAITING) == []

    async def test_assignments_are_paused_and_resumed(self, colony):
        assert not await colony.is_paused()
        await colony.pause_assignments()
        assert await colony.is_paused()
        await colony.resume_assignments()
        assert not await colony.is_paused()

    async def test_an_output_is_set_while_the_process_runs(self, running):
        async with running() as (mine, theirs):
            await theirs.colony.set_output(theirs, ["so far"])
            assert (await mine.refresh()).output == ["so far"]


class TestLogs:
    async def test_lines_of_a_process_and_of_an_executor(self, running):
        async with running() as (mine, theirs):
            name = theirs.spec.conditions.executortype
            for number in range(3):
                await theirs.colony.add_log(theirs, f"line {number} of {name}")
            await theirs.colony.add_executor_log(name, f"about {name}")
            assert [each.message for each in await mine.colony.logs(mine, count=2)] == [
                f"line {number} of {name}" for number in range(2)
            ]
            latest = await mine.colony.logs(mine, count=1, latest=True)
            assert [each.message for each in latest] == [f"line 2 of {name}"]
            assert f"about {name}" in [each.message for each in await mine.colony.logs(executorname=name)]
            found = await mine.colony.search_logs(f"of {name}")
            for days in (0, 31):
                with pytest.raises(UsageError, match=f"days is {days}: a server searches from 1 to 30 days"):
                    await mine.colony.search_logs("x", days=days)
            assert {each.message for each in found} == {f"line {number} of {name}" for number in range(3)}


class TestWorkflows:
    def spec(self, name, *dependencies):
        conditions = Conditions(executortype="absent-rpc", dependencies=list(dependencies))
        return FunctionSpec(nodename=name, funcname="f", conditions=conditions)

    async def test_one_is_listed_cancelled_and_removed(self, colony):
        workflow = await colony.submit_workflow([self.spec("a"), self.spec("b", "a")])
        graph = workflow.processgraphid
        assert graph in {each.processgraphid for each in await colony.workflows(ProcessState.WAITING)}
        await colony.cancel_workflow(graph)
        assert graph in {each.processgraphid for each in await colony.workflows(ProcessState.CANCELLED)}
        await colony.remove_workflow(graph)
        with pytest.raises(WorkflowNotFound):
            await colony.get_workflow(graph)

    async def test_all_are_removed(self, colony):
        await colony.submit_workflow([self.spec("a")])
        await colony.remove_all_workflows()
        for state in ProcessState:
            assert await colony.workflows(state) == []

    async def test_what_depends_on_nothing_known_is_not_sent(self, colony):
        with pytest.raises(InvalidSpec, match="none"):
            await colony.submit_workflow([self.spec("a", "none")])


class TestServer:
    async def test_its_version_and_backends(self, colony):
        assert isinstance((await colony.version()).buildversion, str)
        assert (await colony.server_info()).backends

    async def test_a_refusal_is_raised(self, place):
        async with AsyncColony(place, prvkey=PrivateKey.generate(random.randbytes)) as stranger:
            with pytest.raises(AccessDenied):
                await stranger.users()

    async def test_a_call_without_a_method_can_be_made_too(self, colony):
        from colony_jupyter.wire.messages import GetAttribute
        from colony_jupyter.wire.models import Attribute

        with pytest.raises(ServerRefused):
            await colony.call(GetAttribute(attributeid="0" * 64), Attribute)
