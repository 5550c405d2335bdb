"""Running benchmarks: each in a process of its own."""

from __future__ import annotations

from unittest import mock

import msgspec
import pytest

from benchmarks import __main__ as runner
from benchmarks.report import Run


def test_an_unknown_benchmark_is_refused_with_the_list(capsys):
    with pytest.raises(SystemExit, match="2"):
        runner.main(["appendix"])
    assert "there is no benchmark appendix; there are: append, delivery" in capsys.readouterr().err


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", ["append", "delivery", "server", "text", "growth", "followed", "resume", "memory"])
def test_each_can_be_run_alone(name):
    tables = runner.play(name, 1, 0.002)
    assert tables
    for table in tables:
        assert table.samples, table.title
        assert all(figures for figures in table.samples.values())


def test_one_that_fails_is_reported_and_the_others_go_on(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(runner, "NAMES", ("no_such_module", "resume"))
    monkeypatch.setattr(runner.report, "charts", mock.Mock())  # the library for it is of `make bench` only
    assert runner.main(["--rounds", "1", "--share", "0.002", "--results", str(tmp_path)]) == 1
    run = msgspec.json.decode((tmp_path / "results.json").read_bytes(), type=Run)
    assert list(run.failures) == ["no_such_module"]
    assert [table.title for table in run.tables] == ["Resuming after a cut, 200 entries in the log"]
    assert "ended with exit status 1" in (tmp_path / "results.md").read_text()
    assert "back after a cut" in capsys.readouterr().out


def test_one_that_hangs_is_ended(monkeypatch):
    monkeypatch.setattr(runner, "_PATIENCE", 0.3)
    with pytest.raises(runner.Failed, match="not done after"):
        runner.play("memory", 1, 1.0)
