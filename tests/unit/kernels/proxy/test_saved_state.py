"""The file beside the connection file, from one proxy to the next."""

from __future__ import annotations

import pytest

from colony_jupyter.kernels.proxy.saved_state import SavedState
from colony_jupyter.kernels.relay.line import Position

PROCESS = "ab" * 32


@pytest.fixture
def file(tmp_path):
    return tmp_path / "kernel-1.json"


def test_the_next_proxy_continues_where_the_last_one_was(file):
    saved = SavedState(file)
    saved.use(PROCESS, {"out": Position(3)})
    saved.delivered("out", Position(70_000, 12))
    saved.delivered("ctl", Position(2))
    saved.delivered("other", Position(9))
    saved.close()
    assert SavedState(file).read() == (PROCESS, {"out": Position(70_000, 12), "ctl": Position(2)})
    assert file.with_suffix(".colony").stat().st_mode & 0o777 == 0o600


def test_a_successor_replaces_the_process(file):
    saved = SavedState(file)
    saved.use(PROCESS, {"out": Position(3)})
    saved.use("cd" * 32, {"out": Position(5), "ctl": Position(1, 2)})
    saved.close()
    assert SavedState(file).read() == ("cd" * 32, {"out": Position(5), "ctl": Position(1, 2)})


@pytest.mark.parametrize("data", [None, b"", b"short", b"x" * 200])
def test_without_a_whole_file_there_is_no_process(file, data):
    if data is not None:
        file.with_suffix(".colony").write_bytes(data)
    assert SavedState(file).read() == ("", {})


def test_a_kernel_that_was_ended_is_forgotten(file):
    saved = SavedState(file)
    saved.use(PROCESS, {})
    saved.remove()
    assert not file.with_suffix(".colony").exists()
    saved.remove()
    saved.delivered("out", Position(1))


def test_a_restart_that_could_not_be_asked_for_is_left_to_the_next_proxy(file):
    saved = SavedState(file)
    saved.restarts(wanted=True)  # there is no kernel yet
    saved.use(PROCESS, {})
    saved.restarts(wanted=True)
    saved.close()
    following = SavedState(file)
    assert following.read() == (PROCESS, {"out": Position(), "ctl": Position()})
    assert following.is_to_restart
    following.use("cd" * 32, {})
    assert SavedState(file).read()[0] == "cd" * 32
    following.restarts(wanted=False)
    following.close()
    last = SavedState(file)
    last.read()
    assert not last.is_to_restart
