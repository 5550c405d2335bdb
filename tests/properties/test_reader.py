"""The reader against a simulated server that does to it what a real one does: the consumer sees exactly the log."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from reader_scene import ME, OTHER, World

from colony_jupyter.channels.effects import StreamState

if TYPE_CHECKING:
    from collections.abc import Callable

OPS = [
    *("append", "append other", "connect", "deliver", "deliver", "cut", "end", "answer", "lose answer", "tick", "pass"),
    *("refuse", "fail", "reply"),
]
RENEWALS = [
    *("renew", "tick", "tick", "cut", "end", "calm", "append", "connect", "deliver", "reply", "answer", "lose answer"),
]
"""Few disturbances, around the moments in which a window that stands is followed by the next one."""
READS = ["insert", "append", "connect", "deliver"]
"""What happens while the log is read; the next window does not bring what is inserted."""
WINDOW_OPS: dict[str, Callable[..., object]] = {
    "connect": World.connect,
    "deliver": World.deliver,
    "cut": World.cut,
    "end": World.end_window,
    "refuse": World.refuse,
    "fail": partial(World.refuse, is_refused=False),
}


TIME_OPS: dict[str, Callable[[World], object]] = {
    "reply": World.send_reply,
    "answer": World.answer,
    "lose answer": partial(World.answer, lost=True),
    "tick": World.tick,
    "calm": World.calm,
    "renew": World.renew,
    "insert": partial(World.append, sender=ME, back=5),
}


def play(world: World, data: st.DataObject, *, steps: int, inserts: bool, ops: list[str] = OPS) -> None:
    for _ in range(steps):
        if world.reader.state.is_over:
            return
        op = data.draw(st.sampled_from(ops))
        windows = sorted(world.subscriptions)
        if op.startswith("append"):
            back = data.draw(st.sampled_from((0, 0, 0, 1, 3))) if inserts else 0
            world.append(OTHER if op.endswith("other") else ME, back=back)
        elif op in WINDOW_OPS and windows:
            WINDOW_OPS[op](world, data.draw(st.sampled_from(windows)))
        elif op in TIME_OPS:
            TIME_OPS[op](world)
        elif op == "pass":
            world.advance(data.draw(st.sampled_from((0.01, 0.5, 2.0))))


@settings(max_examples=examples(400), deadline=None)
@given(st.data())
def test_every_entry_once_in_the_order_it_arrived(data):
    world = World()
    play(world, data, steps=60, inserts=False)
    world.drain()
    assert world.delivered == world.arrived
    assert world.reader.state is StreamState.OPEN


@settings(max_examples=examples(400), deadline=None)
@given(st.data(), st.sampled_from(("refused", "fail", "silent")))
def test_every_entry_once_while_the_process_runs_where_websockets_do_not_work(data, sockets):
    world = World()
    play(world, data, steps=60, inserts=False)
    world.drain(sockets)
    assert world.delivered == world.arrived
    assert not world.reader.state.is_over
    if sockets != "silent":
        assert world.reader.state is StreamState.OPEN
        assert world.reader.polling
    world.append(OTHER)
    begun = world.now
    while len(world.delivered) < len(world.arrived):
        assert world.now - begun < (20 if sockets == "silent" else 2.1)
        world.tick()
        for window in list(world.subscriptions):
            if sockets == "silent":
                world.connect(window)
            else:
                world.refuse(window, is_refused=sockets == "refused")
        world.answer()
    assert world.delivered == world.arrived
    while world.reader.polling:
        assert world.now - begun < 100
        world.drain()
    assert world.delivered == world.arrived


@settings(max_examples=examples(200), deadline=None)
@given(st.data(), st.lists(st.sampled_from(("data", "end", "loss")), min_size=1, max_size=3))
def test_a_close_while_the_log_is_polled_ends_it_within_five_seconds(data, latest):
    """It is complete where the latest entry is an end; otherwise it breaks, since entries may be missing.

    That of a lost log has no meaning for the one that replaced it.
    """
    world = World(survives_loss=True)
    world.reader._ends = lambda entry: False
    play(world, data, steps=40, inserts=False)
    world.drain("refused")
    for what in latest:
        if what == "loss":
            world.restart()
        else:
            world.append(OTHER, kind=what)
        world.drain("refused")
    world.closed = True
    closed = world.now
    world.reader.process_closed(world.now)
    world.settle()
    while not world.reader.state.is_over:
        for window in list(world.subscriptions):
            world.refuse(window)
        world.answer()
        world.tick()
    assert world.now - closed < 5
    assert world.delivered == world.arrived
    is_complete = latest[-1] == "end"
    assert world.reader.state is (StreamState.ENDED if is_complete else StreamState.BROKEN)
    assert is_complete or "the log was polled" in world.reader.reason


@settings(max_examples=examples(400), deadline=None)
@given(st.data())
def test_entries_inserted_before_the_read_position_are_not_missed(data):
    world = World()
    play(world, data, steps=60, inserts=True)
    world.drain()
    assert sorted(world.delivered, key=lambda entry: entry.timestamp) == world.arrived
    assert len(set(map(id, world.delivered))) == len(world.delivered)


@settings(max_examples=examples(400), deadline=None)
@given(st.data())
def test_where_the_network_is_good_all_entries_are_there_before_an_idle_log_is_read(data):
    world = World()
    play(world, data, steps=60, inserts=True, ops=RENEWALS)
    for _ in world.run(world.reader._policy.silence - 0.1):
        pass
    assert sorted(world.delivered, key=lambda entry: entry.timestamp) == world.arrived


@settings(max_examples=examples(100), deadline=None)
@given(st.data(), st.booleans(), st.booleans())
def test_entries_inserted_while_the_log_is_read_are_there_before_it_is_idle(data, has_left, is_cut):
    """The next window shows them, but the reply may have left before they were inserted."""
    world = World()
    for _ in range(3):
        world.append(ME)
    world.renew()
    world.tick()
    assert world.reads
    if has_left:
        world.send_reply()
    if is_cut:
        world.cut(min(world.subscriptions))
    play(world, data, steps=6, inserts=False, ops=READS)
    for _ in world.run(world.reader._policy.silence - 0.1):
        pass
    assert sorted(world.delivered, key=lambda entry: entry.timestamp) == world.arrived


@settings(max_examples=examples(200), deadline=None)
@given(st.data())
def test_where_the_network_is_good_each_window_is_followed_before_it_ends(data):
    world = World()
    play(world, data, steps=60, inserts=False, ops=RENEWALS)
    for _ in world.run(100.0):
        pass
    assert not world.unfollowed
    assert world.reader.state is StreamState.OPEN
    assert world.delivered == world.arrived


@settings(max_examples=examples(300), deadline=None)
@given(st.data())
def test_it_ends_at_the_end_entry_with_everything_before_it(data):
    world = World()
    play(world, data, steps=40, inserts=False)
    world.append(OTHER, kind="end")
    world.append(ME)
    play(world, data, steps=20, inserts=False)
    world.drain()
    assert world.reader.state is StreamState.ENDED
    end = next(i for i, entry in enumerate(world.arrived) if entry.is_end)
    assert world.delivered == world.arrived[: end + 1]


@settings(max_examples=examples(400), deadline=None)
@given(st.data())
def test_after_the_process_closed_it_is_complete_or_broken(data):
    world = World()
    play(world, data, steps=40, inserts=False)
    world.closed = True
    play(world, data, steps=10, inserts=False)
    if not world.reader.state.is_over:
        world.reader.process_closed(world.now)
        world.settle()
    world.drain()
    assert world.reader.state.is_over
    if world.reader.state is StreamState.ENDED:
        assert world.delivered == world.arrived
    else:
        assert world.delivered == world.arrived[: len(world.delivered)]


def test_a_log_that_a_restart_emptied_breaks_the_stream():
    world = World()
    world.append(OTHER)
    world.append(OTHER)
    world.drain()
    world.restart()
    world.append(OTHER)
    world.drain()
    assert world.reader.state is StreamState.BROKEN
    assert "lost" in world.reader.reason


@pytest.mark.parametrize("entries", [0, 3])
def test_an_idle_stream_renews_its_window_before_it_ends(entries):
    world = World()
    for _ in range(entries):
        world.append(OTHER)
    (first,) = world.subscriptions
    world.connect(first)
    world.deliver(first)
    begun = world.now
    while len(world.subscriptions) < 2:
        world.advance(max(0.0, world.reader.deadline() - world.now))
        world.answer()
    assert world.now - begun < 25
    assert first in world.subscriptions
    second = max(world.subscriptions)
    world.connect(second)
    world.deliver(second)
    world.advance(1.0)
    assert list(world.subscriptions) == [second]
