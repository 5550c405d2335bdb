"""Channels of processes: order of a log, what of it is on disk, listeners, access and limits."""

from __future__ import annotations

import pytest

from colony_jupyter.server.errors import Refused
from colony_jupyter.server.state.channel_logs import ChannelLog, ChannelLogs, Gone
from colony_jupyter.server.state.records import Process, StoredEntry
from colony_jupyter.wire.limits import APPEND_BURST, APPEND_RATE, MAX_CHANNELS, MAX_ENTRIES, MAX_PAYLOAD
from colony_jupyter.wire.models import ProcessState

SECOND = 10**9


def entry(sequence, timestamp=0, sender="ann", payload=b""):
    return StoredEntry(sequence, 0, timestamp, sender, payload)


class Kept:
    """What is on disk: the entries of one channel."""

    def __init__(self, *entries) -> None:
        self.entries = list(entries)

    def read(self, processid, name, first, last):
        assert (processid, name) == ("p", "c")
        yield from list(enumerate(self.entries, 1))[first - 1 : last]


def made(*kept, **options):
    return ChannelLog("c", "p", Kept(*kept), **options)


def sequences(channel, start=0, end=None):
    return [each.sequence for each in channel.read(start, end)]


@pytest.fixture
def process(make_spec):
    """Return a function that makes a process of ann with channels."""

    def make(*channels, **members):
        given = {"processid": "p", "colonyname": "dev", "initiatorid": "ann", "initiatorname": "ann"}
        return Process(**given, spec=make_spec(channels=list(channels)), order=1, priority=1, submitted=1, **members)

    return make


@pytest.fixture
def channels():
    return ChannelLogs(Kept(), limits=True)


# One channel


def test_growing_sequences_stay_in_the_order_of_arrival():
    channel = made()
    for number, sender in enumerate(("ann", "one", "ann", "one")):
        channel.append(entry(number, number, sender))
    assert sequences(channel) == [0, 1, 2, 3]


def test_an_entry_with_a_lower_sequence_of_its_sender_is_put_before_the_higher_ones():
    channel = made()
    for place, sequence in enumerate((3, 5, 4, 4, 1)):
        channel.append(entry(sequence, place))
    assert sequences(channel) == [1, 3, 4, 4, 5]
    assert [each.timestamp for each in channel.read(2, 4)] == [2, 3]  # equal ones stay in the order of arrival
    assert channel.arrived == 5


def test_a_late_entry_does_not_pass_an_earlier_one_of_the_other_sender():
    channel = made()
    channel.append(entry(5, 1, "one"))
    channel.append(entry(7, 2, "ann"))
    channel.append(entry(3, 3, "one"))
    assert sequences(channel) == [5, 7, 3]


def test_a_stored_log_is_sorted_as_it_was():
    channel = made(*(entry(sequence, place) for place, sequence in enumerate((1, 5, 3))))
    assert sequences(channel) == [1, 3, 5]
    assert channel.arrived == 3
    channel.append(entry(2, 9))
    assert sequences(channel) == [1, 2, 3, 5]


def test_entries_are_read_from_the_disk_once_they_are_written():
    kept = Kept(entry(1), entry(2))
    channel = ChannelLog("c", "p", kept)
    for number in (3, 4, 5):
        channel.append(entry(number))
    kept.entries += [entry(3, payload=b"written"), entry(4, payload=b"written")]
    channel.publish(3, entry(3))
    assert [each.payload for each in channel.read(0, None)] == [b"", b"", b"written", b"", b""]
    assert sequences(channel) == [1, 2, 3, 4, 5]
    assert sequences(channel, 1, 4) == [2, 3, 4]
    assert sequences(channel, 4, 9) == [5]
    assert sequences(channel, 5, 9) == []


def test_a_log_that_is_not_in_the_order_of_arrival_is_read_in_its_own_order_from_the_disk():
    kept = Kept(entry(1), entry(5))
    channel = ChannelLog("c", "p", kept)
    channel.append(entry(3))
    channel.append(entry(7))
    kept.entries.append(entry(3))
    channel.publish(3, entry(3))
    assert sequences(channel) == [1, 3, 5, 7]
    assert sequences(channel, 1, 2) == [3]
    assert sequences(channel, 2, 4) == [5, 7]


def test_a_channel_whose_entries_are_about_to_be_deleted_begins_empty():
    channel = made(entry(1), empty=True)
    assert sequences(channel) == []
    channel.append(entry(7))
    assert sequences(channel) == [7]
    assert channel.arrived == 1


def test_every_listener_gets_an_entry_with_its_number_and_may_leave_meanwhile():
    channel, heard = made(), []

    def once(place, given):
        heard.append(("once", place, given))
        channel.listeners.discard(once)

    channel.listeners |= {once, lambda place, given: heard.append(("always", place, given))}
    first = entry(1)
    channel.append(first)
    channel.publish(channel.arrived, first)
    channel.announce_gone(Gone.VANISHED)
    assert sorted(each[:2] for each in heard) == [("always", 1), ("always", 2), ("once", 1)]
    assert [each[2] for each in heard if each[0] == "always"] == [first, Gone.VANISHED]


# All channels


def test_a_process_has_the_channels_that_it_declares(channels, process):
    declaring = process("c", "c", "")
    channel = channels.open(declaring, "c", "ann", "read from")
    assert channels.open(declaring, "c", "ann", "write to") is channel
    with pytest.raises(Refused, match="Channel not found"):
        channels.open(declaring, "d", "ann", "read from")


def test_a_process_that_declares_none_has_none(channels, process):
    with pytest.raises(Refused, match="Channel not found"):
        channels.open(process(), "c", "ann", "read from")


def test_channels_beyond_the_limit_are_not_made(process):
    """Trap 25: reading one of them is refused with other words than subscribing to it."""
    channels = ChannelLogs(Kept(), limits=True)
    names = [*(f"c{number}" for number in range(MAX_CHANNELS - 1)), "c", "last"]
    many = process(*names)
    assert channels.open(many, "c", "ann", "write to").name == "c"
    for doing, status, words in (
        ("write to", 500, "process has too many channels"),
        ("subscribe to", 404, "Channel not found"),
    ):
        with pytest.raises(Refused, match=words) as refused:
            channels.open(many, "last", "ann", doing)
        assert refused.value.status == status


def test_a_channel_is_open_to_the_initiator_and_to_the_executor_it_was_assigned_to(channels, process):
    made = process("c")
    assert channels.open(made, "c", "ann", "read from").name == "c"
    with pytest.raises(Refused, match="Not authorized to read from channel"):
        channels.open(made, "c", "one", "read from")
    made.channelsid = "one"
    assert channels.open(made, "c", "one", "read from").name == "c"
    with pytest.raises(Refused, match="Not authorized to write to channel") as refused:
        channels.open(made, "c", "bob", "write to")
    assert refused.value.status == 403
    with pytest.raises(Refused, match="Channel not found"):
        channels.open(made, "other", "ann", "read from")


@pytest.mark.parametrize(
    ("state", "there"),
    [(ProcessState.CANCELLED, True), (ProcessState.SUCCESS, False), (ProcessState.FAILED, False)],
)
@pytest.mark.parametrize("written", [False, True])
def test_dropped_channels_come_back_empty_after_a_cancellation_only(process, state, there, written):
    kept = Kept(entry(1))
    channels, made = ChannelLogs(kept, limits=True), process("c")
    assert sequences(channels.open(made, "c", "ann", "read from")) == [1]
    publish = channels.drop("p")
    made.state = state
    if written:
        kept.entries.clear()
        publish()
    if there:
        assert sequences(channels.open(made, "c", "ann", "read from")) == []
    else:
        with pytest.raises(Refused, match="Channel not found"):
            channels.open(made, "c", "ann", "read from")


def test_channels_that_are_dropped_twice_are_empty_until_the_second_time_is_written(process):
    kept = Kept(entry(1))
    channels, cancelled = ChannelLogs(kept, limits=True), process("c", state=ProcessState.CANCELLED)
    first = channels.drop("p")
    second = channels.drop("p")
    first()
    assert sequences(channels.open(cancelled, "c", "ann", "read from")) == []
    third = channels.drop("p")
    second()
    assert sequences(channels.open(cancelled, "c", "ann", "read from")) == []
    channels.drop("p")
    third()
    assert sequences(channels.open(cancelled, "c", "ann", "read from")) == []


def test_a_channel_is_as_it_is_on_disk_when_it_is_first_used(process):
    channels = ChannelLogs(Kept(entry(1), entry(3)), limits=True)
    for state in (ProcessState.RUNNING, ProcessState.CANCELLED):  # a cancelled one can have come by entries again
        channel = channels.open(process("c", state=state), "c", "ann", "read from")
        assert (sequences(channel), channel.arrived) == ([1, 3], 2)


def test_listeners_hear_of_the_end_once_everything_before_it_was_passed_on(channels, process):
    channel, heard = channels.open(process("c"), "c", "ann", "subscribe to"), []
    channel.listeners.add(lambda _, what: heard.append(what))
    publish = channels.drop("p")
    assert heard == []
    publish()
    assert heard == [Gone.VANISHED]


def test_listeners_are_asked_to_listen_again_when_the_state_is_read_anew(channels, process):
    channel, heard = channels.open(process("c"), "c", "ann", "subscribe to"), []
    channel.listeners.add(lambda _, what: heard.append(what))
    channels.end_subscriptions()
    assert heard == [Gone.READ_AGAIN]


# Limits


def test_too_large_a_payload_is_refused_with_and_without_limits(process):
    for limits in (True, False):
        channels, full = ChannelLogs(Kept(), limits=limits), process("c")
        channels.admit(full, made(), bytes(MAX_PAYLOAD), 0)
        channels.admit(full, made(), None, 0)
        with pytest.raises(Refused, match="message payload exceeds maximum size") as refused:
            channels.admit(full, made(), bytes(MAX_PAYLOAD + 1), 0)
        assert refused.value.status == 500


def admitted(channels, process, now, most):
    """How many entries are taken at once."""
    channel = channels.open(process, "c", "ann", "write to")
    for number in range(most):
        try:
            channels.admit(process, channel, b"", now)
        except Refused as refused:
            if (refused.status, refused.message) != (500, "rate limit exceeded"):
                raise
            return number
    return most


def test_appends_of_a_process_are_limited_and_the_limit_recovers_with_time(channels, process):
    limited = process("c")
    assert admitted(channels, limited, 0, 2 * APPEND_BURST) == APPEND_BURST
    assert admitted(channels, limited, SECOND // 10, 100) == APPEND_RATE // 10
    assert admitted(channels, limited, 3600 * SECOND, 2 * APPEND_BURST) == APPEND_BURST


def test_without_limits_any_rate_and_any_number_is_accepted(process):
    channels = ChannelLogs(Kept(*map(entry, range(MAX_ENTRIES))), limits=False)
    assert admitted(channels, process("c"), 0, 2 * APPEND_BURST) == 2 * APPEND_BURST


def test_a_full_log_accepts_nothing_more(channels, process):
    with pytest.raises(Refused, match="channel log is full") as refused:
        channels.admit(process("c"), made(*map(entry, range(MAX_ENTRIES))), b"", 0)
    assert refused.value.status == 500
