"""The board of a group, and how it is written as text and as a transcript."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from colony_jupyter.notebook.formats.board_text import as_html, as_text, bundle
from colony_jupyter.notebook.model.board import Board, Cell, Row, Section
from colony_jupyter.notebook.model.group_board import Facts, GroupModel, arguments, rate_text, span_text
from colony_jupyter.wire.models import FunctionSpec, ProcessRecord, ProcessState

BEGUN = datetime(2026, 1, 1, 12, tzinfo=UTC)
WAITING, RUNNING, SUCCESS, FAILED, CANCELLED = ProcessState


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> datetime:
        return BEGUN + timedelta(seconds=self.seconds)


def at(seconds):
    return (BEGUN + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def member(number, state=WAITING, start=None, end=None, **facts):
    record = ProcessRecord(
        processid=f"{number:064x}",
        state=state,
        submissiontime=at(0),
        spec=FunctionSpec(funcname="train"),
        assignedexecutorid="e" if start is not None else "",
        **({"starttime": at(start)} if start is not None else {}),
        **({"endtime": at(end)} if end is not None else {}),
        **facts,
    )
    return Facts({"rate": number / 10}, record, state.name)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def draw(clock):
    model = GroupModel("train", "train-1", clock)

    def drawn(members, **how):
        return model.board(members, len(members), **{"executors": {"e": "laptop"}, "is_followed": True, **how})

    return drawn


def test_it_shows_the_slowest_and_the_failures(draw, clock):
    clock.seconds = 60
    members = [
        *(member(number, RUNNING, start=number) for number in range(8)),
        member(8, SUCCESS, start=0, end=5),
        member(9, FAILED, start=0, end=6, errors=["ValueError: no luck", "the place"]),
        member(10),
    ]
    board = draw(members)
    assert (board.title, board.state, board.meta) == ("train", "RUNNING", "11 processes · label train-1")
    assert [(each.state, each.count) for each in board.counts] == [
        ("WAITING", 1),
        ("RUNNING", 8),
        ("SUCCESS", 1),
        ("FAILED", 1),
    ]
    slowest, failures = board.sections
    assert slowest.name == "running longest"
    assert [[cell.x for cell in row.cells] for row in slowest.rows][:2] == [
        ["00000000", "rate=0.0", "laptop", "1:00"],
        ["00000000", "rate=0.1", "laptop", "0:59"],
    ]
    assert len(slowest.rows) == 5
    assert slowest.rows[0].cancel == members[0].record.processid
    assert failures.rows[0].cells[2] == Cell("ValueError: no luck", exact="ValueError: no luck\nthe place")
    assert [each.name for each in board.actions] == ["retry", "cancel"]
    assert board.actions[1].confirm == "Cancel 9 processes?"
    assert board.elapsed == 60
    assert (board.bar.done, board.bar.total) == (2, 11)


def test_it_estimates_the_remaining_time(draw, clock):
    draw([member(number) for number in range(10)])
    clock.seconds = 4
    board = draw([member(number, *((SUCCESS, 0, 1) if number < 4 else (WAITING,))) for number in range(10)])
    assert board.bar.x == "1.0/s · 6 s left"


@pytest.mark.parametrize(
    ("states", "overall", "actions"),
    [
        ([WAITING, WAITING], "WAITING", ["cancel"]),
        ([WAITING, SUCCESS], "RUNNING", ["cancel"]),
        ([RUNNING, FAILED], "RUNNING", ["retry", "cancel"]),
        ([SUCCESS, SUCCESS], "SUCCESS", []),
        ([SUCCESS, FAILED, CANCELLED], "FAILED", ["retry"]),
        ([SUCCESS, CANCELLED], "CANCELLED", []),
    ],
)
def test_one_state_sums_up_all(draw, states, overall, actions):
    board = draw([member(number, state) for number, state in enumerate(states)])
    assert (board.state, [each.name for each in board.actions]) == (overall, actions)


def test_when_all_have_ended_it_shows_what_took_longest(draw, clock):
    clock.seconds = 500
    board = draw([member(0, SUCCESS, 1, 3), member(1, SUCCESS, 1, 9)], is_followed=False)
    (slowest,) = board.sections
    assert slowest.name == "took longest"
    assert [row.cells[3].x for row in slowest.rows] == ["0:08", "0:02"]
    assert slowest.rows[0].cancel == ""
    assert (board.elapsed, board.is_live, board.bar.x) == (9, False, "")


def test_an_interrupted_group_and_trouble_are_named(clock):
    model = GroupModel("train", "train-1", clock)
    board = model.board(
        [member(0)], 3, executors={}, is_followed=True, waiting_for="waiting for x", trouble="No answer."
    )
    assert board.meta == "1 of 3 processes · label train-1 · waiting for x"
    assert board.trouble == "No answer."
    assert as_text(board).endswith("\n\nNo answer.")


def test_text_from_elsewhere_stays_text(draw):
    board = draw([member(0, FAILED, 0, 1, errors=["<b>\x1b[31mred</b>\nsecond line"])])
    assert board.sections[-1].rows[0].cells[2].x == "<b>red</b> second line"
    page = as_html(board)
    assert "<b>red" not in page
    assert "&lt;b&gt;red" in page


def test_as_text(draw, clock):
    clock.seconds = 3
    board = draw([member(0, RUNNING, 0), member(1, SUCCESS, 0, 1)])
    assert as_text(board).splitlines() == [
        "RUNNING train 2 processes · label train-1 · 0:03",
        "1/2 ▕███████████████░░░░░░░░░░░░░░░▏ 50 %",
        "1 RUNNING  1 SUCCESS",
        "",
        "running longest:",
        "  process   arguments  executor  time",
        "  00000000  rate=0.0   laptop    0:03",
    ]


def test_a_transcript_states_when_it_was_written(draw):
    data = bundle(draw([member(0)]), 0.0)
    assert "transcript written " in data["text/html"]
    assert data["text/plain"].endswith(")")


def test_a_table_may_have_more_than_it_shows():
    board = Board("x", sections=[Section("failures", ["a"], [Row([Cell("1", state="FAILED")])], more="5 more failed.")])
    assert "5 more failed." in as_text(board)
    assert "#d32f2f" in as_html(board)


def test_arguments_that_are_no_json_show_as_python():
    assert arguments({"a": 1.5, "b": "x"}).x == 'a=1.5, b="x"'
    assert arguments({"a": {1, 2} and object}).x == "a=<class 'object'>"
    long = arguments({"a": "x" * 300})
    assert (len(long.x), len(long.exact)) == (60, 200)


def test_rates_and_spans():
    assert [rate_text(rate) for rate in (1234.0, 12.3, 0.5, 0.02)] == ["1,234/s", "12/s", "0.5/s", "1.2/min"]
    assert [span_text(span) for span in (4, 300, 7200)] == ["4 s", "5 min", "2.0 h"]
