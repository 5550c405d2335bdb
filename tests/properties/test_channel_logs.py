"""The log of a channel: what is on disk and what is not yet are read as one list, in the server's order."""

from __future__ import annotations

import functools
from unittest import mock

from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from colony_jupyter.server.state import channel_logs
from colony_jupyter.server.state.channel_logs import ChannelLog
from colony_jupyter.server.state.records import StoredEntry


class Disk:
    """A store that writes when it is asked to."""

    def __init__(self) -> None:
        self.entries: list[StoredEntry] = []

    def read(self, processid, name, first, last):
        assert first >= 1
        yield from list(enumerate(self.entries, 1))[first - 1 : last]


def order(one, other):
    if one.senderid == other.senderid:
        return one.sequence - other.sequence
    return one.timestamp - other.timestamp


class Model:
    """The log as one list in memory."""

    def __init__(self, log) -> None:
        self.log, self.highest = list(log), {}
        grows = [self.note(entry) for entry in log]
        if not all(grows):
            self.log.sort(key=functools.cmp_to_key(order))

    def note(self, entry):
        highest = self.highest.get(entry.senderid, entry.sequence)
        self.highest[entry.senderid] = max(entry.sequence, highest)
        return entry.sequence >= highest

    def append(self, entry):
        place = len(self.log)
        if not self.note(entry):
            while place and order(entry, self.log[place - 1]) < 0:
                place -= 1
        self.log.insert(place, entry)


APPENDS = st.tuples(st.just("append"), st.sampled_from(["ann", "one"]), st.integers(0, 6), st.integers(0, 9))
READS = st.tuples(st.just("read"), st.integers(0, 12), st.none() | st.integers(0, 14))
WRITES = st.tuples(st.just("write"), st.integers(1, 4))


@settings(max_examples=examples(400))
@given(st.lists(APPENDS | READS | WRITES | st.just(("open",)), max_size=60), st.integers(1, 5))
def test_a_log_is_that_of_a_list_in_memory_whatever_is_written_and_whenever_it_is_opened_again(steps, step):
    with mock.patch.object(channel_logs, "_STEP", step):  # else a log of this length is read at once
        play(steps)


def play(steps):
    disk, model, unwritten = Disk(), Model([]), []
    channel, heard = ChannelLog("c", "p", disk), []

    def listen(place, entry):
        heard.append((place, entry))

    channel.listeners.add(listen)

    def write(count):
        for entry in unwritten[:count]:
            disk.entries.append(entry)
            channel.publish(len(disk.entries), entry)
        del unwritten[:count]

    for what, *values in steps:
        if what == "append":
            sender, sequence, timestamp = values
            # The payload is unlike all others: places are compared, not only what the order depends on.
            entry = StoredEntry(sequence, 0, timestamp, sender, b"%d" % channel.arrived)
            channel.append(entry)
            model.append(entry)
            unwritten.append(entry)
        elif what == "write":
            write(*values)
        elif what == "open":
            write(len(unwritten))
            channel, model = ChannelLog("c", "p", disk), Model(disk.entries)
            channel.listeners.add(listen)
        else:
            start, end = values
            assert channel.read(start, end) == model.log[start:end]
        assert channel.arrived == len(model.log)
    assert channel.read(0, None) == model.log
    assert heard == list(enumerate(disk.entries, 1))
