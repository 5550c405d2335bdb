"""The page of a run."""

from __future__ import annotations

import msgspec
import pytest

from benchmarks import figures, report
from benchmarks.numbers import number
from benchmarks.tables import Curve, Spread, Table


@pytest.fixture
def run():
    table = Table("Append round trip", {"p50": "ms", "p99": "ms"}, notes=["On a quiet machine."])
    for ours, other in ((1.0, 3.0), (2.0, 4.0), (3.0, 5.0)):
        table.add("ours", p50=ours, p99=2 * ours)
        table.add("other", p50=other)
    table.claim_ratio("ours beside other", ("ours", "other"), "p50", 0.6)
    table.claim("ours is quick", "ours", "p99", 1.0)
    return report.Run(
        date="2026-11-23T18:00:00+00:00",
        machine={"cores": "2"},
        versions={"websockets": "17"},
        rounds=3,
        tables=[table],
        failures={"pane": "no Chromium found"},
        seconds={"append": 61.2, "pane": 58.9},
    )


def test_the_page_shows_figures_claims_and_failures(run):
    lines = report.page(run).splitlines()
    assert "| ours | 2.00 (1.00 to 3.00) | 4.00 (2.00 to 6.00) |" in lines
    assert "| other | 4.00 (3.00 to 5.00) |  |" in lines
    assert "| ours beside other | at most 0.60 times | 0.50 times (0.33 to 0.60) | yes |" in lines
    assert "| ours is quick | at most 1.00 ms | 4.00 ms (2.00 to 6.00) | **no** |" in lines
    assert lines[5] == "| | required | measured | met? |"
    assert "| **Memory** | | not measured | |" in lines
    assert "Seconds of each benchmark: append 61, pane 59; 2 minutes in all." in lines
    assert "Failed: no Chromium found" in lines
    assert "* cores 2" in lines


def test_the_stored_page_is_that_of_the_stored_samples():
    run = msgspec.json.decode(figures.RESULTS.read_bytes(), type=report.Run)
    assert figures.RESULTS.with_suffix(".md").read_text("utf-8") == report.page(run)


def test_the_page_shows_curves_with_their_slopes(run):
    run.tables[0].curves.append(Curve("panes", "us", [(1, Spread(2.0, 1, 3)), (10, Spread(20.0, 10, 30))]))
    run.tables[0].curves.append(Curve("channels", "us", [(1, Spread(2.0, 1, 3))]))
    lines = report.page(run).splitlines()
    assert "| panes | us | 1: 2.00, 10: 20.0 | 1.00 |" in lines
    assert "| channels | us | 1: 2.00 |  |" in lines


def test_the_terminal_shows_the_same_aligned(run):
    assert report.terminal(run.tables[0]).splitlines() == [
        "Append round trip",
        "         p50 (ms)             p99 (ms)",
        "  ours   2.00 (1.00 to 3.00)  4.00 (2.00 to 6.00)",
        "  other  4.00 (3.00 to 5.00)",
        "  ours beside other: 0.50 times (0.33 to 0.60), wanted at most 0.60 times: yes",
        "  ours is quick: 4.00 ms (2.00 to 6.00), wanted at most 1.00 ms: **no**",
    ]


def test_the_samples_can_be_read_again(run):
    assert msgspec.json.decode(msgspec.json.encode(run), type=report.Run) == run


def test_the_machine_is_described_without_its_name():
    import platform

    described = report.machine()
    assert int(described["cores"]) > 0
    assert platform.node() not in " ".join(described.values()).split()


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.034, "0.03"), (1.234, "1.23"), (12.34, "12.3"), (123.4, "123"), (12345.6, "12,346")],
)
def test_numbers_have_the_digits_that_count(value, text):
    assert number(value) == text
