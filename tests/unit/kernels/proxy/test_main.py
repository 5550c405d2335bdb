"""The program of the proxy: its arguments, and what runs if the settings name no colony."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import pytest

from colony_jupyter.errors import SettingsError, UsageError
from colony_jupyter.kernels.events import Target
from colony_jupyter.kernels.proxy import main as main_module
from colony_jupyter.kernels.proxy.main import main

FILE = Path("kernel-1.json")


class Colony:
    error: Exception | None = None

    async def connect(self):
        if self.error is not None:
            raise self.error

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass


class Program:
    """A proxy, or a kernel that cannot start."""

    made: list[tuple] = []  # noqa: RUF012 - emptied for each test
    error: Exception | None = None

    def __init__(self, *arguments) -> None:
        self.made.append(arguments)

    def end(self):
        pass

    interrupt = end

    async def run(self):
        if self.error is not None:
            raise self.error
        return 7


@pytest.fixture(autouse=True)
def programs(monkeypatch):
    monkeypatch.setattr(Program, "made", [])
    monkeypatch.setattr(main_module, "AsyncColony", Colony)
    monkeypatch.setattr(main_module, "Proxy", Program)
    monkeypatch.setattr(main_module, "Unable", Program)
    monkeypatch.setattr(main_module.logging, "basicConfig", lambda **_: None)


def test_its_arguments_are_those_of_a_kernelspec():
    words = ["--type", "hpc", "--executor", "a", "--executor", "b", "--kernel", "ir", "--language", "R", "--trust", "c"]
    assert main(["-f", str(FILE), *words]) == 7
    [(_, target, file, saved, language)] = Program.made
    assert target == Target("hpc", ["a", "b"], "ir", ["c"])
    assert (file, language) == (FILE, "R")
    assert saved._path == FILE.with_suffix(".colony")


def test_without_settings_the_first_cell_shows_what_is_missing(monkeypatch):
    monkeypatch.setattr(Colony, "error", SettingsError("COLONIES_PRVKEY is not set."))
    assert main(["-f", str(FILE), "--type", "hpc"]) == 7
    assert Program.made == [(FILE, "COLONIES_PRVKEY is not set.", "python")]


def test_another_failure_is_a_line_of_the_log(monkeypatch, capsys):
    monkeypatch.setattr(Program, "error", UsageError("An address is in use."))
    assert main(["-f", str(FILE), "--type", "hpc"]) == 1
    assert capsys.readouterr().err == "An address is in use.\n"
