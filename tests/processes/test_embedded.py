"""The embedded colony's process: found, started, shared, ended, with processes for kernels."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path

import psutil
import pytest
from kernels import Kernel, mode, servers, wait_until

from colony_jupyter import embedded
from colony_jupyter.datafolder import info, layout
from colony_jupyter.datafolder.lock import Lock
from colony_jupyter.datafolder.machine import this_machine
from colony_jupyter.errors import EmbeddedError


@pytest.fixture
def data(tmp_path):
    yield tmp_path / "data"
    embedded.stop(tmp_path / "data")
    wait_until(lambda: not servers(tmp_path / "data"))


def test_the_first_call_starts_it_and_it_is_ready_within_a_second(data):
    embedded.ensure(data)  # makes the bytecode caches, where there are none yet
    embedded.stop(data)
    start = time.monotonic()
    address = embedded.ensure(data)
    assert time.monotonic() - start < 1
    assert address.host == "127.0.0.1"
    with socket.create_connection((address.host, address.port)) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_where_it_runs_it_is_found_in_no_time(data):
    address = embedded.ensure(data)
    took = []
    for _ in range(20):
        start = time.perf_counter()
        assert embedded.ensure(data) == address
        took.append(time.perf_counter() - start)
    assert sorted(took)[10] < 0.005


def test_everything_is_readable_by_the_user_only(data):
    embedded.ensure(data)
    embedded.keys(data)
    assert mode(data) == "0o700"
    assert {path.name: mode(path) for path in data.rglob("*") if path.is_file() and mode(path) != "0o600"} == {}
    assert {"keys.json", "lock", "running.json", "server.log"} <= {path.name for path in data.iterdir()}


def test_keys_are_in_no_argument_no_environment_and_no_log(data, monkeypatch):
    monkeypatch.setenv("COLONIES_PRVKEY", "ab" * 32)
    embedded.ensure(data)
    keys = embedded.keys(data)
    (process,) = servers(data)
    seen = json.dumps([process.cmdline(), process.environ(), (data / "server.log").read_text()])
    for key in (keys.prvkey, keys.colony_prvkey, keys.server_prvkey):
        assert key.reveal() not in seen
    assert "ab" * 32 not in seen
    assert keys.prvkey.reveal() not in repr(keys)


def test_later_runs_have_the_same_keys(data):
    embedded.ensure(data)
    first = embedded.keys(data)
    embedded.stop(data)
    embedded.ensure(data)
    assert embedded.keys(data) == first
    assert first.colonyname == embedded.COLONY_NAME == "dev"
    assert ":" not in first.username


def test_keys_can_be_had_before_the_first_run(data):
    keys = embedded.keys(data)
    embedded.ensure(data)
    assert embedded.keys(data) == keys


def test_threads_at_once_start_one(data):
    found, barrier = [], threading.Barrier(8)

    def look():
        barrier.wait()
        found.append(embedded.ensure(data))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert len(servers(data)) == 1


def test_five_kernels_at_once_start_one(data):
    kernels = [Kernel(data) for _ in range(5)]
    for kernel in kernels:
        kernel.run("1")
    for kernel in kernels:
        kernel.ask("embedded.ensure(data).port")
    ports = [kernel.answer() for kernel in kernels]
    assert len(set(ports)) == 1
    wait_until(lambda: len(servers(data)) == 1)  # losers are on their way out
    for kernel in kernels:
        assert kernel.end() == ""


def test_after_the_owner_is_killed_another_continues_with_the_same_data(data):
    with Kernel(data) as owner, Kernel(data) as other:
        before = owner.ensure()
        assert other.ensure() == before
        keys = embedded.keys(data)
        (server,) = servers(data)
        owner.kill()
        assert wait_until(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE) < 1
        start = time.monotonic()
        other.ensure()
        assert time.monotonic() - start < 1.5
        (after,) = servers(data)
        assert after.ppid() == other.process.pid
        assert embedded.keys(data) == keys
        other.end()
    wait_until(lambda: not servers(data))


def test_a_takeover_does_not_wait_for_the_old_one_to_be_gone(data):
    with Kernel(data) as owner, Kernel(data) as other:
        owner.ensure()
        owner.kill()
        assert isinstance(other.ensure(), int)


def test_a_kernel_that_ends_in_good_order_leaves_nothing_and_warns_of_nothing(data):
    with Kernel(data, "-W", "error::ResourceWarning") as kernel:
        kernel.ensure()
        assert kernel.end() == ""
    assert servers(data) == []
    assert not (data / "running.json").exists()


def test_a_killed_server_is_started_again_by_its_owner(data):
    with Kernel(data) as kernel:
        kernel.ensure()
        (server,) = servers(data)
        server.kill()
        wait_until(lambda: not servers(data))
        kernel.ensure()
        assert len(servers(data)) == 1
        assert psutil.Process(kernel.process.pid).children() == servers(data)


def test_an_interrupt_of_the_kernel_does_not_reach_it(data):
    with Kernel(data) as kernel:
        port = kernel.run("embedded.ensure(data).port")
        kernel.run("__import__('signal').signal(2, lambda *_: None) and None")
        os.killpg(kernel.process.pid, signal.SIGINT)
        assert kernel.run("1") == 1
        assert kernel.ensure() == port


def test_a_fork_of_the_kernel_does_not_prolong_its_life(data):
    with Kernel(data) as kernel:
        kernel.ensure()
        fork = kernel.run("os.fork() or time.sleep(30)")
        (server,) = servers(data)
        kernel.process.kill()
        kernel.process.wait()
        wait_until(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE, 2)
        os.kill(fork, signal.SIGKILL)
        kernel.process.communicate()


def test_a_fork_that_exits_does_not_end_its_parents_server(data):
    with Kernel(data) as kernel:
        port = kernel.ensure()
        # sys.exit in the fork runs the exit handlers, as those of some libraries do.
        assert kernel.run("os.waitpid(pid, 0)[1] if (pid := os.fork()) else sys.exit(0)") == 0
        assert kernel.ensure() == port


def test_stop_ends_only_what_this_process_started(data):
    with Kernel(data) as kernel:
        port = kernel.ensure()
        embedded.ensure(data)
        embedded.stop(data)
        assert kernel.ensure() == port
        kernel.run("embedded.stop(data)")
        assert servers(data) == []
        kernel.end()


@pytest.mark.parametrize(
    "text", ["", "{", "null", "[]", "{}", '{"port": 1}', '{"port": "x"}', "[" * 100_000, "\x00", '{"__init__": 1}']
)
def test_a_torn_info_file_is_not_believed(data, text):
    data.mkdir()
    (data / "running.json").write_text(text)
    assert info.read(data / "running.json") is None
    if text in ("", "{"):
        embedded.ensure(data)


def _stale(port, **changes):
    what = {"host": "127.0.0.1", "tls": False, "pid": 1, "child": True, "machine": os.uname().nodename}
    return info.Running(**{**what, "port": port, "token": "a" * 32, "id": "b" * 32, **changes})


def test_a_stale_info_file_is_not_believed(data):
    data.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    _stale(port).write(data / "running.json")
    assert embedded.ensure(data).port
    assert info.read(data / "running.json").id != "b" * 32


def test_another_server_at_the_old_port_is_not_trusted(data, colony_server):
    data.mkdir()
    _stale(colony_server.port).write(data / "running.json")
    assert embedded.ensure(data).port != colony_server.port


def test_a_port_that_answers_nothing_is_not_believed(data):
    data.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        _stale(silent.getsockname()[1]).write(data / "running.json")
        assert embedded.ensure(data).port != silent.getsockname()[1]


def test_a_folder_in_use_on_another_machine_is_refused_at_once(data):
    place = layout.prepare(data)
    _stale(1, machine="elsewhere", machineid="0" * 32, bootid="0" * 32).write(place.info)
    lock = Lock(place.lock)
    assert lock.acquire()
    try:
        with pytest.raises(EmbeddedError, match="in use on another machine, elsewhere"):
            embedded.ensure(data)
    finally:
        lock.release()


def test_a_changed_host_name_does_not_hide_the_running_colony(data):
    address = embedded.ensure(data)
    place = layout.Layout(data)
    replace(info.read(place.info), machine="laptop.university.example").write(place.info)
    assert embedded.ensure(data, timeout=1) == address


def test_a_field_of_a_newer_version_does_not_hide_the_running_colony(data):
    address = embedded.ensure(data)
    file = layout.Layout(data).info
    file.write_text(json.dumps({**json.loads(file.read_text()), "version": "9"}))
    assert embedded.ensure(data, timeout=1) == address


def test_a_folder_in_use_in_another_network_namespace_is_refused_at_once(data):
    place = layout.prepare(data)
    here = replace(this_machine(), bootid="1" * 32, network="net:[1]")
    _stale(1, machine="box", **asdict(replace(here, machineid="0" * 32, network="net:[2]"))).write(place.info)
    lock = Lock(place.lock)
    assert lock.acquire()
    try:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(embedded, "this_machine", lambda: here)
            with pytest.raises(EmbeddedError, match=r"another container \(box, process 1\).*network namespace"):
                embedded.ensure(data)
    finally:
        lock.release()


def test_a_record_from_before_the_last_boot_is_waited_out(data):
    place = layout.prepare(data)
    _stale(1, **asdict(replace(this_machine(), machineid="m" * 32, bootid="0" * 32))).write(place.info)
    lock = Lock(place.lock)
    assert lock.acquire()
    try:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(embedded, "this_machine", lambda: replace(this_machine(), machineid="m" * 32))
            with pytest.raises(EmbeddedError, match=r"did not answer within 0\.1 s.*network namespace"):
                embedded.ensure(data, timeout=0.1)
    finally:
        lock.release()


def test_what_never_answers_is_given_up(data):
    place = layout.prepare(data)
    lock = Lock(place.lock)
    assert lock.acquire()
    try:
        with pytest.raises(EmbeddedError, match=r"did not answer within 0\.1 s"):
            embedded.ensure(data, timeout=0.1)
    finally:
        lock.release()


def test_a_child_that_cannot_start_states_why(data):
    place = layout.prepare(data)
    place.keys.write_text("no keys at all")
    with pytest.raises(EmbeddedError, match=r"did not start: The keys in .*keys\.json cannot be read"):
        embedded.ensure(data)
    assert place.keys.read_text() == "no keys at all"
    place.keys.unlink()
    embedded.ensure(data)


def test_a_data_folder_that_cannot_be_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedError, match=r"file is a file|file.* cannot be used"):
        embedded.ensure(tmp_path / "file")
    with pytest.raises(EmbeddedError, match="cannot be used"):
        embedded.ensure(tmp_path / "file" / "data")


def test_modules_in_the_working_folder_do_not_break_it(data, tmp_path, monkeypatch):
    (tmp_path / "secrets.py").write_text("raise SystemExit('mine')")
    (tmp_path / "asyncio.py").write_text("raise SystemExit('mine')")
    monkeypatch.chdir(tmp_path)
    embedded.ensure(data)


def test_a_package_that_is_not_installed_is_found_by_the_child_too(data, monkeypatch):
    checkout = str(Path(embedded.__file__).parents[1])
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert embedded._environment()["PYTHONPATH"] == checkout
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    assert embedded._environment()["PYTHONPATH"] == f"/somewhere{os.pathsep}{checkout}"
    # Of an installed one the folder is not put before the standard library.
    monkeypatch.setattr(embedded.site, "getsitepackages", lambda: [checkout])
    assert embedded._environment()["PYTHONPATH"] == "/somewhere"


def test_an_owner_that_ends_before_the_child_checks_leaves_no_orphan(data):
    child = embedded.start_child(layout.prepare(data))
    child.release()
    assert child.process.wait(3) == 0
