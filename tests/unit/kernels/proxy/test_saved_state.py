"""The file beside the connection file, from one proxy to the next."""

from __future__ import annotations

import pytest

from colony_jupyter.kernels.proxy.place import Place
from colony_jupyter.kernels.relay.line import Position

PROCESS = "ab" * 32


@pytest.fixture
def file(tmp_path):
    return tmp_path / "kernel-1.json"


def test_the_next_proxy_continues_where_the_last_one_was(file):
    place = Place(file)
    place.use(PROCESS, {"out": Position(3)})
    place.delivered("out", Position(70_000, 12))
    place.delivered("ctl", Position(2))
    place.delivered("other", Position(9))
    place.close()
    assert Place(file).read() == (PROCESS, {"out": Position(70_000, 12), "ctl": Position(2)})
    assert file.with_suffix(".colony").stat().st_mode & 0o777 == 0o600


def test_a_successor_replaces_the_process(file):
    place = Place(file)
    place.use(PROCESS, {"out": Position(3)})
    place.use("cd" * 32, {"out": Position(5), "ctl": Position(1, 2)})
    place.close()
    assert Place(file).read() == ("cd" * 32, {"out": Position(5), "ctl": Position(1, 2)})


@pytest.mark.parametrize("data", [None, b"", b"short", b"x" * 200])
def test_without_a_whole_file_there_is_no_process(file, data):
    if data is not None:
        file.with_suffix(".colony").write_bytes(data)
    assert Place(file).read() == ("", {})


def test_a_kernel_that_was_ended_is_forgotten(file):
    place = Place(file)
    place.use(PROCESS, {})
    place.remove()
    assert not file.with_suffix(".colony").exists()
    place.remove()
    place.delivered("out", Position(1))


def test_a_restart_that_could_not_be_asked_for_is_left_to_the_next_proxy(file):
    place = Place(file)
    place.restarts(wanted=True)  # there is no kernel yet
    place.use(PROCESS, {})
    place.restarts(wanted=True)
    place.close()
    following = Place(file)
    assert following.read() == (PROCESS, {"out": Position(), "ctl": Position()})
    assert following.is_to_restart
    following.use("cd" * 32, {})
    assert Place(file).read()[0] == "cd" * 32
    following.restarts(wanted=False)
    following.close()
    last = Place(file)
    last.read()
    assert not last.is_to_restart
