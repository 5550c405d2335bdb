"""Which conversation a chat cell belongs to, on simulated servers."""

from __future__ import annotations

import asyncio

import pytest
import virtual_time
from simulated_chat import ChatUser, ChatView

from colony_jupyter.errors import ChannelNotFound, ColonyError, UsageError
from colony_jupyter.notebook.actions import chat
from colony_jupyter.notebook.model.changes import Fault, Note
from colony_jupyter.notebook.session.session import Session
from colony_jupyter.wire.models import FunctionSpec, ProcessState

CLOSING = [("yes", "data", True), ("", "turn", True)]


class LocalSession(Session):
    """A session of a simulated client, whose actions run on the loop of the test."""

    def __init__(self) -> None:
        super().__init__()
        self.user = ChatUser(lambda _: CLOSING)
        self._colony = self.user  # type: ignore[assignment]  # as much of a client as is used
        self.started: list[asyncio.Task] = []

    def start(self, action, *args):
        self.started.append(asyncio.create_task(action(*args)))


def settle():
    return 1.5


async def find(session, funcname=None, executortype=None, channel="chat", **how):
    return await chat.conversation(
        session, settle, funcname=funcname, executortype=executortype, channel=channel, **how
    )


def session_for(scenario):
    """Run a scenario with a session, on virtual time."""

    async def work():
        session = LocalSession()
        async with asyncio.timeout(600):
            await scenario(session)
        for chat_session in session.chat_sessions.values():
            chat_session.stop()
        await asyncio.sleep(1)

    virtual_time.run(work())


def test_without_an_earlier_conversation_the_function_is_named():
    async def scenario(session):
        with pytest.raises(UsageError, match=r"name the function, as in %%colony_chat chat\."):
            await find(session)

    session_for(scenario)


def test_a_conversation_begins_with_a_process_of_the_type_that_offers_the_function():
    async def scenario(session):
        chat_session, remark = await find(session, "chat", options={"executortype": "cli", "label": "mine"})
        assert remark == ""
        assert session.user.submitted == [{"funcname": "chat", "executortype": "type of chat", "label": "mine"}]
        assert list(session.chat_sessions.values()) == [chat_session]
        assert list(session.processes) == [chat_session.process.processid]
        assert await chat_session.send("hello") == "yes"

    session_for(scenario)


def test_later_cells_go_on_with_the_conversation_that_they_mean():
    async def scenario(session):
        first, _ = await find(session, "chat", "cli")
        other, _ = await find(session, "draw", "gpu")
        assert await find(session) == (other, "")
        assert await find(session, "chat") == (first, "")
        assert await find(session) == (first, "")  # the latest one now
        assert await find(session, executortype="gpu") == (other, "")
        with pytest.raises(UsageError):
            await find(session, channel="another")
        assert len(session.user.submitted) == 2

    session_for(scenario)


def test_a_conversation_on_another_server_is_not_gone_on_with():
    async def scenario(session):
        await find(session, "chat")
        session.user.settings.address = "elsewhere:2"
        with pytest.raises(UsageError):
            await find(session)

    session_for(scenario)


@pytest.mark.parametrize(
    ("how", "remark"),
    [
        pytest.param({"new": True}, "", id="asked for"),
        pytest.param(
            {"options": {"label": "b"}},
            "The options are others than those of the earlier conversation; this is a new one.",
            id="other options",
        ),
    ],
)
def test_a_new_conversation_takes_the_place_of_the_earlier_one_and_of_its_view(how, remark):
    async def scenario(session):
        earlier, _ = await find(session, "chat", options={"label": "a"})
        view = ChatView()
        await chat.show_in(earlier, view)
        assert await find(session, "chat", options={"label": "a"}) == (earlier, "")
        chat_session, found = await find(session, "chat", **how)
        assert chat_session is not earlier
        assert found == remark
        assert view.is_finished
        assert earlier.view is None
        assert list(session.chat_sessions.values()) == [chat_session]
        earlier.stop()

    session_for(scenario)


def test_a_conversation_that_has_ended_is_begun_anew_with_a_remark():
    async def scenario(session):
        session.user.answers = lambda _: [("bye", "data", True), ("", "end", False)]
        ended, _ = await find(session, "chat")
        await ended.send("bye")
        chat_session, remark = await find(session)
        assert chat_session is not ended
        assert remark == "The earlier conversation has ended; this is a new one."
        assert [each["funcname"] for each in session.user.submitted] == ["chat", "chat"]
        ended.stop()

    session_for(scenario)


def test_a_process_that_runs_is_talked_to_and_gone_on_with():
    async def scenario(session):
        process = session.user.process(spec=FunctionSpec(funcname="assistant", channels=["chat", "sync"]))
        chat_session, _ = await find(session, process=process)
        assert await chat_session.send("hello") == "yes"
        assert await find(session, process=process) == (chat_session, "")
        assert await find(session, "assistant") == (chat_session, "")
        assert session.user.submitted == []
        another = session.user.process(spec=FunctionSpec(funcname="assistant", channels=["chat"]))
        newer, _ = await find(session, process=another)
        assert list(session.chat_sessions.values()) == [newer]
        chat_session.stop()

    session_for(scenario)


def test_a_process_that_runs_gets_no_other_arguments():
    async def scenario(session):
        process = session.user.process()
        with pytest.raises(UsageError, match="--pid names a process that runs"):
            await find(session, process=process, options={"label": "x"})

    session_for(scenario)


def test_a_channel_that_the_process_does_not_have_is_refused_with_those_that_it_has():
    async def scenario(session):
        process = session.user.process(spec=FunctionSpec(funcname="f", channels=["talk", "sync"]))
        with pytest.raises(ChannelNotFound, match=r"'chat'.* talk"):
            await find(session, process=process)
        assert session.chat_sessions == {}

    session_for(scenario)


def test_the_controls_of_a_pane_act_on_the_conversation():
    async def scenario(session):
        chat_session, _ = await find(session, "chat")
        view = ChatView()
        await chat.show_in(chat_session, view)
        controls = chat.callbacks(session, settle, chat_session)
        controls.on_send("chat", "hello")
        await session.started.pop()
        server = session.user.server(chat_session.process)
        assert [entry.text for entry in server.logs["chat"]] == ["hello", "yes", ""]
        server.answers = lambda _: [("1", "data", True), ("2", "data", True)]
        controls.on_send("chat", "slowly")
        await asyncio.sleep(0.5)
        controls.on_stop_waiting()
        await asyncio.gather(*session.started)
        session.started.clear()
        controls.on_end_chat()
        await session.started.pop()
        assert server.logs["chat"][-1].type == "end"
        assert view.refusals == []

    session_for(scenario)


def test_a_pane_can_begin_the_conversation_anew_and_its_controls_follow():
    async def scenario(session):
        first, _ = await find(session, "chat", options={"label": "a"})
        view = ChatView()
        await chat.show_in(first, view)
        controls = chat.callbacks(session, settle, first)
        session.user.server(first.process).close(ProcessState.CANCELLED)
        await asyncio.sleep(1)
        session.user.refusal = ColonyError("The colony is paused.")
        controls.on_new_chat()
        await session.started.pop()
        assert view.changes.count(Fault("The colony is paused.")) == 1
        assert first.view is view
        session.user.refusal = None
        for pause in (0.001, 1, 0):  # further clicks while it begins, and before the page shows it
            controls.on_new_chat()
            await asyncio.sleep(pause)
        await asyncio.gather(*session.started)
        session.started.clear()
        (chat_session,) = session.chat_sessions.values()
        assert chat_session is not first
        assert chat_session.view is view
        assert not view.is_finished
        assert view.changes.count(Note("A new conversation.")) == 1
        assert [each["label"] for each in session.user.submitted] == ["a", "a"]
        controls.on_send("chat", "hello")
        await session.started.pop()
        assert session.user.server(chat_session.process).logs["chat"][0].text == "hello"
        first.stop()

    session_for(scenario)


def test_a_later_cell_shows_the_conversation_and_the_earlier_view_is_finished():
    async def scenario(session):
        chat_session, _ = await find(session, "chat")
        first, second = ChatView(), ChatView()
        for view in (first, first, second):
            await chat.show_in(chat_session, view)
        assert (first.is_finished, second.is_finished) == (True, False)
        assert chat_session.view is second

    session_for(scenario)
