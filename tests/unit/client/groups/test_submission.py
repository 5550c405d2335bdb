"""Submitting a group on a simulated server: the pace, lost answers, refusals.

`tests/properties/test_groups.py` plays faults at random.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest
import virtual_time
from simulated_processes import ProcessServer

from colony_jupyter.client.groups.submission import Submission
from colony_jupyter.client.groups.tracker import Member, Tracker
from colony_jupyter.errors import AccessDenied, RateLimited, ServerUnreachable
from colony_jupyter.wire import messages
from colony_jupyter.wire.models import SYNC, FunctionSpec


class Server(ProcessServer):
    """Fails the submissions that are planned to fail, and counts those that are under way together."""

    def __init__(self) -> None:
        super().__init__(random.Random(0))
        self.planned: list[tuple[type, str | Exception]] = []
        """What becomes of the next calls of a class: "lost" for an answer that does not arrive, or an error."""
        self.under_way = self.most = 0
        self.times: list[float] = []

    async def call(self, message, shape):
        fault = None
        if self.planned and isinstance(message, self.planned[0][0]):
            _, fault = self.planned.pop(0)
        if isinstance(fault, Exception):
            raise fault
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        self.times.append(asyncio.get_running_loop().time())
        try:
            reply = await super().call(message, shape)
        finally:
            self.under_way -= 1
        if fault == "lost":
            raise ServerUnreachable("simulated:1", "connection reset", sent=True)
        return reply


def members(count, **options):
    specs = [FunctionSpec(funcname="f", args=[number], label="sweep", **options) for number in range(count)]
    return [Member(index, {"x": index}, spec) for index, spec in enumerate(specs)]


def submission(server, planned):
    return Submission(server, server.colonyname, Tracker(), planned)


def submitted(server):
    return Counter(record.spec.args[0] for record in server.processes.values())


SUBMIT, HISTORY = messages.SubmitFunctionSpec, messages.GetProcessHistory


def test_all_are_submitted_with_a_few_calls_at_once():
    async def scenario():
        server, planned = Server(), members(40)
        await submission(server, planned).run()
        assert submitted(server) == Counter(range(40))
        assert [each.record.spec.args[0] for each in planned] == list(range(40))
        assert 1 < server.most <= 8

    virtual_time.run(scenario())


@pytest.mark.parametrize("fault", ["lost", ServerUnreachable("simulated:1", "HTTP 502", sent=True, status=502)])
def test_one_whose_reply_was_lost_is_searched_for_before_it_is_submitted_again(fault):
    async def scenario():
        server, planned = Server(), members(5)
        server.planned = [(SUBMIT, fault)]
        await submission(server, planned).run()
        assert submitted(server) == Counter(range(5))
        assert any(isinstance(call, HISTORY) for call in server.calls)
        assert {each.record.processid for each in planned} == server.processes.keys()

    virtual_time.run(scenario())


def test_processes_of_equal_arguments_are_not_confused():
    async def scenario():
        server, planned = Server(), members(3)
        for each in planned:
            each.spec.args = [7]
        server.planned = [(SUBMIT, "lost"), (SUBMIT, "lost")]
        await submission(server, planned).run()
        assert submitted(server) == Counter({7: 3})
        assert len({each.record.processid for each in planned}) == 3

    virtual_time.run(scenario())


@pytest.mark.parametrize(
    "error", [ServerUnreachable("simulated:1", "connection reset", sent=True), RateLimited(429, "rate limit exceeded")]
)
def test_the_search_for_a_lost_one_is_repeated_until_it_is_answered(error):
    async def scenario():
        server, planned = Server(), members(2)
        server.planned = [(SUBMIT, "lost"), (HISTORY, error), (HISTORY, error)]
        await submission(server, planned).run()
        assert submitted(server) == Counter(range(2))

    virtual_time.run(scenario())


def test_what_a_gateway_asks_to_wait_is_waited_by_all():
    async def scenario():
        server, planned = Server(), members(20)
        server.planned = [(SUBMIT, ServerUnreachable("simulated:1", "HTTP 429", status=429, retry_after=7.0))]
        begun = asyncio.get_running_loop().time()
        await submission(server, planned).run()
        first, later = [at for at in server.times if at < begun + 1], [at for at in server.times if at > begun + 1]
        assert len(first) <= 8, "those that were under way already"
        assert min(later) >= begun + 7
        assert submitted(server) == Counter(range(20))

    virtual_time.run(scenario())


def test_after_a_minute_without_an_answer_it_gives_up():
    async def scenario():
        server = Server()
        server.is_down = True
        begun = asyncio.get_running_loop().time()
        with pytest.raises(ServerUnreachable):
            await submission(server, members(3)).run()
        assert 55 < asyncio.get_running_loop().time() - begun < 70

    virtual_time.run(scenario())


def test_it_gives_up_too_when_the_search_for_a_lost_one_is_not_answered():
    async def scenario():
        server = Server()
        server.planned = [(SUBMIT, "lost")]
        asyncio.get_running_loop().call_later(0.06, setattr, server, "is_down", True)  # it has the call by then
        with pytest.raises(ServerUnreachable):
            await submission(server, members(1)).run()
        assert len(server.processes) == 1

    virtual_time.run(scenario())


def test_a_refusal_ends_it_and_what_was_under_way_is_known():
    async def scenario():
        server, planned = Server(), members(30)
        submitting = submission(server, planned)
        server.planned = [*[(SUBMIT, "")] * 10, (SUBMIT, AccessDenied(403, "Access denied"))]
        with pytest.raises(AccessDenied):
            await submitting.run()
        known = {each.record.processid for each in planned if each.record is not None}
        assert known <= server.processes.keys()
        assert len(server.processes) - len(known) <= len(submitting.unsure)
        assert 2 < len(known) < 30

    virtual_time.run(scenario())


def test_an_interrupt_leaves_those_without_an_answer_as_unsure():
    async def scenario():
        server, planned = Server(), members(4)
        gate = asyncio.Event()

        async def slow(message, shape):
            server.calls.append(message)
            await gate.wait()

        server.call = slow  # type: ignore[method-assign]  # no answer comes
        submitting = submission(server, planned)
        task = asyncio.create_task(submitting.run())
        await asyncio.sleep(1.0)
        begun = asyncio.get_running_loop().time()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.get_running_loop().time() - begun < 0.5
        assert sorted(each.index for each in submitting.unsure) == [0, 1, 2, 3]

    virtual_time.run(scenario())


def test_the_channel_sync_is_acknowledged_since_a_group_reads_no_channels():
    async def scenario():
        server = Server()
        acknowledged = []

        def reply(message):
            if isinstance(message, messages.ChannelAppend):
                acknowledged.append((message.processid, message.name))
                raise AccessDenied(403, "closed already")  # by an executor that was quicker
            return ProcessServer._reply(server, message)

        server._reply = reply  # type: ignore[method-assign]  # it knows no channels
        await submission(server, members(2, channels=["out", SYNC])).run()
        assert sorted(acknowledged) == sorted((processid, SYNC) for processid in server.processes)

    virtual_time.run(scenario())
