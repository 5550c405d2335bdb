"""Executors, the doctor and a key's work on a real server, as they are on the embedded colony."""

from __future__ import annotations

import secrets
from typing import Literal

import pytest

import colony_jupyter as cj
from colony_jupyter.doctor import Mark, examine
from colony_jupyter.wire.models import ProcessState

pytestmark = pytest.mark.live


@pytest.fixture
def executor():
    """Return an executor of a type of its own, with a function and a conversation."""
    executor = cj.Executor(f"live-{secrets.token_hex(4)}-x")

    @executor.function("describe")
    async def describe(context, what: str, mode: Literal["short", "long"] = "short", *more: int):
        """Describe something.

        Args:
            what: the thing.
            mode: how long it is.
        """
        await context.log(f"describing {what}")
        async for _ in context.progress(range(3), channel="progress"):
            pass
        return {"what": what, "more": list(more)}

    @executor.chat("chat")
    def chat(context, message):
        yield "You said "
        yield message.text

    executor.start()
    yield executor
    executor.stop()
    with cj.Colony() as colony:
        colony.remove_executor(executor.name)


def test_what_the_colony_lists_of_functions_stays_as_it_was(executor):
    """After a restart, too: the server returns the registered functions, so none is registered again."""
    with cj.Colony() as colony:
        before = {each.funcname: each for each in colony.functions(executor.name)}
        arguments = before["describe"].args
        assert [(each.name, each.type, each.required) for each in arguments] == [
            ("what", "str", True),
            ("mode", "Literal['short', 'long']", False),
            ("*more", "int", False),
        ]
        assert [each.description for each in arguments] == ["the thing.", "how long it is.", ""]
        executor.stop()
        executor.start()
        after = {each.funcname: each for each in colony.functions(executor.name)}
        assert {name: each.functionid for name, each in after.items()} == {
            name: each.functionid for name, each in before.items()
        }


def test_a_function_and_a_conversation(executor):
    with cj.Colony() as colony:
        made = {"executortype": executor.executortype}
        process = colony.submit("describe", "it", "long", 1, 2, channels=["progress", "sync"], **made)
        reported = [entry.json()["current"] for entry in process.channel("progress")]
        assert (reported[0], reported[-1]) == (0, 3)
        assert process.result(30) == {"what": "it", "more": [1, 2]}
        assert [line.message for line in colony.logs(process)] == ["describing it"]
        with pytest.raises(cj.ProcessFailed, match="missing a required argument: 'what'"):
            colony.submit("describe", **made).result(30)
        talk = colony.submit("chat", channels=["chat"], **made)
        talk.channel("chat").send("hello")
        texts = []
        for entry in talk.channel("chat"):
            if entry.type == "turn":
                break
            texts.append(entry.text)
        assert "".join(texts) == "helloYou said hello"
        talk.channel("chat").end()
        assert talk.result(30) is None


async def test_the_doctor_finds_all_well_and_leaves_nothing():
    async with cj.AsyncColony() as colony:
        before = {one.processid for state in ProcessState for one in await colony.list_processes(state)}
        report = await examine()
        assert {finding.mark for finding in report.findings} <= {Mark.FINE, Mark.WARNING}, report
        assert any(finding.subject == "channel" and finding.mark is Mark.FINE for finding in report.findings), report
        now = [one for state in ProcessState for one in await colony.list_processes(state)]
        left = [one for one in now if one.processid not in before and one.spec.funcname == "doctor"]
        assert left == []
