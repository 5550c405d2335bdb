"""Finds or begins the conversation that a chat cell belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colony_jupyter.errors import ColonyError, UsageError
from colony_jupyter.notebook.actions.chat_session import Talk
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
) -> tuple[Talk, str]:
    """Give the conversation that is meant, and a remark about it, which may be empty.

    Args:
        session: the kernel's.
        settle: gives the seconds of quiet that end a turn.
        funcname: the function to talk to; None for whom was talked to last.
        executortype: its executors' type; None for whatever it was, or the one that offers the function.
        channel: the channel to talk on.
        process: a running process to talk to.
        new: begin a new conversation in any case.

    Raises:
        UsageError: if nobody was talked to yet, or the function is not offered.
    """
    colony = session.colony
    await colony.connect()
    if process is not None:
        return await _with_process(session, settle, process, channel), ""
    place = (colony.settings.address, colony.colonyname)
    earlier = [
        topic
        for topic in session.talks
        if topic[:2] == place
        and topic.channel == channel
        and funcname in (None, topic.funcname)
        and executortype in (None, topic.executortype)
    ]
    if not earlier and funcname is None:
        raise UsageError("There is no conversation to go on with yet: name the function, as in %%colony_chat chat.")
    topic = earlier[-1] if earlier else None
    talk = session.talks[topic] if topic is not None else None
    if topic is not None and talk is not None and not new and not talk.is_over:
        session.talks[topic] = session.talks.pop(topic)  # the latest one now
        return talk, ""
    if topic is None:
        name = funcname or ""
        topic = Topic(*place, name, executortype or await colony.type_offering(name), channel)
    remark = "The earlier conversation has ended; this is a new one." if talk is not None and not new else ""
    return await _begin(session, settle, topic), remark


async def _begin(session: Session, settle: Callable[[], float], topic: Topic) -> Talk:
    process = await session.colony.submit(topic.funcname, channels=[topic.channel], executortype=topic.executortype)
    return await _take_up(session, settle, topic, process)


async def _with_process(session: Session, settle: Callable[[], float], process: AsyncProcess, channel: str) -> Talk:
    colony, spec = session.colony, process.record.spec
    topic = Topic(colony.settings.address, colony.colonyname, spec.funcname, spec.conditions.executortype, channel)
    talk = session.talks.get(topic)
    if talk is not None and talk.process == process and not talk.is_over:
        session.talks[topic] = session.talks.pop(topic)
        return talk
    if channel not in spec.channels:
        await process.channel(channel).read(limit=1)  # says which ones there are
    return await _take_up(session, settle, topic, process)


async def _take_up(session: Session, settle: Callable[[], float], topic: Topic, process: AsyncProcess) -> Talk:
    session.remember(process)
    talk = Talk(process, topic.channel, settle=settle)
    await talk.start()
    earlier = session.talks.pop(topic, None)
    if earlier is not None and earlier.view is not None:
        earlier.view.finish()
        await earlier.turn_to(None)
    session.talks[topic] = talk
    return talk


def callbacks(session: Session, settle: Callable[[], float], talk: Talk) -> PaneCallbacks:
    """Give what the controls of a conversation's pane do: they only enqueue."""
    topic = next(topic for topic, known in session.talks.items() if known is talk)

    def now() -> Talk:
        return session.talks[topic]  # another one once the pane has begun anew

    return PaneCallbacks(
        on_send=lambda _channel, text: session.start(now().say_typed, text),
        on_cancel=lambda: now().cancel(),
        on_stop_waiting=lambda: session.start(now().stop_waiting),
        on_end_chat=lambda: session.start(now().say_end),
        on_new_chat=lambda: session.start(_anew, session, settle, topic),
    )


async def show_in(talk: Talk, view: View | None) -> None:
    """Show what is said from now on in a view, or nowhere; the earlier view takes no more input."""
    if talk.view is not None and talk.view is not view:
        talk.view.finish()
    await talk.turn_to(view)


async def _anew(session: Session, settle: Callable[[], float], topic: Topic) -> None:
    """Begin a conversation anew that has ended, in the view that showed it."""
    ended = session.talks[topic]
    view = ended.view
    if view is None:
        return
    await ended.turn_to(None)
    try:
        talk = await _begin(session, settle, topic)
    except ColonyError as error:
        view.error(str(error))
        await ended.turn_to(view)
    else:
        view.note("A new conversation.")
        await talk.turn_to(view)
