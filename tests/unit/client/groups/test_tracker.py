"""What lists of processes show, and what they leave out."""

from __future__ import annotations

from colony_jupyter.client.groups.tracker import Ask, Member, Tracker
from colony_jupyter.wire.models import FunctionSpec, ProcessRecord, ProcessState

WAITING, RUNNING, SUCCESS, FAILED, CANCELLED = ProcessState


def record(number, state=WAITING, **facts):
    return ProcessRecord(
        processid=f"p{number}",
        state=state,
        prioritytime=number,
        submissiontime="2026-01-01T00:01:00Z",
        spec=FunctionSpec(funcname="f"),
        **facts,
    )


def tracker_of(count):
    tracker = Tracker()
    tracker.members = [Member(number, {}, FunctionSpec(funcname="f")) for number in range(count)]
    for member in tracker.members:
        tracker.submitted(member, record(member.index), 0.0)
    return tracker


def show(tracker, now=1.0, **lists):
    """Go through a round, with the lists of the states; returns what is to be asked for one by one."""
    for ask in tracker.begin_round():
        larger = ask
        while larger is not None:
            larger = tracker.listed(larger, lists.get(larger.state.name, [])[: larger.limit], now, now)
    return tracker.end_round()


def test_the_first_round_asks_for_every_state_and_the_next_ones_for_three():
    tracker = tracker_of(3)
    assert [ask.state for ask in tracker.begin_round()] == [WAITING, RUNNING, SUCCESS, FAILED, CANCELLED]
    tracker.end_round()
    assert [ask.state for ask in tracker.begin_round()] == [RUNNING, SUCCESS, FAILED]
    tracker.end_round()
    assert len(tracker.begin_round(everything=True)) == 5


def test_processes_are_learned_from_lists():
    tracker = tracker_of(3)
    assert show(tracker, WAITING=[record(2)], RUNNING=[record(1, RUNNING)], SUCCESS=[record(0, SUCCESS)]) == []
    assert tracker.counts() == {"WAITING": 1, "RUNNING": 1, "SUCCESS": 1}
    assert [member.index for member in tracker.over] == [0]
    assert not tracker.is_over


def test_processes_that_one_list_shows_are_over_in_the_order_in_which_they_closed():
    tracker = tracker_of(3)
    show(tracker, SUCCESS=[record(number, SUCCESS) for number in (1, 2, 0)])
    assert [member.index for member in tracker.over] == [0, 2, 1]


def test_a_list_that_shows_nothing_known_is_asked_for_again_with_more():
    tracker = tracker_of(30)
    tracker.begin_round()
    closed = [record(number, SUCCESS, endtime="2026-01-01T00:02:00Z") for number in range(10)]
    assert tracker.listed(Ask(SUCCESS, 10), closed, 1.0, 1.0) == Ask(SUCCESS, 100)


def test_a_list_that_reaches_back_before_the_group_is_complete():
    tracker = tracker_of(3)
    tracker.begin_round()
    earlier = [record(number, SUCCESS, endtime="2026-01-01T00:00:30Z") for number in range(100, 110)]
    assert tracker.listed(Ask(SUCCESS, 10), earlier, 1.0, 1.0) is None
    assert not tracker.is_behind


def test_processes_that_no_list_shows_are_asked_for():
    tracker = tracker_of(300)
    closed = [record(number, SUCCESS, endtime="2026-01-01T00:02:00Z") for number in range(50, 150)]
    running = [record(number, RUNNING) for number in range(150, 160)]
    waiting = [record(number) for number in range(160, 260)]
    suspects = show(tracker, WAITING=waiting, RUNNING=running, SUCCESS=closed)
    assert sorted(suspects) == sorted(f"p{number}" for number in range(50))
    assert tracker.is_behind
    for processid in suspects[:49]:
        tracker.learn(record(int(processid[1:]), SUCCESS), 2.0, 2.0)
        tracker.asked_for(processid)
    again = show(tracker, WAITING=waiting, RUNNING=running, SUCCESS=closed)
    assert again == suspects[49:]
    tracker.missing(again[0])
    tracker.asked_for(again[0])
    assert tracker.counts() == {"WAITING": 140, "RUNNING": 10, "SUCCESS": 149, "REMOVED": 1}
    assert not tracker.is_behind


def test_where_more_run_than_a_list_holds_only_those_not_known_to_run_are_asked_for():
    tracker = tracker_of(150)
    running = [record(number, RUNNING) for number in range(100)]
    suspects = show(tracker, RUNNING=running)
    assert sorted(suspects) == sorted(f"p{number}" for number in range(100, 150))
    for processid in suspects:
        tracker.learn(record(int(processid[1:]), RUNNING), 2.0, 2.0)
        tracker.asked_for(processid)
    assert show(tracker, RUNNING=running) == []
    assert tracker.counts() == {"RUNNING": 150}


def test_a_failure_without_errors_is_asked_for_once_more():
    tracker = tracker_of(1)
    assert show(tracker, FAILED=[record(0, FAILED)]) == ["p0"]
    tracker.learn(record(0, FAILED, errors=["no memory"]), 2.0, 2.0)
    tracker.asked_for("p0")
    assert tracker.members[0].record.errors == ["no memory"]
    assert show(tracker, FAILED=[record(0, FAILED, errors=["no memory"])]) == []
    assert len(tracker.over) == 1


def test_an_older_reply_changes_nothing():
    tracker = tracker_of(1)
    tracker.learn(record(0, RUNNING), 5.0, 6.0)
    tracker.learn(record(0, WAITING), 4.0, 7.0)
    assert tracker.counts() == {"RUNNING": 1}
    tracker.learn(record(0, WAITING), 8.0, 9.0)
    assert tracker.counts() == {"WAITING": 1}
    tracker.learn(record(0, SUCCESS), 1.0, 10.0)
    tracker.learn(record(0, RUNNING), 11.0, 12.0)
    assert tracker.counts() == {"SUCCESS": 1}


def test_a_process_that_was_found_after_it_had_closed_is_over():
    tracker = tracker_of(1)
    other = Member(1, {}, FunctionSpec(funcname="f"))
    tracker.members.append(other)
    tracker.submitted(other, record(1, SUCCESS), 0.0)
    assert tracker.over == [other]


def test_a_member_that_was_cancelled_is_over_at_once():
    tracker = tracker_of(2)
    member, other = tracker.members
    changes = tracker.changes
    tracker.cancelled(member)
    tracker.cancelled(member)
    assert (tracker.over, tracker.changes) == ([member], changes + 1)
    assert tracker.counts() == {"WAITING": 1, "CANCELLED": 1}
    tracker.learn(record(1, SUCCESS), 1.0, 1.0)
    tracker.cancelled(other)  # it has ended meanwhile
    assert tracker.counts() == {"SUCCESS": 1, "CANCELLED": 1}


def test_a_member_that_is_submitted_again_is_open_again():
    tracker = tracker_of(2)
    show(tracker, WAITING=[record(1)], FAILED=[record(0, FAILED, errors=["no"])])
    tracker.submitted(tracker.members[0], record(7), 3.0)
    assert tracker.counts() == {"WAITING": 2}
    show(tracker, FAILED=[record(0, FAILED, errors=["no"])])
    assert tracker.counts() == {"WAITING": 2}, "the earlier process is no member any more"
    assert tracker.owns("p0")
    assert tracker.owns("p7")
