"""The fixture for users' tests, and the faults it lets them cause."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil
import pytest
from kernels import servers, wait_until

from colony_jupyter import embedded, settings
from colony_jupyter.datafolder import info
from colony_jupyter.errors import EmbeddedError
from colony_jupyter.testing import ColonyServer


def running(server) -> info.Running:
    return info.read(server.data / "running.json")


def test_it_answers_and_its_variables_are_settings(colony_server):
    assert info.ask(running(colony_server))
    found = settings.resolve(colony_server.environ())
    assert (found.host, found.port, found.tls) == (colony_server.host, colony_server.port, False)
    assert found.colonyname == colony_server.colonyname == "dev"
    assert found.prvkey == colony_server.prvkey
    assert found.colony_prvkey == colony_server.colony_prvkey
    assert found.server_prvkey == colony_server.server_prvkey


def test_no_key_is_shown(colony_server):
    shown = repr(colony_server) + repr(colony_server.keys) + colony_server.log
    assert colony_server.prvkey.reveal() not in shown


def test_each_has_data_of_its_own_and_all_are_gone_afterwards(make_colony_server):
    one, two = make_colony_server(), make_colony_server(limits=False, deaf=True)
    assert one.port != two.port
    assert one.prvkey != two.prvkey
    assert {"--no-limits", "--deaf"} <= set(psutil.Process(two.pid).cmdline())


def test_killed_it_is_gone_at_once_and_comes_back_at_the_same_port(colony_server):
    port, key = colony_server.port, colony_server.prvkey
    colony_server.kill()
    assert servers(colony_server.data) == []
    assert colony_server.pid is None
    colony_server.kill()
    colony_server.restart()
    assert (colony_server.port, colony_server.prvkey) == (port, key)
    assert info.ask(running(colony_server))
    before = running(colony_server)
    colony_server.restart()
    assert running(colony_server).id != before.id
    assert running(colony_server).port == port


def test_started_twice_is_an_error(colony_server):
    with pytest.raises(EmbeddedError, match="runs already"):
        colony_server.start()


def test_one_that_cannot_start_states_why_and_leaves_nothing(tmp_path):
    with ColonyServer(tmp_path / "one") as one:
        second = ColonyServer(tmp_path / "two", arguments=["--port", str(one.port)])
        second.port = one.port
        with pytest.raises(EmbeddedError, match=rf"did not start: Nothing can listen at 127\.0\.0\.1:{one.port}"):
            second.start()
        assert servers(tmp_path / "two") == []
    assert servers(tmp_path / "one") == []


def test_a_notebook_would_use_it_too(colony_server):
    assert embedded.ensure(colony_server.data).port == colony_server.port


def test_the_one_line_that_users_write(tmp_path):
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["colony_jupyter.testing"]\n')
    (tmp_path / "test_mine.py").write_text(
        "import socket\n"
        "def test_mine(colony_server):\n"
        "    socket.create_connection((colony_server.host, colony_server.port)).close()\n"
        "    print('served from', colony_server.data)\n"
    )
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-s",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            str(tmp_path),
            str(tmp_path),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )
    assert run.returncode == 0, run.stdout
    data = run.stdout.partition("served from ")[2].splitlines()[0]
    wait_until(lambda: not servers(data))
