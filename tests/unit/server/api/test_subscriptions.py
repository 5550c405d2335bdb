"""Subscriptions of the WebSocket: what is sent, in which order, and how each of them ends."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from colony_jupyter.server.api.subscriptions import ConnectionDropped
from colony_jupyter.server.errors import Refused
from colony_jupyter.wire import messages as m
from colony_jupyter.wire.limits import MAX_ENTRIES
from colony_jupyter.wire.models import ProcessState

NO_STATE = 9
AT_ONCE = -1
"""Seconds of a subscription that is over as soon as what is there already was sent."""


async def append(world, pid, who, sequence):
    await world.call(m.ChannelAppend(processid=pid, name="c", sequence=sequence), who)


async def running(world, **members):
    """Submit a process with a channel and assign it to the executor "one"."""
    await world.executor("one")
    pid = await world.submit(channels=["c"], **members)
    await world.assign("one")
    return pid


class Listening:
    """A subscription that runs in a task; what it has sent and how it ended."""

    def __init__(self, world, message, who="ann") -> None:
        self.frames = []
        self.ending: ConnectionDropped | Refused | None = None
        self._event = asyncio.Event()
        self.task = asyncio.create_task(self._run(world.subscribe(message, who)))

    async def _run(self, stream):
        async with contextlib.aclosing(stream):
            try:
                async for _, value in stream:
                    self.frames.append(value)
                    self._event.set()
            except (ConnectionDropped, Refused) as ending:
                self.ending = ending

    async def until(self, number):
        """Wait until so many frames have come."""
        async with asyncio.timeout(5):
            while len(self.frames) < number:
                self._event.clear()
                await self._event.wait()

    async def end(self):
        """Wait for the end; what was raised."""
        await asyncio.wait_for(self.task, 5)
        return self.ending


@pytest.fixture
async def listen(world):
    """Return a function that subscribes and waits until the subscription stands."""
    started = []

    async def start(message, who="ann"):
        started.append(Listening(world, message, who))
        for _ in range(5):
            await asyncio.sleep(0)
        return started[-1]

    yield start
    for each in started:
        each.task.cancel()
    await asyncio.gather(*(each.task for each in started), return_exceptions=True)


def to_channel(pid, **members):
    return m.SubscribeChannel(**{"processid": pid, "name": "c", "timeout": 60, **members})


# Channels


async def test_what_is_there_comes_in_one_frame_and_then_each_entry_in_its_own(world, listen):
    pid = await running(world)
    for sequence in (1, 2, 3):
        await append(world, pid, "ann", sequence)
    heard = await listen(to_channel(pid, afterseq=1))
    await heard.until(1)
    await append(world, pid, "one", 7)
    await append(world, pid, "ann", 4)
    await heard.until(3)
    assert [[entry["sequence"] for entry in frame] for frame in heard.frames] == [[2, 3], [7], [4]]


async def test_an_entry_that_is_not_on_disk_yet_comes_once(world, listen):
    pid = await running(world)
    appending = asyncio.create_task(append(world, pid, "ann", 1))
    heard = await listen(to_channel(pid))  # begins in the same turn of the loop, so that it reads what is not written
    await appending
    await append(world, pid, "ann", 2)
    await heard.until(2)
    assert [[entry["sequence"] for entry in frame] for frame in heard.frames] == [[1], [2]]


async def test_a_state_that_is_read_from_disk_again_ends_subscriptions_to_channels(world, listen):
    """Their client subscribes again: it cannot know what of its entries was on disk."""
    pid = await running(world)
    heard = await listen(to_channel(pid))
    await world.server._recover()
    assert isinstance(await heard.end(), ConnectionDropped)


async def test_the_end_of_the_window_is_an_empty_list(world):
    pid = await running(world)
    await append(world, pid, "ann", 1)
    frames = [frame async for frame in world.subscribe(to_channel(pid, timeout=AT_ONCE), "ann")]
    assert [(kind, len(entries)) for kind, entries in frames] == [
        ("subscribechannelmsg", 1),
        ("subscribechannelmsg", 0),
    ]


async def test_the_close_of_the_process_ends_it_without_another_frame(world, listen):
    """Trap 6."""
    pid = await running(world)
    heard = await listen(to_channel(pid))
    await world.call(m.CloseSuccessful(processid=pid), "one")
    assert await heard.end() is None
    assert heard.frames == []


async def test_entries_before_the_close_are_heard(world, listen):
    """Even those that are written together with it."""
    pid = await running(world)
    heard = await listen(to_channel(pid))
    await asyncio.gather(
        *(append(world, pid, "one", 2 * number) for number in range(1, 51)),
        world.call(m.CloseSuccessful(processid=pid), "one"),
    )
    await heard.end()
    assert [entry["sequence"] for frame in heard.frames for entry in frame] == [2 * number for number in range(1, 51)]


async def test_a_former_executor_hears_no_more_once_the_process_has_another(world, listen):
    pid = await running(world, maxexectime=1, maxretries=5)
    heard = await listen(to_channel(pid), "one")
    world.wait(3)
    await append(world, pid, "ann", 1)
    refused = await heard.end()
    assert (refused.status, refused.message) == (403, "Not authorized to subscribe to channel")
    assert heard.frames == []


async def test_a_subscriber_that_falls_too_far_behind_is_disconnected_with_an_error_entry(world):
    pid = await running(world)
    stream = world.subscribe(to_channel(pid), "ann")
    await append(world, pid, "ann", 1)
    assert len((await anext(stream))[1]) == 1
    _, process = world.server.process(pid, Refused(404, ""))
    channel = world.server.channels.open(process, "c", process.initiatorid, "subscribe to")
    (entry,) = channel.read(0, 1)
    (listener,) = channel.listeners
    for place in range(2, MAX_ENTRIES + 3):
        listener(place, entry)
    (entry,) = (await anext(stream))[1]
    assert entry["error"] == "subscriber disconnected: buffer full"
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_without_a_time_the_window_stays_open(world, listen):
    pid = await running(world)
    heard = await listen(to_channel(pid, timeout=0))
    await append(world, pid, "one", 1)
    await heard.until(1)
    assert not heard.task.done()


@pytest.mark.parametrize(
    ("members", "who", "refusal"),
    [
        ({"processid": "0"}, "ann", (404, "Process not found")),
        ({"name": "none"}, "ann", (404, "Channel not found")),
        ({}, "bob", (403, "Not authorized to subscribe to channel")),
        ({}, "stranger", (403, "Access denied, not a member of Colony with name <dev>")),
    ],
)
async def test_who_may_not_subscribe_to_a_channel(world, listen, members, who, refusal):
    pid = await running(world)
    refused = await (await listen(to_channel(pid, **members), who)).end()
    assert (refused.status, refused.message) == refusal


# One process


def to_process(pid, state, **members):
    return m.SubscribeProcess(**{"processid": pid, "state": state, "timeout": 60, **members})


async def test_a_process_is_shown_each_time_it_enters_the_state(world, listen):
    pid = await running(world, maxexectime=1, maxretries=-1)
    heard = await listen(to_process(pid, ProcessState.RUNNING))
    await heard.until(1)  # it is there already
    for number in (2, 3):
        world.wait(3)
        await world.assign("one")
        await heard.until(number)
    assert [process["retries"] for process in heard.frames] == [0, 1, 2]
    heard.task.cancel()
    await asyncio.gather(heard.task, return_exceptions=True)
    assert not world.server.waiters._processes


async def test_states_that_are_written_together_are_announced_each_to_its_own_listeners(world, listen):
    """Also where the process has gone on before the first is on disk."""
    pid = await running(world, maxexectime=1, maxretries=-1)
    heard = {state: await listen(to_process(pid, state)) for state in (ProcessState.WAITING, ProcessState.SUCCESS)}
    world.wait(3)  # it waits again, which is written together with the next assignment
    await world.assign("one")
    await world.call(m.CloseSuccessful(processid=pid), "one")
    for state, each in heard.items():
        await each.until(1)
        assert [process["state"] for process in each.frames] == [state]


async def test_a_subscription_to_a_process_ends_by_dropping_the_connection(world, listen):
    """Trap 8."""
    pid = await running(world)
    heard = await listen(to_process(pid, ProcessState.SUCCESS, timeout=AT_ONCE))
    assert isinstance(await heard.end(), ConnectionDropped)
    assert heard.frames == []


async def test_an_unknown_state_is_waited_for_in_vain(world, listen):
    pid = await running(world)
    heard = await listen(to_process(pid, NO_STATE, timeout=AT_ONCE))
    assert isinstance(await heard.end(), ConnectionDropped)


@pytest.mark.parametrize(("kind", "shown"), [("", 1), ("x", 1), ("y", 0)])
async def test_a_process_of_another_executor_type_is_not_shown(world, listen, kind, shown):
    pid = await running(world)
    heard = await listen(to_process(pid, ProcessState.RUNNING, executortype=kind, timeout=AT_ONCE))
    assert isinstance(await heard.end(), ConnectionDropped)
    assert len(heard.frames) == shown


async def test_who_may_not_subscribe_to_a_process(world, listen):
    pid = await running(world)
    refused = await (await listen(to_process("0", 1))).end()
    assert (refused.status, refused.message) == (403, "Invalid process with Id 0")
    refused = await (await listen(to_process(pid, 1), "stranger")).end()
    assert refused.status == 403


# Processes of a type


def to_type(state, **members):
    return m.SubscribeProcesses(**{"executortype": "x", "state": state, "timeout": 60, **members})


async def test_an_executor_is_shown_the_processes_of_a_type_in_its_own_colony(world, listen):
    await world.colony("other")
    await world.user("eve", "other")
    await world.executor("ours", "y")
    await world.executor("theirs", "y", "other")
    heard = {who: await listen(to_type(ProcessState.WAITING), who) for who in ("ours", "theirs")}
    await world.submit(kind="z")
    own = await world.submit()
    foreign = await world.submit("eve", colony="other")
    for each in heard.values():
        await each.until(1)
    shown = {who: [process["processid"] for process in each.frames] for who, each in heard.items()}
    assert shown == {"ours": [own], "theirs": [foreign]}


async def test_only_executors_subscribe_to_a_type(world, listen):
    refused = await (await listen(to_type(0), "ann")).end()
    assert (refused.status, refused.message) == (403, "executor not found")


@pytest.mark.parametrize("state", [ProcessState.WAITING, NO_STATE])
async def test_a_subscription_to_a_type_ends_by_dropping_the_connection(world, listen, state):
    await world.executor("one")
    await world.submit()  # what is there already is not shown
    heard = await listen(to_type(state, timeout=AT_ONCE), "one")
    assert isinstance(await heard.end(), ConnectionDropped)
    assert heard.frames == []


async def test_what_is_no_subscription_has_no_frames(world):
    assert [frame async for frame in world.subscribe(m.GetVersion(), "ann")] == []
