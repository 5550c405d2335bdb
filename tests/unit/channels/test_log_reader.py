"""Which lines of a log are new, and when it is asked for again."""

from __future__ import annotations

import pytest

from colony_jupyter.channels.log_reader import LATE, LONGEST, SHORTEST, LogReader
from colony_jupyter.wire.models import Log


def line(timestamp, message="m", executorname="e"):
    return Log(processid="p", colonyname="c", executorname=executorname, message=message, timestamp=timestamp)


def messages(lines):
    return [each.message for each in lines]


def test_a_line_that_is_listed_again_is_not_new():
    reader = LogReader()
    assert messages(reader.add([line(1, "a"), line(2, "b")], 0.0, 0.1)) == ["a", "b"]
    assert messages(reader.add([line(1, "a"), line(2, "b"), line(3, "c")], 0.6, 0.7)) == ["c"]


def test_equal_lines_of_one_time_are_counted():
    reader = LogReader()
    assert messages(reader.add([line(1), line(1)], 0.0, 0.1)) == ["m", "m"]
    assert messages(reader.add([line(1), line(1), line(1)], 0.6, 0.7)) == ["m"]
    assert messages(reader.add([line(1), line(1, executorname="f"), line(1), line(1)], 1.0, 1.1)) == ["m"]


def test_a_line_that_appears_before_the_newest_one_is_delivered():
    reader = LogReader()
    reader.add([line(20, "b")], 0.0, 0.1)
    assert reader.since == 0
    assert messages(reader.add([line(10, "a"), line(20, "b")], 1.0, 1.1)) == ["a"]


def test_what_cannot_change_any_more_is_not_asked_for_again():
    reader = LogReader()
    reader.add([line(10), line(20)], 0.0, 0.1)
    reader.add([line(10), line(20)], 0.1 + LATE - 0.01, 2.2)
    assert reader.since == 0
    reader.add([line(10), line(20)], 0.1 + LATE, 2.3)
    assert reader.since == 20


def test_what_is_older_than_lines_can_be_late_is_not_asked_for_again():
    reader = LogReader()
    second = 1_000_000_000
    reader.add([line(1 * second), line(10 * second)], 0.0, 0.1)
    assert reader.since == 8 * second


def test_a_full_page_is_followed_by_the_next_one_at_once():
    reader = LogReader()
    assert messages(reader.add([line(1, "a"), line(2, "b"), line(3, "c")], 0.0, 0.1, count=3)) == ["a", "b", "c"]
    assert (reader.since, reader.wait(0.1)) == (2, 0.0)
    assert messages(reader.add([line(3, "c"), line(3, "d"), line(4, "e")], 0.1, 0.2, count=3)) == ["d", "e"]
    assert reader.since == 3
    assert messages(reader.add([line(4, "e")], 0.2, 0.3, count=3)) == []
    assert reader.wait(0.3) == SHORTEST


def test_a_page_of_one_time_is_followed_if_others_may_come_after_it():
    reader = LogReader()
    reader.add([line(5, str(number)) for number in range(3)], 0.0, 0.1, count=3)
    assert reader.stuck_at == 0
    reader.add([line(5, str(number)) for number in range(3)], 0.1, 0.2, count=3)
    assert reader.stuck_at == 5


def test_calls_are_frequent_while_lines_arrive():
    reader = LogReader()
    now = 0.0
    pauses = []
    for _ in range(8):
        reader.add([], now, now)
        pauses.append(reader.wait(now))
        now += pauses[-1]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST
    reader.add([line(1)], now, now)
    assert reader.wait(now) == SHORTEST


class TestEnd:
    def test_the_log_is_read_until_no_line_can_appear(self):
        reader = LogReader()
        reader.add([line(1)], 9.0, 9.1)
        reader.closed(9.2)
        assert reader.wait(9.2) == 0.0
        now = 9.2
        asked = []
        while not reader.is_over:
            now += reader.wait(now)
            asked.append(now)
            reader.add([line(1)], now, now + 0.01)
        assert asked[-1] == pytest.approx(9.2 + LATE)

    def test_a_process_that_ended_long_ago_is_read_once(self):
        reader = LogReader()
        reader.closed(5.0, ago=100.0)
        reader.add([line(1)], 5.0, 5.1)
        assert reader.is_over

    def test_a_call_from_before_the_end_is_not_the_last(self):
        reader = LogReader(waits_if_empty=False)
        reader.closed(5.0)
        reader.add([], 4.9, 5.1)
        assert not reader.is_over
        assert reader.wait(5.1) == 0.0
        reader.add([], 5.1, 5.2)
        assert reader.is_over

    def test_the_end_is_followed_by_a_call_at_once(self):
        reader = LogReader()
        reader.add([line(1)], 3.0, 3.1)
        reader.closed(5.0)
        assert reader.wait(5.0) == 0.0
        reader.add([line(1)], 4.9, 5.1)  # made before the end was known
        assert reader.wait(5.1) == 0.0
        reader.add([line(1)], 5.1, 5.2)
        assert 0.0 < reader.wait(5.2) <= LONGEST

    def test_an_empty_log_may_be_left_at_once(self):
        reader = LogReader(waits_if_empty=False)
        reader.closed(5.0)
        reader.add([line(1)], 5.0, 5.1)
        assert not reader.is_over

    def test_a_full_page_is_not_the_last(self):
        reader = LogReader()
        reader.closed(5.0, ago=100.0)
        reader.add([line(1), line(2)], 5.0, 5.1, count=2)
        assert not reader.is_over
