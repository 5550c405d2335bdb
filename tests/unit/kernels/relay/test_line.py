"""Channels that are full, processes that need a successor, acknowledgements and the window."""

from __future__ import annotations

import pytest
from relay_log import Relay, item

from colony_jupyter.kernels.relay.framing import moved
from colony_jupyter.kernels.relay.layout import CTL, OUT, Limits
from colony_jupyter.kernels.relay.line import Position
from colony_jupyter.kernels.relay.sealing import Gap


def texts(party):
    return [text for _, text in party.delivered]


def test_a_full_channel_is_followed_by_the_next():
    relay = Relay(Limits(entries=3, channels=20))
    relay.session()
    sent = [b"%d" % number for number in range(10)]
    for text in sent:
        relay.host.line.put(OUT, item(text))
        relay.send(relay.host, OUT)
    relay.receive(relay.caller)
    assert texts(relay.caller) == sent
    assert sorted(relay.log) == ["out.1", "out.2", "out.3", "out.4"]
    assert all(len(log) <= 4 for log in relay.log.values())


@pytest.mark.parametrize("limits", [Limits(size=1_000), Limits(entries=5, channels=6)])
def test_a_process_that_fills_needs_a_successor(limits):
    relay = Relay(limits)
    relay.session()
    assert not relay.caller.line.occupancy.needs_successor
    for _ in range(20):
        relay.host.line.put(OUT, item(b"x" * 30))
        relay.send(relay.host, OUT)
    relay.receive(relay.caller)
    assert relay.caller.line.occupancy.needs_successor
    relay.successor()
    assert not relay.caller.line.occupancy.needs_successor


def test_no_more_than_the_window_is_sent_without_an_acknowledgement():
    relay = Relay(Limits(window=100))
    relay.session()
    for _ in range(5):
        relay.host.line.put(OUT, item(b"x" * 60))
        relay.send(relay.host, OUT)
    sent = sum(len(log) for log in relay.log.values())
    assert sent == 2
    relay.receive(relay.caller)
    assert relay.caller.line.unacknowledged
    relay.caller.line.note(item(b"", "ack"))
    relay.send(relay.caller, CTL)
    assert not relay.caller.line.unacknowledged
    relay.receive(relay.host)
    relay.send(relay.host, OUT)
    assert sum(len(log) for log in relay.log.values()) > sent


def test_what_is_new_after_a_restart_of_the_caller_is_sent_once():
    relay = Relay()
    relay.session()
    for number in range(4):
        relay.host.line.put(OUT, item(b"%d" % number))
        relay.send(relay.host, OUT)
        if number == 1:
            relay.receive(relay.caller)
    relay.kill_caller()
    relay.drain()
    assert texts(relay.caller) == [b"0", b"1", b"2", b"3"]


def test_a_note_is_not_sent_again():
    relay = Relay()
    relay.session()
    relay.caller.line.note(item(b"", "ping"))
    relay.send(relay.caller, CTL, lost_after=0)
    relay.session()
    assert relay.send(relay.caller, CTL) == 0


def test_nothing_is_sent_without_a_session():
    relay = Relay()
    relay.caller.line.put("in", item(b"x"))
    relay.caller.line.note(item(b"", "ping"))
    assert relay.send(relay.caller, "in") == 0
    assert relay.send(relay.caller, CTL) == 0


@pytest.mark.parametrize("channel", ["out.0", "out.99", "ctl", "other"])
def test_a_lane_continues_on_a_later_channel_only(channel):
    relay = Relay()
    relay.session()
    relay.session()
    payload = relay.host.line._sealer.seal(relay.host.line.out, moved(channel))
    with pytest.raises(Gap):
        relay.caller.line.feed(relay.host.line.out, payload)


def with_a_batch():
    """Return a relay on which a batch is on its way to the caller, and the texts in it."""
    relay = Relay()
    relay.session()
    sent = [b"%d" % number for number in range(5)]
    for text in sent:
        relay.host.line.put(OUT, item(text))
    relay.send(relay.host, OUT)
    return relay, sent


@pytest.mark.parametrize(
    ("end", "after"),
    [(Relay.kill_caller, 0), (Relay.kill_caller, 2), (Relay.kill_caller, 4), (Relay.give_up, 0), (Relay.give_up, 2)],
)
def test_after_the_end_of_a_program_or_of_a_delivery_the_rest_of_the_batch_is_delivered(end, after):
    relay, sent = with_a_batch()
    end(relay, after)
    assert texts(relay.caller) == sent[:after]
    relay.drain()
    assert texts(relay.caller) == sent


@pytest.mark.parametrize("after", [0, 2, 4])
def test_a_batch_that_is_being_delivered_when_a_session_begins_is_kept_until_it_was_delivered(after):
    """The program may be killed before the rest of the batch is delivered."""
    relay, sent = with_a_batch()
    relay.kill_caller(after, in_new_session=True)
    assert texts(relay.caller) == sent[:after]
    relay.drain()
    assert texts(relay.caller) == sent


def test_the_first_batch_of_another_kernel_is_delivered_as_a_whole():
    relay = Relay()
    relay.caller.line.resume_at({OUT: Position(7, 2)})
    relay.caller.line.new_kernel()
    relay.session()
    sent = [b"%d" % number for number in range(5)]
    for text in sent:
        relay.host.line.put(OUT, item(text))
    relay.drain()
    assert texts(relay.caller) == sent
    assert relay.caller.line.positions()[OUT] == Position(8)


def test_a_program_that_is_killed_after_it_attached_in_the_middle_goes_on_there():
    relay = Relay()
    relay.session()
    for text in (b"0", b"1"):
        relay.host.line.put(OUT, item(text))
        relay.send(relay.host, OUT)
    relay.receive(relay.caller)
    relay.caller.line.note(item(b"", "ack"))
    relay.send(relay.caller, CTL)
    relay.receive(relay.host)
    relay.attach()  # from another machine, which has no positions
    for text in (b"2", b"3", b"4"):
        relay.host.line.put(OUT, item(text))
    relay.send(relay.host, OUT)
    relay.kill_caller(2)
    assert relay.caller.line.positions()[OUT] == Position(2, 2)
    relay.drain()
    assert texts(relay.caller) == [b"2", b"3", b"4"]


def test_a_note_is_unsent_until_it_was_sent_or_its_session_has_ended():
    relay = Relay()
    relay.session()
    line = relay.caller.line
    line.note(item(b"", "detach"))
    assert line.has_unsent(CTL)
    relay.send(relay.caller, CTL)
    assert not line.has_unsent(CTL)
    line.note(item(b"", "detach"))
    line.end()
    assert not line.has_unsent(CTL)


def test_what_follows_a_batch_that_was_given_up_waits_for_the_next_session():
    """Otherwise it would count as received, and the batch with it."""
    relay = Relay()
    relay.session()
    for text in (b"one", b"two"):
        relay.host.line.put(OUT, item(text))
        relay.send(relay.host, OUT)
    relay.give_up(after=0)  # of the first batch
    relay.receive(relay.caller)
    assert relay.caller.delivered == []
    relay.session()
    relay.drain()
    assert texts(relay.caller) == [b"one", b"two"]
