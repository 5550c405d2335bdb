"""Every end of a function reaches the server, whatever its texts and values contain."""

from __future__ import annotations

import asyncio
import random

import pytest
from awkward import ERRORS, OUTPUTS, TEXTS, offer_awkward

import colony_jupyter as cj
from colony_jupyter import AsyncColony
from colony_jupyter.errors import ServerRefused
from colony_jupyter.executor.closing import Outcome, close_process
from colony_jupyter.wire.identity import PrivateKey
from colony_jupyter.wire.models import ProcessState


@pytest.fixture
def executor(make_executor):
    executor = make_executor()
    offer_awkward(executor)
    executor.start()
    return executor


@pytest.mark.parametrize("kind", ["plain", "async"])
@pytest.mark.parametrize("name", ERRORS)
def test_every_error_reaches_the_server_with_its_type(executor, submit, kind, name):
    process = submit(f"raise-{kind}", name)
    with pytest.raises(cj.ProcessFailed) as raised:
        process.result(timeout=10)
    _, expected = ERRORS[name]
    assert raised.value.errors[0].startswith(expected)
    assert any("awkward.py, line " in each for each in raised.value.errors[1:])
    assert all(len(each) < 25_000 for each in raised.value.errors)


@pytest.mark.parametrize("name", OUTPUTS)
def test_every_output_with_characters_that_cannot_be_stored_arrives(executor, submit, name):
    _, expected = OUTPUTS[name]
    assert submit("return", name).result(timeout=10) == expected


@pytest.mark.parametrize("where", ["log", "progress", "write", "send", "error"])
@pytest.mark.parametrize("index", range(len(TEXTS)))
def test_a_function_may_report_any_text(executor, submit, colony, where, index):
    process = submit(where, index, channels=["progress"])
    assert process.result(timeout=10) == "fine"
    if where == "log":
        assert [line.message for line in colony.logs(process)] == [list(TEXTS.values())[index]]


class Refusing:
    """A colony that refuses calls to close until one passes a check."""

    def __init__(self, colony, accepts) -> None:
        self._colony = colony
        self._accepts = accepts
        self.calls = []

    def __getattr__(self, name) -> object:
        return getattr(self._colony, name)

    async def close(self, process, output):
        await self._call((process, list(output)), self._colony.close, process, output)

    async def fail(self, process, errors):
        await self._call((process, list(errors)), self._colony.fail, process, errors)

    async def _call(self, call, function, *args):
        self.calls.append(call[1])
        if not self._accepts(call[1]):
            raise ServerRefused(500, "pq: invalid byte sequence")
        await function(*args)


@pytest.fixture
async def assigned(settings):
    """Give a running process as its executor holds it."""
    key = PrivateKey.generate(random.randbytes)
    async with AsyncColony(settings) as user, AsyncColony(settings, prvkey=key) as executor:
        name = f"closing-{key.id[:12]}-x"
        await user.add_executor(name, key.id, name)
        await user.approve_executor(name)
        await user.submit("work", executortype=name)
        yield await executor.assign(5)


@pytest.mark.parametrize(
    ("outcome", "accepts", "expected"),
    [
        (
            Outcome(output=("bad",)),
            lambda texts: "bad" not in texts,
            "The function ended, but the server refused its output: The server refused (500): pq: invalid byte",
        ),
        (Outcome(errors=("bad",)), lambda texts: "bad" not in texts, "The function ended, but the server refused its "),
        (Outcome(errors=("bad",)), lambda texts: "pq" not in texts[0] and texts != ["bad"], "The function ended, but"),
    ],
)
async def test_a_refused_close_is_retried_with_a_plain_sentence(assigned, outcome, accepts, expected):
    colony = assigned.colony
    assigned.colony = refusing = Refusing(colony, accepts)
    async with asyncio.timeout(10):
        await close_process(assigned, outcome)
    record = await colony.look(assigned.processid)
    assert record.state is ProcessState.FAILED
    assert record.errors[0].startswith(expected)
    assert len(refusing.calls) in (4, 7)


async def test_a_transient_refusal_does_not_fail_the_process(assigned):
    colony = assigned.colony
    refusals = iter([False, True])
    assigned.colony = Refusing(colony, lambda _: next(refusals))
    async with asyncio.timeout(10):
        await close_process(assigned, Outcome(output=("fine",)))
    record = await colony.look(assigned.processid)
    assert (record.state, record.output) == (ProcessState.SUCCESS, ["fine"])


async def test_a_process_that_ended_otherwise_is_left_alone(assigned):
    colony = assigned.colony
    await colony.fail(assigned, ["first"])
    async with asyncio.timeout(5):
        await close_process(assigned, Outcome(output=("late",)))
    assert (await colony.look(assigned.processid)).errors == ["first"]
