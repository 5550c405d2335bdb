"""All findings as text, and the exit status."""

from __future__ import annotations

import pytest

from colony_jupyter.doctor.report import Finding, Mark, Report


@pytest.mark.parametrize(
    ("marks", "status"),
    [([], 0), ([Mark.FINE, Mark.WARNING], 0), ([Mark.FINE, Mark.FAILURE, Mark.WARNING], 1)],
)
def test_a_failure_is_the_exit_status_and_a_warning_is_none(marks, status):
    report = Report([Finding(mark, "server", "text") for mark in marks])
    assert (report.exit_status, report.failed) == (status, bool(status))


def test_each_finding_is_a_line_in_columns():
    report = Report([Finding(Mark.FINE, "server", "It answers."), Finding(Mark.FAILURE, "key", "It is no member's.")])
    assert repr(report).splitlines() == ["ok      server      It answers.", "FAILURE key         It is no member's."]
