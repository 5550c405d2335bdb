"""Reading a log: each line once and in order, whatever the server and the network do."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colony_jupyter.channels.log_reader import LATE, LogReader
from colony_jupyter.wire.models import Log

PAGE = 20
"""Lines of a reply; 500 on a server."""
SECOND = 1_000_000_000


@dataclass
class Server:
    """A log on a server whose clock has coarse ticks, and which lists lines some time after it received them.

    Attributes:
        tick: nanoseconds between two times that the clock shows.
        random: orders lines of one time, which a database returns in any order.
    """

    tick: int
    random: Random
    lines: list[tuple[float, Log]] = field(default_factory=list)  # with the time from which each is listed

    def add(self, now: float, message: str, late: float, executorname: str) -> None:
        timestamp = SECOND + int(now * SECOND) // self.tick * self.tick
        log = Log(processid="p", colonyname="c", executorname=executorname, message=message, timestamp=timestamp)
        self.lines.append((now + late, log))

    def reply(self, now: float, since: int) -> list[Log]:
        listed = [log for at, log in self.lines if at <= now and log.timestamp > since]
        self.random.shuffle(listed)
        return sorted(listed, key=lambda log: log.timestamp)[:PAGE]


def read(server: Server, random: Random, closed: float, cuts: float) -> list[Log]:
    """Read the log of a process that ends at a time; a share of the calls fails on the way there or back."""
    reader = LogReader()
    got: list[Log] = []
    now = 0.0
    for _ in range(100_000):
        if reader.is_over:
            return got
        if now >= closed:
            reader.closed(now)
        now += reader.wait(now)
        sent, since = now, reader.since
        now += random.choice((0.001, 0.05, 0.4))
        lines = server.reply(now, since)
        now += random.choice((0.001, 0.05, 0.4))
        if random.random() < cuts:
            now += random.choice((0.1, 5.0))  # refused, or the reply is lost, or the server is restarted
            continue
        assert not reader.stuck_at
        got += reader.add(lines, sent, now, PAGE)
    pytest.fail("reading does not end")


GAPS = st.sampled_from([0.0, 0.0, 0.0001, 0.003, 0.2, 1.0, 6.0])
LATENESS = st.sampled_from([0.0, 0.0, 0.0, 0.01, 0.7, 1.9])
WRITTEN = st.lists(
    st.tuples(GAPS, st.sampled_from(["a", "b", "c"]), LATENESS, st.sampled_from(["e", "f"])), max_size=120
)
TICKS = st.sampled_from([1, 1_000_000, 20_000_000])


def most_of_one_time(server: Server) -> int:
    times = [log.timestamp for _, log in server.lines]
    return max(map(times.count, times), default=0)


@given(written=WRITTEN, tick=TICKS, seed=st.integers(0, 2**32), cuts=st.sampled_from([0.0, 0.2, 0.6]))
def test_each_line_arrives_once(written, tick, seed, cuts):
    random = Random(seed)
    server = Server(tick, random)
    now = 0.1
    for gap, message, late, executorname in written:
        now += gap
        if most_of_one_time(server) < PAGE - 1:
            server.add(now, message, late, executorname)
    got = read(server, random, closed=now, cuts=cuts)
    key = lambda log: (log.timestamp, log.executorname, log.message)  # noqa: E731
    assert sorted(map(key, got)) == sorted(key(log) for _, log in server.lines)


@given(gaps=st.lists(GAPS, max_size=200), seed=st.integers(0, 2**32), cuts=st.sampled_from([0.0, 0.2, 0.6]))
def test_lines_of_one_executor_arrive_in_their_order(gaps, seed, cuts):
    random = Random(seed)
    server = Server(1, random)
    now = 0.1
    for number, gap in enumerate(gaps):
        now += gap + 1e-6  # the next call is made when the one before was answered
        server.add(now, str(number), 0.0, "e")
    got = read(server, random, closed=now, cuts=cuts)
    assert [log.message for log in got] == [str(number) for number in range(len(gaps))]


@given(count=st.integers(1, 10), seed=st.integers(0, 2**32))
def test_lines_that_appear_after_the_end_arrive(count, seed):
    random = Random(seed)
    server = Server(1, random)
    for number in range(count):
        server.add(1.0 + number / 100, str(number), LATE - 0.1 - random.random(), "e")
    got = read(server, random, closed=1.0 + count / 100, cuts=0.0)
    assert sorted(log.message for log in got) == sorted(str(number) for number in range(count))
