"""A member's connection: its keys, what it calls with which, what it shares of a process. No server runs."""

from __future__ import annotations

import asyncio
import gc

import msgspec
import pytest

from colony_jupyter import settings
from colony_jupyter.client.colony import AsyncColony
from colony_jupyter.client.transport.adapter import ExchangeFailed, Response
from colony_jupyter.errors import SettingsError, UsageError
from colony_jupyter.wire import messages
from colony_jupyter.wire.envelope import Envelope, seal_refusal, seal_reply
from colony_jupyter.wire.identity import PrivateKey, recover
from colony_jupyter.wire.models import FunctionSpec, ProcessRecord, ProcessState, Workflow

USER, OWNER, SERVER, OTHER = (PrivateKey(digit * 64) for digit in "1234")
PLACE = {
    "COLONIES_SERVER_HOST": "colony.example",
    "COLONIES_SERVER_PORT": "80",
    "COLONIES_TLS": "false",
    "COLONIES_COLONY_NAME": "c",
    "COLONIES_PRVKEY": USER.reveal(),
}
OWNERS = {"COLONIES_COLONY_PRVKEY": OWNER.reveal(), "COLONIES_SERVER_PRVKEY": SERVER.reveal()}
PID = "a" * 64


class Server:
    """Answers calls by their message types; a type without an answer is refused."""

    def __init__(self) -> None:
        self.answers: dict[str, object] = {}
        self.calls: list[tuple[str, str]] = []
        """Message type and signer of each call."""
        self.lost = 0
        """Number of next calls whose answer does not arrive."""

    async def post(self, server, body, *, seconds) -> Response:
        envelope = msgspec.json.decode(body, type=Envelope)
        self.calls.append((envelope.payloadtype, recover(envelope.payload, envelope.signature)))
        if self.lost:
            self.lost -= 1
            raise ExchangeFailed("connection reset")
        answer = self.answers.get(envelope.payloadtype)
        if callable(answer):
            answer = answer(envelope)
        if answer is None:
            return Response(400, {}, seal_refusal(400, "refused"))
        return Response(200, {}, seal_reply(envelope.payloadtype, msgspec.to_builtins(answer)))

    async def aclose(self) -> None:
        self.is_closed = True


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def connect(server):
    """Return a client of the server."""

    def connect(variables=None, **options):
        there = settings.resolve({**PLACE, **(variables or {})})
        return AsyncColony(there, transport=server, **options)

    return connect


def record(number=1, state=ProcessState.RUNNING, **fields):
    spec = FunctionSpec(funcname="f", nodename=f"node-{number}")
    return ProcessRecord(processid=f"{number}" * 64, state=state, spec=spec, **fields)


async def test_each_call_is_signed_by_the_key_that_it_needs(server, connect):
    server.answers = {"getexecutorsmsg": [], "approveexecutormsg": {}, "getcoloniesmsg": []}
    async with connect(OWNERS) as colony:
        await colony.executors()
        await colony.approve_executor("e")
        await colony.colonies()
        assert colony.is_owner
        assert colony.userid == USER.id
    assert server.calls == [
        ("getexecutorsmsg", USER.id),
        ("approveexecutormsg", OWNER.id),
        ("getcoloniesmsg", SERVER.id),
    ]


async def test_another_key_replaces_the_users_only(server, connect):
    server.answers = {"getexecutorsmsg": [], "approveexecutormsg": {}}
    async with connect(OWNERS, prvkey=OTHER) as colony:
        await colony.executors()
        await colony.approve_executor("e")
    assert [signer for _, signer in server.calls] == [OTHER.id, OWNER.id]


async def test_the_key_is_known_without_a_call(connect):
    assert connect().userid == USER.id
    assert connect(prvkey=OTHER).key is OTHER


async def test_without_an_owners_key_the_variable_is_named_and_nothing_is_sent(server, connect):
    async with connect() as colony:
        assert not colony.is_owner
        with pytest.raises(SettingsError, match="COLONIES_COLONY_PRVKEY is not set: only the colony's owner"):
            await colony.add_user("u", OTHER.id)
        with pytest.raises(SettingsError, match="COLONIES_SERVER_PRVKEY is not set: only the server's owner"):
            await colony.server_statistics()
    assert server.calls == []


def test_a_key_given_as_text_is_refused_and_not_shown(connect):
    with pytest.raises(UsageError, match="prvkey takes a PrivateKey") as caught:
        connect(prvkey=OTHER.reveal())
    assert OTHER.reveal() not in str(caught.value)


def test_its_repr_names_the_place_and_no_key(connect):
    shown = repr(connect(OWNERS))
    assert "colony.example" in shown
    assert not any(key.reveal() in shown for key in (USER, OWNER, SERVER))


async def test_handles_to_one_process_share_what_is_known_as_long_as_one_exists(server, connect):
    server.answers = {"getprocessmsg": record()}
    async with connect() as colony:
        first = await colony.get_process("1" * 64)
        second = colony.handle("1" * 64)
        assert second.record is first.record
        del first, second
        gc.collect()
        assert colony.handle("1" * 64).shared.watch.record is None


@pytest.mark.parametrize(("verb", "call"), [("close", "closesuccessfulmsg"), ("fail", "closefailedmsg")])
async def test_an_end_whose_answer_was_lost_is_repeated_and_counts_once(server, connect, verb, call):
    """The second call is refused since the first was carried out; the process shows that."""
    state = ProcessState.SUCCESS if verb == "close" else ProcessState.FAILED
    server.answers = {"getprocessmsg": record(state=state)}
    server.lost = 1
    async with connect() as colony:
        await getattr(colony, verb)("1" * 64, ["text"])
    assert [name for name, _ in server.calls] == [call, call, "getprocessmsg"]


async def test_an_end_that_is_refused_at_once_is_raised(server, connect):
    async with connect() as colony:
        with pytest.raises(Exception, match="refused"):
            await colony.close("1" * 64)
    assert [name for name, _ in server.calls] == ["closesuccessfulmsg"]


async def test_an_open_subscription_needs_an_open_client(connect):
    colony = connect()
    await colony.aclose()
    with pytest.raises(UsageError, match="closed"):
        colony.open_subscription(messages.SubscribeProcess(processid=PID, executortype="", state=2, timeout=1), object)


async def test_closing_it_wakes_what_waits_for_a_process(server, connect):
    server.answers = {"getprocessmsg": record()}
    colony = connect()
    process = await colony.get_process("1" * 64)
    waiting = asyncio.create_task(process.shared.watch.change())
    await asyncio.sleep(0)
    await colony.aclose()
    await asyncio.wait_for(waiting, 5)


class TestWhatAProcessWaitsFor:
    async def test_the_executors_of_its_type_are_listed(self, server, connect):
        server.answers = {"getexecutorsmsg": []}
        waiting = record(state=ProcessState.WAITING)
        waiting.spec.conditions.executortype = "gpu"
        async with connect() as colony:
            assert "type 'gpu': none is registered" in await colony.explain_waiting(waiting)

    async def test_without_that_list_the_type_is_named(self, server, connect):
        waiting = record(state=ProcessState.WAITING)
        waiting.spec.conditions.executortype = "gpu"
        async with connect() as colony:
            sentence = await colony.explain_waiting(waiting)
        assert "'gpu'" in sentence
        assert "none is registered" not in sentence

    async def test_one_that_waits_for_parents_needs_no_list(self, server, connect):
        async with connect() as colony:
            assert await colony.explain_waiting(record(state=ProcessState.WAITING, waitforparents=True))
        assert server.calls == []


class TestWhyAWorkflowFailed:
    along = record(2, ProcessState.FAILED, processgraphid="f" * 64, errors=[])

    async def test_the_member_that_failed_by_itself_is_named(self, server, connect):
        members = [self.along, record(1, ProcessState.FAILED, processgraphid="f" * 64, errors=["no luck"])]
        server.answers = {
            "getprocessgraphmsg": Workflow(processgraphid="f" * 64, processids=[each.processid for each in members]),
            "getprocessmsg": lambda _: members.pop(0),
        }
        async with connect() as colony:
            assert await colony.workflow_failure(self.along) == "node 'node-1' (f) failed: no luck"

    async def test_it_is_unknown_where_no_member_has_a_reason(self, server, connect):
        server.answers = {
            "getprocessgraphmsg": Workflow(processgraphid="f" * 64, processids=["2" * 64]),
            "getprocessmsg": self.along,
        }
        async with connect() as colony:
            assert await colony.workflow_failure(self.along) == ""

    async def test_it_is_unknown_where_the_workflow_cannot_be_read(self, connect):
        async with connect() as colony:
            assert await colony.workflow_failure(self.along) == ""

    async def test_one_that_failed_by_itself_needs_no_call(self, server, connect):
        async with connect() as colony:
            assert await colony.workflow_failure(record(state=ProcessState.FAILED, errors=["no luck"])) == ""
        assert server.calls == []
