"""Which processes run on this machine, and which of them can be reached."""

from __future__ import annotations

import pytest

from colony_jupyter.datafolder import machine
from colony_jupyter.datafolder.machine import Machine

HERE = Machine("m", "b", "n")


@pytest.mark.parametrize(
    ("other", "elsewhere", "other_network"),
    [
        (Machine("m", "b", "n"), False, False),
        (Machine("x", "x", "x"), True, False),
        (Machine("x", "b", "x"), False, True),  # a container on this machine
        (Machine("m", "b", "x"), False, True),
        (Machine("m", "x", "x"), False, False),  # before the last boot
        (Machine("x", "b", "n"), False, False),  # a container that shares the network
        (Machine(), False, False),  # a record of version 0.1
    ],
)
def test_what_is_elsewhere(other, elsewhere, other_network):
    assert HERE.is_elsewhere(other) is elsewhere
    assert HERE.is_in_other_network(other) is other_network


def test_this_machine_is_the_same_each_time():
    assert machine.this_machine() == machine.this_machine()
    assert not machine.this_machine().is_elsewhere(machine.this_machine())


def test_what_cannot_be_read_is_empty(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "_MACHINE_FILES", (tmp_path / "none",))
    monkeypatch.setattr(machine, "_BOOT_FILE", tmp_path)
    monkeypatch.setattr(machine, "_NETWORK_FILE", tmp_path / "none")
    assert machine.this_machine() == Machine()
