"""The command that examines a connection; what it finds is tested beside the doctor."""

from __future__ import annotations

import pytest

from colony_jupyter import cli, doctor
from colony_jupyter.doctor import Finding, Mark, Report


@pytest.mark.parametrize(("mark", "status"), [(Mark.FINE, 0), (Mark.WARNING, 0), (Mark.FAILURE, 1)])
def test_the_report_is_printed_and_a_failure_is_the_status(monkeypatch, capsys, mark, status):
    async def examine():
        return Report([Finding(mark, "server", "It answers, or not.")])

    monkeypatch.setattr(doctor, "examine", examine)
    assert cli.main(["doctor"]) == status
    assert "It answers, or not." in capsys.readouterr().out
