"""Finds or begins the conversation that a chat cell belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from colony_jupyter.errors import ColonyError, UsageError
from colony_jupyter.notebook.actions.chat_session import ChatSession
from colony_jupyter.notebook.model.changes import Fault, Note
from colony_jupyter.notebook.session.session import Topic
from colony_jupyter.notebook.views.base import PaneCallbacks

if TYPE_CHECKING:
    from collections.abc import Callable

    from colony_jupyter.client.process import AsyncProcess
    from colony_jupyter.notebook.session.session import Session
    from colony_jupyter.notebook.views.base import View


async def conversation(
    session: Session,
    settle: Callable[[], float],
    *,
    funcname: str | None,
    executortype: str | None,
    channel: str,
    process: AsyncProcess | None = None,
    new: bool = False,
    options: dict[str, Any] | None = None,
) -> tuple[ChatSession, str]:
    """Return the conversation that is meant, and a remark about it, which may be empty.

    Args:
        session: the kernel's.
        settle: gives the seconds of quiet that end a turn.
        funcname: the function to talk to; None for the one of the latest conversation.
        executortype: its executors' type; None for whatever it was, or the one that offers the function.
        channel: the channel to talk on.
        process: a running process to talk to.
        new: begin a new conversation in any case.
        options: further arguments of `AsyncColony.submit` for a new conversation. With others than those of the
            conversation that goes on, a new one begins.

    Raises:
        UsageError: if there was no conversation yet, or the function is not offered.
    """
    options = {name: given for name, given in (options or {}).items() if name != "executortype"}
    colony = session.colony
    await colony.connect()
    if process is not None:
        if options:
            raise UsageError("--pid names a process that runs: it cannot get other arguments and conditions any more.")
        return await _with_process(session, settle, process, channel), ""
    place = (colony.settings.address, colony.colonyname)
    earlier = [
        topic
        for topic in session.chat_sessions
        if topic[:2] == place
        and topic.channel == channel
        and funcname in (None, topic.funcname)
        and executortype in (None, topic.executortype)
    ]
    if not earlier and funcname is None:
        raise UsageError("There is no conversation to go on with yet: name the function, as in %%colony_chat chat.")
    topic = earlier[-1] if earlier else None
    chat_session = session.chat_sessions[topic] if topic is not None else None
    differs = chat_session is not None and bool(options) and options != chat_session.options
    if topic is not None and chat_session is not None and not new and not differs and not chat_session.is_over:
        session.chat_sessions[topic] = session.chat_sessions.pop(topic)  # the latest one now
        return chat_session, ""
    if topic is None:
        name = funcname or ""
        topic = Topic(*place, name, executortype or await colony.type_offering(name), channel)
    remark = "The earlier conversation has ended; this is a new one." if chat_session is not None and not new else ""
    if differs and chat_session is not None and not chat_session.is_over and not new:
        remark = "The options are others than those of the earlier conversation; this is a new one."
    return await _begin(session, settle, topic, options), remark


async def _begin(session: Session, settle: Callable[[], float], topic: Topic, options: dict[str, Any]) -> ChatSession:
    process = await session.colony.submit(
        topic.funcname, channels=[topic.channel], executortype=topic.executortype, **options
    )
    chat_session = await _open(session, settle, topic, process)
    chat_session.options = options
    return chat_session


async def _with_process(
    session: Session, settle: Callable[[], float], process: AsyncProcess, channel: str
) -> ChatSession:
    colony, spec = session.colony, process.record.spec
    topic = Topic(colony.settings.address, colony.colonyname, spec.funcname, spec.conditions.executortype, channel)
    chat_session = session.chat_sessions.get(topic)
    if chat_session is not None and chat_session.process == process and not chat_session.is_over:
        session.chat_sessions[topic] = session.chat_sessions.pop(topic)
        return chat_session
    if channel not in spec.channels:
        await process.channel(channel).read(limit=1)  # its error lists the channels
    return await _open(session, settle, topic, process)


async def _open(session: Session, settle: Callable[[], float], topic: Topic, process: AsyncProcess) -> ChatSession:
    session.remember(process)
    chat_session = ChatSession(process, topic.channel, settle=settle)
    await chat_session.start()
    earlier = session.chat_sessions.pop(topic, None)
    if earlier is not None and earlier.view is not None:
        earlier.view.finish()
        await earlier.turn_to(None)
    session.chat_sessions[topic] = chat_session
    return chat_session


def callbacks(session: Session, settle: Callable[[], float], chat_session: ChatSession) -> PaneCallbacks:
    """Return what the controls of a conversation's pane do: they only enqueue."""
    topic = next(topic for topic, known in session.chat_sessions.items() if known is chat_session)

    def now() -> ChatSession:
        return session.chat_sessions[topic]  # another one once the pane has begun anew

    return PaneCallbacks(
        on_send=lambda _channel, text: session.start(now().send_typed, text),
        on_cancel=lambda: now().cancel(),
        on_stop_waiting=lambda: session.start(now().stop_waiting),
        on_end_chat=lambda: session.start(now().send_end),
        on_new_chat=lambda: session.start(_begin_again, session, settle, topic),
    )


async def show_in(chat_session: ChatSession, view: View | None) -> None:
    """Show later messages in a view, or nowhere; the earlier view accepts no more input."""
    if chat_session.view is not None and chat_session.view is not view:
        chat_session.view.finish()
    await chat_session.turn_to(view)


async def _begin_again(session: Session, settle: Callable[[], float], topic: Topic) -> None:
    """Begin a conversation anew that has ended, in the view that showed it."""
    ended = session.chat_sessions[topic]
    view = ended.view
    if view is None or not ended.is_over:  # a second click
        return
    await ended.turn_to(None)
    try:
        chat_session = await _begin(session, settle, topic, ended.options)
    except ColonyError as error:
        view.feed(Fault(str(error)))
        await ended.turn_to(view)
    else:
        view.feed(Note("A new conversation."))
        await chat_session.turn_to(view)
