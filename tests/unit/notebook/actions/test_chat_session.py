"""A conversation on a simulated server: when an answer is complete, and what ends it."""

from __future__ import annotations

import asyncio

import pytest
import virtual_time
from simulated_chat import ChatUser, ChatView
from simulated_colony import THEM

from colony_jupyter.errors import ChannelClosed, ProcessCancelled, ProcessFailed, StreamError, WaitTimeout
from colony_jupyter.notebook.actions import process_feed
from colony_jupyter.notebook.actions.chat_session import ChatSession
from colony_jupyter.notebook.model.changes import Fault, NewEntries, ReplyDue
from colony_jupyter.wire.models import Entry, ProcessState

QUIET = 1.5


def talking(scenario, answers=lambda _: (), **fields):
    """Run a scenario with a conversation and the server of its process, on virtual time."""

    async def work():
        user = ChatUser(answers)
        process = user.process(**fields)
        chat_session = ChatSession(process, "chat", settle=lambda: QUIET)
        await chat_session.start()
        await asyncio.sleep(0.1)
        async with asyncio.timeout(600):
            await scenario(chat_session, user.server(process))
        chat_session.stop()
        await asyncio.sleep(1)

    virtual_time.run(work())


def now():
    return asyncio.get_running_loop().time()


def test_an_answer_is_complete_when_its_partner_closes_the_turn():
    async def scenario(chat_session, server):
        begun = now()
        assert await chat_session.send("how?") == "like this"
        assert now() - begun < QUIET

    talking(scenario, lambda _: [("like ", "data", True), ("this", "data", True), ("", "turn", True)])


@pytest.mark.parametrize(
    ("answers", "quiet"),
    [
        pytest.param([("yes", "data", True)], QUIET, id="one entry"),
        pytest.param([("ye", "data", True), ("s", "data", True)], 4 * QUIET, id="several entries"),
    ],
)
def test_of_a_partner_that_closes_no_turns_an_answer_is_complete_after_some_quiet(answers, quiet):
    async def scenario(chat_session, server):
        begun = now()
        assert await chat_session.send("well?") == "yes"
        assert quiet <= now() - begun < quiet + 1

    talking(scenario, lambda _: answers)


def test_quiet_means_nothing_once_the_partner_is_known_to_close_its_turns():
    replies = {"one": [("1", "data", True), ("", "turn", True)], "two": [("2", "data", True)]}

    async def scenario(chat_session, server):
        assert await chat_session.send("one") == "1"
        with pytest.raises(WaitTimeout, match=r"an answer on channel 'chat'"):
            await chat_session.send("two", timeout=60)

    talking(scenario, replies.__getitem__)


def test_the_answers_of_two_messages_are_kept_apart():
    async def scenario(chat_session, server):
        first, second = await asyncio.gather(chat_session.send("a"), chat_session.send("b"))
        assert (first, second) == ("re a", "re b")

    talking(scenario, lambda text: [(f"re {text}", "data", True), ("", "turn", True)])


def test_an_error_in_answer_is_raised_and_the_conversation_goes_on():
    replies = {"bad": [("no such model", "error", True)], "good": [("yes", "data", True), ("", "turn", True)]}

    async def scenario(chat_session, server):
        with pytest.raises(StreamError, match="no such model"):
            await chat_session.send("bad")
        assert not chat_session.is_over
        assert await chat_session.send("good") == "yes"

    talking(scenario, replies.__getitem__)


def test_after_the_partners_end_nothing_can_be_sent():
    async def scenario(chat_session, server):
        assert await chat_session.send("bye") == "bye"
        assert chat_session.is_over
        with pytest.raises(ChannelClosed, match="the conversation has ended"):
            await chat_session.send("still there?")

    talking(scenario, lambda _: [("bye", "data", True), ("", "end", False)])


def test_an_end_right_after_an_error_is_explained_by_the_error():
    async def scenario(chat_session, server):
        server.append(THEM, "out of memory", channel="chat", kind="error")
        server.append(THEM, "", channel="chat", kind="end")
        await asyncio.sleep(0.5)
        with pytest.raises(StreamError, match="out of memory"):
            await chat_session.send("hello")

    talking(scenario)


def test_an_end_of_a_former_executor_does_not_end_the_conversation():
    async def scenario(chat_session, server):
        former = Entry(sequence=1, senderid="3" * 64, type="end", former=True)
        chat_session._add_entries("chat", [former])
        assert not chat_session.is_over
        assert await chat_session.send("hello") == "hi"

    talking(scenario, lambda _: [("hi", "data", True), ("", "turn", True)])


@pytest.mark.parametrize(
    ("state", "outcome", "error"),
    [
        (ProcessState.FAILED, {"errors": ["disk full"]}, ProcessFailed),
        (ProcessState.CANCELLED, {}, ProcessCancelled),
    ],
)
def test_a_process_that_ends_before_it_answers_is_the_reason(state, outcome, error):
    async def scenario(chat_session, server):
        sending = asyncio.create_task(chat_session.send("hello"))
        await asyncio.sleep(1)
        server.close(state, **outcome)
        with pytest.raises(error) as caught:
            await sending
        assert all(reason in str(caught.value) for reason in outcome.get("errors", ()))
        with pytest.raises(error):
            await chat_session.send("again")

    talking(scenario)


def test_what_came_of_an_answer_is_returned_when_the_process_ends_with_success():
    async def scenario(chat_session, server):
        sending = asyncio.create_task(chat_session.send("hello"))
        await asyncio.sleep(0.5)
        server.close()
        assert await sending == "half an ans"

    talking(scenario, lambda _: [("half an ans", "data", True)])


def test_a_timeout_names_what_a_waiting_process_waits_for():
    async def scenario(chat_session, server):
        chat_session.process.colony.waiting = "No executor of type 'cli' is there."
        with pytest.raises(WaitTimeout, match=r"an answer on channel 'chat'.* No executor of type 'cli' is there"):
            await chat_session.send("hello", timeout=5)

    talking(scenario, state=ProcessState.WAITING, isassigned=False, assignedexecutorid="")


def test_waiting_can_be_stopped_and_what_came_is_returned():
    async def scenario(chat_session, server):
        server.answers = lambda _: [("first part", "data", True), ("second", "data", True)]
        sending = asyncio.create_task(chat_session.send("hello"))
        await asyncio.sleep(1)
        assert not sending.done()
        await chat_session.stop_waiting()
        assert await sending == "first partsecond"

    talking(scenario)


def test_the_view_shows_the_entries_and_that_no_reply_is_due_any_more():
    async def scenario(chat_session, server):
        view = ChatView()
        await chat_session.turn_to(view)
        await chat_session.send("hello")
        entries = [entry for change in view.changes if isinstance(change, NewEntries) for entry in change.entries]
        assert [entry.text for entry in entries] == ["hello", "hi", ""]
        assert view.changes[-1] == ReplyDue(due=False)
        assert chat_session.view is view
        await chat_session.turn_to(None)
        assert chat_session.view is None
        await chat_session.send("unseen")
        assert view.changes[-1] == ReplyDue(due=False)

    talking(scenario, lambda _: [("hi", "data", True), ("", "turn", True)])


@pytest.mark.parametrize(
    ("parting", "why"),
    [
        pytest.param([("so long", "data", True), ("", "end", False)], "the conversation has ended", id="end"),
        pytest.param([("no memory", "error", True), ("", "end", False)], "no memory", id="error and end"),
    ],
)
def test_a_typed_text_that_cannot_be_sent_is_given_back_with_the_reason(parting, why):
    async def scenario(chat_session, server):
        view = ChatView()
        await chat_session.turn_to(view)
        await chat_session.send_typed("bye")
        assert view.refusals == []  # an error that answers is an entry, which the view shows
        await asyncio.sleep(0.5)
        await chat_session.send_typed("more")
        (refused,) = view.refusals
        assert (refused.channel, refused.text) == ("chat", "more")
        assert why in refused.reason

    talking(scenario, lambda _: parting)


def test_ending_sends_an_end_and_a_refusal_is_shown():
    async def scenario(chat_session, server):
        view = ChatView()
        await chat_session.turn_to(view)
        await chat_session.send_end()
        assert server.logs["chat"][-1].type == "end"
        server.close()
        await asyncio.sleep(1)
        await chat_session.send_end()
        (fault,) = [change for change in view.changes if isinstance(change, Fault)]
        assert "ended" in fault.text

    talking(scenario)


def test_cancelling_is_done_on_the_loop(monkeypatch):
    spawned = []

    class Portal:
        def spawn(self, function, *args):
            spawned.append(asyncio.create_task(function(*args)))

    monkeypatch.setattr(process_feed, "PORTAL", Portal())

    async def scenario(chat_session, server):
        chat_session.cancel()
        await asyncio.gather(*spawned)
        assert chat_session.process.state is ProcessState.CANCELLED
        assert chat_session.is_over

    talking(scenario)
