"""What lies in a data folder: layout, lock, info, log, keys, variables."""

from __future__ import annotations

import errno
import json
import os
import socket
import threading
from dataclasses import replace

import pytest
from kernels import mode

from colony_jupyter.datafolder import environment, info, layout, log
from colony_jupyter.datafolder import keys as keyfile
from colony_jupyter.datafolder import lock as locks
from colony_jupyter.datafolder.lock import Lock
from colony_jupyter.errors import EmbeddedError


@pytest.fixture
def place(tmp_path):
    return layout.prepare(tmp_path / "data")


# --- layout


def test_a_new_folder_is_the_users_own(tmp_path):
    place = layout.prepare(tmp_path / "a" / "data")
    assert mode(place.path) == "0o700"


def test_an_empty_folder_and_one_of_ours_are_shut(tmp_path):
    tmp_path.chmod(0o755)
    layout.prepare(tmp_path)
    assert mode(tmp_path) == "0o700"
    keyfile.load_or_make(layout.Layout(tmp_path))
    tmp_path.chmod(0o755)
    layout.prepare(tmp_path)
    assert mode(tmp_path) == "0o700"


def test_a_folder_of_executors_keys_alone_is_shut(tmp_path):
    (tmp_path / "executors").mkdir()
    tmp_path.chmod(0o755)
    layout.prepare(tmp_path)
    assert mode(tmp_path) == "0o700"


def test_the_mode_of_a_folder_with_other_files_stays(tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    tmp_path.chmod(0o755)
    place = layout.prepare(tmp_path)
    assert mode(tmp_path) == "0o755"
    keyfile.load_or_make(place)
    assert mode(place.keys) == "0o600"


def test_writing_is_whole_or_not_at_all(place, monkeypatch):
    target = place.path / "file"
    layout.write_private(target, "before")

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(layout.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        layout.write_private(target, "after")
    assert target.read_text() == "before"
    assert [path.name for path in place.path.iterdir()] == ["file"]


def test_a_file_that_is_there_can_be_left_alone(place):
    target = place.path / "file"
    assert layout.write_private(target, "first", replace=False)
    assert not layout.write_private(target, "second", replace=False)
    assert target.read_text() == "first"
    assert [path.name for path in place.path.iterdir()] == ["file"]


# --- lock


def test_one_holds_the_lock(place):
    one, two = Lock(place.lock), Lock(place.lock)
    waits = []
    assert one.acquire()
    assert not two.acquire(sleep=waits.append)
    assert waits == [locks.PAUSE] * (locks.ATTEMPTS - 1)
    one.release()
    one.release()
    assert two.acquire()
    two.release()


def test_a_check_of_the_lock_does_not_exclude_others(place):
    looker, taker = Lock(place.lock), Lock(place.lock)
    assert looker.acquire(attempts=1)
    assert taker.acquire(sleep=lambda _: looker.release())
    taker.release()


def test_a_fork_does_not_hold_what_its_parent_released(place):
    lock = Lock(place.lock)
    assert lock.acquire()
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(write)
        os.read(read, 1)
        os._exit(0)
    lock.release()
    assert Lock(place.lock).acquire()
    os.close(write)
    os.close(read)
    os.waitpid(pid, 0)


def test_a_file_system_without_locks_is_named(place, monkeypatch):
    def no_locks(_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks, "_lock", no_locks)
    with pytest.raises(
        EmbeddedError, match=r"cannot lock files \(No locks available\): use a data folder on a local disk"
    ):
        Lock(place.lock).acquire()


# --- info


RUNNING = info.Running(
    host="127.0.0.1", port=1, tls=False, pid=2, machine="here", child=True, token="a" * 32, id="b" * 32
)


def test_info_is_read_as_it_was_written(place):
    RUNNING.write(place.info)
    assert info.read(place.info) == RUNNING
    assert mode(place.info) == "0o600"
    assert "aaa" not in repr(RUNNING)


def test_only_ones_own_info_is_removed(place):
    RUNNING.write(place.info)
    replace(RUNNING, id="c" * 32).remove(place.info)
    assert info.read(place.info) == RUNNING
    RUNNING.remove(place.info)
    RUNNING.remove(place.info)
    assert info.read(place.info) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"port": 0},
        {"port": 65536},
        {"port": True},
        {"port": "1"},
        {"tls": 0},
        {"token": "a\r\nb"},
        {"token": ""},
        {"bootid": 1},
    ],
)
def test_info_that_is_not_what_it_should_be_is_none(place, changes):
    RUNNING.write(place.info)
    place.info.write_text(json.dumps({**json.loads(place.info.read_text()), **changes}))
    assert info.read(place.info) is None


def test_fields_of_newer_versions_are_ignored_and_those_since_0_1_may_be_missing(place):
    RUNNING.write(place.info)
    written = json.loads(place.info.read_text())
    place.info.write_text(json.dumps({**written, "version": "9", "__init__": 1}))
    assert info.read(place.info) == RUNNING
    for name in ("machineid", "bootid", "network"):
        del written[name]
    place.info.write_text(json.dumps(written))
    assert info.read(place.info) == RUNNING


@pytest.mark.parametrize("host", ["no.such.host.invalid", "\udc80", "a b", ""])
def test_a_host_that_is_none_does_not_answer(host):
    assert not info.ask(replace(RUNNING, host=host), timeout=0.5)


@pytest.mark.parametrize(
    ("answer", "is_it"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"b" * 32, True),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"c" * 32, False),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"b" * 33, False),
        (b"HTTP/1.1 404 Not Found\r\n\r\n" + b"b" * 32, False),
        (b"", False),
    ],
    ids=["its id", "another id", "a longer one", "another status", "nothing"],
)
def test_only_a_port_that_answers_with_the_id_is_that_of_the_process(answer, is_it):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        asked = []

        def serve():
            connection, _ = listening.accept()
            with connection:
                asked.append(connection.recv(4096))
                connection.sendall(answer)

        serving = threading.Thread(target=serve)
        serving.start()
        assert info.ask(replace(RUNNING, port=listening.getsockname()[1]), timeout=5) is is_it
        serving.join()
    assert b"x-colony-jupyter-token: " + b"a" * 32 in asked[0]


# --- log


def test_the_end_of_a_log_remains(place):
    descriptor = log.open_log(place.log)
    other = log.open_log(place.log)
    for number in range(1000):
        os.write(descriptor, b"line %d\n" % number)
    log.trim(descriptor, longest=5000, kept=1000)
    os.write(other, b"by another\n")
    lines = place.log.read_text().splitlines()
    assert lines[-2:] == ["line 999", "by another"]
    assert 90 < len(lines) < 130
    assert lines == [f"line {number}" for number in range(1001 - len(lines), 1000)] + ["by another"]
    os.close(descriptor)
    os.close(other)


def test_a_log_that_is_short_is_left_alone(place):
    place.log.write_text("x" * 5000)
    descriptor = log.open_log(place.log)
    log.trim(descriptor, longest=5000, kept=10)
    os.close(descriptor)
    assert place.log.stat().st_size == 5000


def test_a_log_that_cannot_be_cut_is_opened_all_the_same(place, monkeypatch):
    def full(descriptor, length):
        raise OSError(errno.ENOSPC, "No space left on device")

    place.log.write_text("x" * (log.MAX_BYTES + 1))
    monkeypatch.setattr(os, "ftruncate", full)
    os.close(log.open_log(place.log))
    assert place.log.stat().st_size == log.MAX_BYTES + 1


def test_the_last_line_is_of_this_run(place):
    assert log.last_line(place.log) == ""
    place.log.write_bytes(b"earlier\n")
    assert log.last_line(place.log, 8) == ""
    place.log.write_bytes(b"earlier\nnow\n \xff\n\n")
    assert log.last_line(place.log, 8) == "\ufffd"


# --- keys


def test_of_many_that_make_keys_at_once_one_wins(place):
    found, barrier = [], threading.Barrier(6)

    def make():
        barrier.wait()
        found.append(keyfile.load_or_make(place))

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1
    assert {path.name for path in place.path.iterdir()} == {"keys.json"}


def test_keys_open_to_others_are_shut(place):
    keyfile.load_or_make(place)
    place.keys.chmod(0o644)
    keyfile.load_or_make(place)
    assert mode(place.keys) == "0o600"


@pytest.mark.parametrize("name", ["a:b", "\x00", "", "x" * 1000, ":"])
def test_the_login_name_is_one_that_colonies_take(place, monkeypatch, name):
    monkeypatch.setattr(keyfile.getpass, "getuser", lambda: name)
    username = keyfile.load_or_make(place).username
    assert 0 < len(username) <= 64
    assert username.isprintable()
    assert ":" not in username


def test_a_user_without_a_name_is_a_user_all_the_same(place, monkeypatch):
    def no_user():
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr(keyfile.getpass, "getuser", no_user)
    assert keyfile.load_or_make(place).username == "user"


def test_damaged_keys_are_neither_shown_nor_overwritten(place):
    keys = keyfile.load_or_make(place)
    text = place.keys.read_text().replace(keys.prvkey.reveal(), keys.prvkey.reveal()[:-1])
    place.keys.write_text(text)
    with pytest.raises(EmbeddedError, match="cannot be read") as caught:
        keyfile.load_or_make(place)
    assert keys.prvkey.reveal()[:-1] not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert place.keys.read_text() == text


# --- variables


def test_variables_name_an_authority_only_with_tls(place):
    keys = keyfile.load_or_make(place)
    assert "SSL_CERT_FILE" not in environment.variables(keys, "h", 1)
    found = environment.variables(keys, "h", 1, place.tls / "authority.pem")
    assert (found["SSL_CERT_FILE"], found["COLONIES_TLS"]) == (str(place.tls / "authority.pem"), "true")


def test_exports_are_quoted_for_a_shell():
    assert environment.as_exports({"A": "it's", "B": "1"}) == "export A='it'\"'\"'s'\nexport B=1\n"
