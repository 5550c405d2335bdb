"""The known state of a process: it never moves backwards though replies overtake each other, and is known soon."""

from __future__ import annotations

import asyncio
import random

import msgspec
import virtual_time
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_colony import PID, SimulatedColony

from colony_jupyter.wire import messages
from colony_jupyter.wire.models import ProcessRecord, ProcessState

RUNNING, WAITING = ProcessState.RUNNING, ProcessState.WAITING
changes = st.lists(
    st.tuples(
        st.sampled_from((0.0, 0.001, 0.05, 0.4, 2.0)),
        st.sampled_from(("next", "next", "executor removed", "time limit", "cut")),
    ),
    max_size=20,
)


class Server(SimulatedColony):
    """Its process's start time is the number of the change: it shows which of two records is the older."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        super().__init__(lambda: self._chance.choice((0.0, 0.001, 0.05, 0.7, 1.5)))
        self._change(state=WAITING, assignedexecutorid="")

    def happen(self, what: str) -> None:
        is_running = self.record.state is RUNNING
        match what:
            case "next" if not is_running:
                self._change(state=RUNNING, assignedexecutorid="2" * 64)
            case "executor removed" if is_running:
                self._change(state=WAITING, assignedexecutorid="")
            case "time limit" if is_running:
                self._change(state=WAITING, assignedexecutorid="", retries=self.record.retries + 1)
            case "cut":
                self.cut()

    def end(self, state: ProcessState) -> None:
        self._change(state=state)

    def _change(self, **changed) -> None:
        number = int(self.record.starttime) + 1 if self.record.starttime.isdecimal() else 0
        self.record = msgspec.structs.replace(self.record, starttime=f"{number:03}", **changed)
        self._announce()


@settings(max_examples=examples(150))
@given(
    changes,
    st.lists(st.sampled_from((0.0, 0.01, 0.3, 1.0)), min_size=1, max_size=30),
    st.sampled_from([state for state in ProcessState if state.is_closed]),
    st.integers(0, 10_000),
    st.sampled_from((0, 50)),
)
def test_the_known_state_never_moves_backwards_and_arrives_at_the_end(changes, gaps, end, seed, others):
    """With many others that are followed, lists show the process."""

    async def scenario() -> None:
        server = Server(seed)
        session = server.session()
        session.watch.followed.count += others
        client = session.watch._connection
        known: list[ProcessRecord] = [session.watch.record]

        async def get_process() -> None:
            asked = asyncio.get_running_loop().time()
            record = await client.call(messages.GetProcess(processid=PID), ProcessRecord)
            session.learn(record, asked=asked)

        async def program() -> None:
            """Ask for the process in several tasks at once, as a program may."""
            async with asyncio.TaskGroup() as group:
                for gap in gaps:
                    await asyncio.sleep(gap)
                    group.create_task(get_process())

        async def observe() -> None:
            while not session.watch.is_over:
                await session.watch.change()
                known.append(session.watch.record)

        async with session.watch.following(), asyncio.timeout(300), asyncio.TaskGroup() as group:
            group.create_task(program())
            group.create_task(observe())
            for gap, what in changes:
                await asyncio.sleep(gap)
                server.happen(what)
            server.end(end)
        numbers = [record.starttime for record in known]
        assert numbers == sorted(numbers)
        assert session.watch.record.state is end
        await session.aclose()

    virtual_time.run(scenario())


soon = st.integers(0, 90).map(lambda number: 0.4 * 2 ** (-number / 10))  # from 0.8 ms to 0.4 s


@settings(max_examples=examples(200))
@given(waits=soon, runs=soon, latency=st.sampled_from((0.001, 0.02, 0.05)))
def test_an_announced_end_is_known_at_once_however_soon_it_comes(waits, runs, latency):
    """Also while a subscription is on its way, which announces nothing of what came before it."""

    async def scenario() -> None:
        server = SimulatedColony(lambda: latency)
        server.record = msgspec.structs.replace(server.record, state=WAITING, assignedexecutorid="")
        session = server.session()
        async with session.watch.following(), asyncio.timeout(60):
            await asyncio.sleep(waits)
            server.start()
            await asyncio.sleep(runs)
            server.close()
            closed = asyncio.get_running_loop().time()
            while not session.watch.is_over:
                await session.watch.change()
            assert asyncio.get_running_loop().time() - closed < 6 * latency + 0.01
        await session.aclose()

    virtual_time.run(scenario())
