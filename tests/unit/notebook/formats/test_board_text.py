"""A board as text and as the HTML of a transcript."""

from __future__ import annotations

import pytest

from colony_jupyter.notebook.formats.board_text import as_html, as_text, bundle
from colony_jupyter.notebook.model.board import Bar, Board, Cell, Count, Row, Section


@pytest.fixture
def board():
    rows = [Row([Cell("424d", exact="424d6828", pid="p"), Cell("FAILED", state="FAILED"), Cell("<b>&")])]
    return Board(
        "train",
        state="RUNNING",
        meta="on 2 executors",
        elapsed=61,
        bar=Bar(1, 4, "1/s"),
        counts=[Count("RUNNING", 3), Count("FAILED", 1, "2/min")],
        sections=[
            Section("failures", ["id", "state", "error"], rows, "and 5 more"),
            Section("slowest", ["id"], [], "none"),
        ],
        trouble="The server does not answer.",
    )


def test_as_text_it_has_a_head_a_bar_counts_tables_and_what_is_wrong(board):
    lines = as_text(board).splitlines()
    assert lines[0].startswith("RUNNING train on 2 executors · ")
    assert lines[1] == f"1/4 ▕{'█' * 8}{'░' * 22}▏ 25 % · 1/s"
    assert lines[2] == "3 RUNNING  1 FAILED (2/min)"
    assert lines[3:5] == ["", "failures:"]
    assert lines[5].split() == ["id", "state", "error"]
    assert lines[6].split() == ["424d", "FAILED", "<b>&"]
    assert lines[7:] == ["  and 5 more", "", "slowest:", "  none", "", "The server does not answer."]


def test_an_empty_board_is_its_title():
    assert as_text(Board("train")) == "train"
    assert "<table" not in as_html(Board("train"))


def test_as_html_text_is_escaped_and_states_are_coloured(board):
    page = as_html(board, "a <note>")
    assert "&lt;b&gt;&amp;" in page
    assert "<b>&" not in page
    assert "a &lt;note&gt;" in page
    assert 'title="424d6828"' in page
    assert "The server does not answer." in page
    assert page.startswith("<details open")


def test_a_state_that_is_none_has_no_colour_of_its_own():
    assert "color:inherit" in as_html(Board("train", state="paused"))


def test_a_transcript_states_when_it_was_written(board):
    given = bundle(board, 1_700_000_000.0)
    assert "transcript written 2023-11-1" in given["text/html"]
    assert given["text/plain"].splitlines()[-1].startswith("(transcript written 2023-11-1")
