from __future__ import annotations

from colony_jupyter.channels.inbox import Inbox, Verdict
from colony_jupyter.wire.models import Entry


def entry(n: int, sender: str = "a", time: str = "") -> Entry:
    return Entry(sequence=n, senderid=sender, timestamp=time or f"t{n}")


def test_repeats_fall_out_and_are_counted():
    inbox = Inbox()
    assert inbox.add([entry(1), entry(2)]) == [entry(1), entry(2)]
    assert inbox.add([entry(2), entry(3), entry(3)]) == [entry(3)]
    assert (len(inbox), inbox.repeats) == (3, 2)


def test_a_sender_may_use_a_sequence_twice():
    inbox = Inbox()
    assert len(inbox.add([entry(1, time="t1"), entry(1, time="t2"), entry(1, "b", "t1")])) == 3


def test_it_resumes_one_entry_back():
    inbox = Inbox()
    assert inbox.resume_at == 0
    inbox.add([entry(1), entry(2), entry(3)])
    assert inbox.resume_at == 2


def test_a_tail_that_begins_with_what_was_there_is_complete():
    inbox = Inbox()
    inbox.add([entry(1), entry(2)])
    assert inbox.judge([entry(2), entry(3)], 2) is Verdict.COMPLETE
    assert inbox.judge([entry(2)], 2) is Verdict.COMPLETE


def test_entries_that_came_since_it_was_asked_for_count_as_new():
    inbox = Inbox()
    inbox.add([entry(1), entry(2)])
    inbox.add([entry(3)])
    assert inbox.judge([entry(2), entry(3), entry(4)], 2) is Verdict.COMPLETE


def test_an_entry_inserted_further_up_shows_by_the_count():
    inbox = Inbox()
    inbox.add([entry(1), entry(5)])
    # The log is 1, 3, 5 now: from index 1 on there are two entries, and only one of them is new ...
    assert inbox.judge([entry(3), entry(5)], 2) is Verdict.COMPLETE
    # ... but with 0 inserted too, the log 0, 1, 3, 5 shows 1, 3, 5 from there: two of the three were known.
    assert inbox.judge([entry(1), entry(3), entry(5)], 2) is Verdict.INSERTED


def test_a_tail_without_anything_known_is_of_another_log():
    inbox = Inbox()
    inbox.add([entry(1), entry(2)])
    assert inbox.judge([], 2) is Verdict.REPLACED
    assert inbox.judge([entry(9)], 2) is Verdict.REPLACED
