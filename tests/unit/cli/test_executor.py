"""The command that runs an executor of a module; how it ends is tested beside the executor's command line."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from colony_jupyter import cli
from colony_jupyter.executor import command_line, import_path


@pytest.mark.parametrize(
    ("words", "finish", "level"), [([], 30.0, logging.WARNING), (["--finish", "2.5", "--verbose"], 2.5, logging.INFO)]
)
def test_the_executor_of_a_module_in_this_folder_runs_until_a_signal(monkeypatch, tmp_path, words, finish, level):
    ran, levels = [], []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(logging, "basicConfig", lambda **how: levels.append(how["level"]))
    monkeypatch.setattr(import_path, "load", lambda name, folder: (name, folder))
    monkeypatch.setattr(command_line, "run_until_signalled", lambda executor, *, finish: ran.append((executor, finish)))
    assert cli.main(["executor", "worker:executor", *words]) == 0
    assert ran == [(("worker:executor", Path(tmp_path)), finish)]
    assert levels == [level]


def test_a_module_that_is_not_there_is_named(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(logging, "basicConfig", lambda **how: None)
    assert cli.main(["executor", "no_such_module:executor"]) == 1
    assert "no_such_module" in capsys.readouterr().err
