"""The official SDK, unchanged, as submitter and as executor."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pycolonies
import pytest
from pycolonies import ColoniesConnectionError, Workflow


@pytest.fixture
def beside():
    """Something that runs beside the test; its result, or what went wrong in it, is asked for in the end."""
    with ThreadPoolExecutor(4) as pool:
        yield pool.submit


class TestMembers:
    def test_users(self, world, user):
        names = [found["name"] for found in world.sdk.get_users(world.colonyname, user.prvkey)]
        assert user.name in names
        world.sdk.remove_user(world.colonyname, user.name, world.colony_prvkey)
        with pytest.raises(ColoniesConnectionError, match="not a member"):
            world.sdk.get_users(world.colonyname, user.prvkey)

    def test_an_executor_from_pending_to_rejected(self, world, user):
        executor = world.pending()

        def state():
            return world.sdk.get_executor(world.colonyname, executor.name, user.prvkey)["state"]

        assert state() == 0
        with pytest.raises(ColoniesConnectionError, match="not a member"):
            world.assign(executor, timeout=-1)
        world.sdk.approve_executor(world.colonyname, executor.name, world.colony_prvkey)
        assert state() == 1
        with pytest.raises(ColoniesConnectionError, match="No process available for assignment"):
            world.assign(executor, timeout=-1)
        world.sdk.reject_executor(world.colonyname, executor.name, world.colony_prvkey)
        assert state() == 2
        world.sdk.remove_executor(world.colonyname, executor.name, world.colony_prvkey)
        listed = {found["executorname"]: found for found in world.sdk.list_executors(world.colonyname, user.prvkey)}
        assert listed[executor.name]["state"] == 3
        assert listed[executor.name]["executorid"] == world.crypto.id(executor.prvkey)

    def test_functions(self, world, user, executor):
        added = world.sdk.add_function(world.colonyname, executor.name, "work", executor.prvkey)
        (found,) = world.sdk.get_functions_by_executor(world.colonyname, executor.name, user.prvkey)
        assert (found["functionid"], found["funcname"]) == (added["functionid"], "work")
        of_all = world.sdk.get_functions_by_colony(world.colonyname, user.prvkey)
        assert added["functionid"] in [function["functionid"] for function in of_all]

    def test_colonies(self, world, user):
        assert world.sdk.get_colony(world.colonyname, user.prvkey)["name"] == world.colonyname
        names = [colony["name"] for colony in world.sdk.list_colonies(world.server_prvkey)]
        assert world.colonyname in names


class TestProcesses:
    def test_from_submission_to_result(self, world, user, executor):
        submitted = world.submit(user, executor, "work", ("one", 2))
        assert (submitted.state, submitted.initiatorname) == (0, user.name)
        assigned = world.assign(executor)
        assert (assigned.processid, assigned.spec.args, assigned.state) == (submitted.processid, ["one", 2], 1)
        world.sdk.set_output(assigned.processid, ["partial"], executor.prvkey)
        assert world.sdk.get_process(assigned.processid, user.prvkey).output == ["partial"]
        world.sdk.close(assigned.processid, ["done", 3], executor.prvkey)
        closed = world.sdk.get_process(assigned.processid, user.prvkey)
        assert (closed.state, closed.output) == (world.sdk.SUCCESSFUL, ["done", 3])
        assert closed.starttime >= closed.submissiontime
        assert closed.endtime >= closed.starttime

    def test_a_python_function_travels_with_its_source(self, world, user, executor):
        def total(a, b):
            return a + b

        spec = pycolonies.func_spec(total, [1, 2], world.colonyname, executor.executortype)
        world.sdk.submit_func_spec(spec, user.prvkey)
        assigned = world.assign(executor)
        assert assigned.spec.funcname == "total"
        assert assigned.spec.env["args_spec"] == "a,b"
        assert assigned.spec.env["code"] == spec.env["code"]

    def test_keyword_arguments_priority_and_target(self, world, user):
        one = world.executor()
        other = world.executor(one.executortype)
        low = world.submit(user, one, "low", priority=0, executorname=other.name)
        high = world.submit(user, one, "high", priority=5, executorname=other.name, kwargs={"key": "value"})
        with pytest.raises(ColoniesConnectionError, match="No process available"):
            world.assign(one, timeout=-1)
        first = world.assign(other)
        assert (first.processid, first.spec.kwargs) == (high.processid, {"key": "value"})
        assert world.assign(other).processid == low.processid

    def test_failing(self, world, user, executor):
        world.submit(user, executor)
        assigned = world.assign(executor)
        world.sdk.fail(assigned.processid, ["it broke"], executor.prvkey)
        failed = world.sdk.get_process(assigned.processid, user.prvkey)
        assert (failed.state, failed.errors) == (world.sdk.FAILED, ["it broke"])

    def test_waiting_for_work_that_comes_later(self, world, user, executor, beside):
        waiting = beside(world.assign, executor, 10)
        submitted = world.submit(user, executor)
        assert waiting.result(10).processid == submitted.processid

    def test_waiting_for_the_result(self, world, user, executor, beside):
        submitted = world.submit(user, executor)
        world.assign(executor)
        waiting = beside(world.sdk.wait, submitted, 20, user.prvkey)
        world.sdk.close(submitted.processid, ["done"], executor.prvkey)
        finished = waiting.result(15)
        assert (finished.state, finished.output) == (world.sdk.SUCCESSFUL, ["done"])

    def test_lists_and_counts(self, world, user, executor):
        submitted = world.submit(user, executor)
        before = world.sdk.stats(world.colonyname, user.prvkey)["waitingprocesses"]
        listed = world.sdk.list_processes(world.colonyname, 100, world.sdk.WAITING, user.prvkey)
        assert submitted.processid in [found["processid"] for found in listed]
        world.sdk.remove_process(submitted.processid, user.prvkey)
        assert world.sdk.stats(world.colonyname, user.prvkey)["waitingprocesses"] == before - 1
        with pytest.raises(ColoniesConnectionError, match="process not found"):
            world.sdk.get_process(submitted.processid, user.prvkey)

    def test_attributes(self, world, user, executor):
        submitted = world.submit(user, executor)
        world.assign(executor)
        added = world.sdk.add_attribute(submitted.processid, "key", "value", executor.prvkey)
        assert world.sdk.get_attribute(added["attributeid"], user.prvkey)["value"] == "value"
        (found,) = world.sdk.get_process(submitted.processid, user.prvkey).attributes
        assert (found.key, found.value) == ("key", "value")

    def test_logs(self, world, user, executor):
        submitted = world.submit(user, executor)
        world.assign(executor)
        for line in ("first", "second"):
            world.sdk.add_log(submitted.processid, line, executor.prvkey)
        logs = world.sdk.get_process_log(world.colonyname, submitted.processid, 100, 0, user.prvkey)
        assert [log["message"] for log in logs] == ["first", "second"]
        later = world.sdk.get_process_log(world.colonyname, submitted.processid, 100, logs[0]["timestamp"], user.prvkey)
        assert [log["message"] for log in later] == ["second"]
        of_executor = world.sdk.get_executor_log(world.colonyname, executor.name, 100, 0, user.prvkey)
        assert [log["message"] for log in of_executor] == ["first", "second"]


class TestChannels:
    @pytest.fixture
    def running(self, world, user, executor):
        submitted = world.submit(user, executor, "talk", channels=["chat", "progress"])
        world.assign(executor)
        return submitted.processid

    def test_both_sides_write_and_read(self, world, user, executor, running):
        world.sdk.channel_append(running, "chat", 1, "hello", user.prvkey)
        (question,) = world.sdk.channel_read(running, "chat", 0, 0, executor.prvkey)
        assert question["payload"] == b"hello"
        world.sdk.channel_append(running, "chat", 2, "grüezi", executor.prvkey, in_reply_to=question["sequence"])
        world.sdk.channel_append(running, "chat", 4, b"", executor.prvkey, payload_type="end")
        question, reply, end = world.sdk.channel_read(running, "chat", 0, 0, user.prvkey)
        assert (reply["payload"].decode(), reply["inreplyto"]) == ("grüezi", 1)
        assert (reply["senderid"], question["senderid"]) == (
            world.crypto.id(executor.prvkey),
            world.crypto.id(user.prvkey),
        )
        assert (end["type"], question["type"]) == ("end", "data")
        assert world.sdk.channel_read(running, "progress", 0, 0, user.prvkey) == []

    def test_bytes_are_bytes(self, world, user, running):
        everything = bytes(range(256))
        world.sdk.channel_append(running, "chat", 1, everything, user.prvkey)
        assert world.sdk.channel_read(running, "chat", 0, 0, user.prvkey)[0]["payload"] == everything

    def test_history_by_place_in_the_log(self, world, user, running):
        for sequence in (1, 3, 5):
            world.sdk.channel_append(running, "chat", sequence, str(sequence), user.prvkey)
        read = world.sdk.channel_read(running, "chat", 1, 1, user.prvkey)
        assert [entry["payload"] for entry in read] == [b"3"]

    def test_a_stream_arrives_entry_by_entry(self, world, user, executor, running, beside):
        came, arrived = [], threading.Event()

        def callback(entries):
            came.extend(entries)
            arrived.set()
            return not any(entry["type"] == "end" for entry in entries)

        watching = beside(
            world.sdk.subscribe_channel, running, "progress", user.prvkey, after_seq=0, timeout=20, callback=callback
        )
        world.sdk.channel_append(running, "progress", 2, "step 1/10", executor.prvkey)
        assert arrived.wait(10)
        for step in range(2, 11):
            world.sdk.channel_append(running, "progress", 2 * step, f"step {step}/10", executor.prvkey)
        world.sdk.channel_append(running, "progress", 22, "", executor.prvkey, payload_type="end")
        watching.result(15)
        texts = [entry["payload"].decode() for entry in came if entry["type"] == "data"]
        assert texts == [f"step {step}/10" for step in range(1, 11)]

    def test_without_a_callback_the_entries_come_at_the_timeout(self, world, user, running):
        world.sdk.channel_append(running, "chat", 1, "hello", user.prvkey)
        entries = world.sdk.subscribe_channel(running, "chat", user.prvkey, timeout=1)
        assert [entry["payload"] for entry in entries] == [b"hello"]

    def test_a_channel_that_is_not_there(self, world, user, running):
        with pytest.raises(ColoniesConnectionError, match="Channel not found"):
            world.sdk.channel_append(running, "chta", 1, "hello", user.prvkey)
        with pytest.raises(pycolonies.ColoniesError, match="Channel not found"):
            world.sdk.subscribe_channel(running, "chta", user.prvkey, timeout=1)

    def test_a_member_that_is_no_party(self, world, running):
        other = world.user()
        with pytest.raises(ColoniesConnectionError, match="Not authorized to read from channel"):
            world.sdk.channel_read(running, "chat", 0, 0, other.prvkey)

    def test_they_end_with_the_process(self, world, user, executor, running):
        world.sdk.channel_append(running, "chat", 1, "hello", user.prvkey)
        world.sdk.close(running, ["bye"], executor.prvkey)
        with pytest.raises(ColoniesConnectionError, match="Channel not found"):
            world.sdk.channel_read(running, "chat", 0, 0, user.prvkey)


class TestWorkflows:
    def submit(self, world, user, executor, dependencies):
        workflow = Workflow(colonyname=world.colonyname)
        for name, parents in dependencies.items():
            spec = world.spec(executor, name)
            spec.conditions.dependencies = parents
            workflow.functionspecs.append(spec)
        return world.sdk.submit_workflow(workflow, user.prvkey)

    def test_a_diamond(self, world, user, executor):
        graph = self.submit(world, user, executor, {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]})
        ran = []
        for _ in range(4):
            process = world.assign(executor)
            ran.append((process.spec.nodename, sorted(process.input or [])))
            world.sdk.close(process.processid, [f"from {process.spec.nodename}"], executor.prvkey)
        assert ran[0] == ("a", [])
        assert sorted(ran[1:3]) == [("b", ["from a"]), ("c", ["from a"])]
        assert ran[3] == ("d", ["from b", "from c"])
        finished = world.sdk.get_processgraph(graph.processgraphid, user.prvkey)
        assert finished.state == world.sdk.SUCCESSFUL
        assert {node.data["label"] for node in finished.nodes} == {"a", "b", "c", "d"}
        assert len(finished.edges) == 4
        last = world.sdk.find_process("d", finished.processids, user.prvkey)
        assert last.output == ["from d"]

    def test_a_failure_fails_the_rest_too(self, world, user, executor):
        graph = self.submit(world, user, executor, {"a": [], "b": ["a"]})
        world.sdk.fail(world.assign(executor).processid, ["broke"], executor.prvkey)
        failed = world.sdk.get_processgraph(graph.processgraphid, user.prvkey)
        assert failed.state == world.sdk.FAILED
        assert world.sdk.find_process("b", failed.processids, user.prvkey).state == world.sdk.FAILED

    def test_a_child_added_on_the_way(self, world, user, executor):
        graph = self.submit(world, user, executor, {"a": []})
        parent = world.assign(executor)
        world.sdk.add_child(
            graph.processgraphid,
            parent.processid,
            "",
            world.spec(executor),
            "late",
            insert=False,
            prvkey=executor.prvkey,
        )
        world.sdk.close(parent.processid, ["from a"], executor.prvkey)
        child = world.assign(executor)
        assert (child.spec.nodename, child.input) == ("late", ["from a"])
        world.sdk.close(child.processid, [], executor.prvkey)
        assert world.sdk.get_processgraph(graph.processgraphid, user.prvkey).state == world.sdk.SUCCESSFUL

    def test_list_and_remove(self, world, user, executor):
        graph = self.submit(world, user, executor, {"a": [], "b": ["a"]})
        listed = world.sdk.get_processgraphs(world.colonyname, 100, user.prvkey, state=world.sdk.WAITING)
        assert graph.processgraphid in [found["processgraphid"] for found in listed]
        world.sdk.remove_processgraph(graph.processgraphid, user.prvkey)
        with pytest.raises(ColoniesConnectionError, match="graph is nil"):
            world.sdk.get_processgraph(graph.processgraphid, user.prvkey)


def test_a_wrong_key_is_a_stranger(world):
    with pytest.raises(ColoniesConnectionError, match="Access denied, not a member of Colony"):
        world.sdk.get_colony(world.colonyname, world.crypto.prvkey())
