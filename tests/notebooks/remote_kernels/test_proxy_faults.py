"""Kernels on executors that are missing, not trusted, or not for this user; proxies that are stopped and cut."""

from __future__ import annotations

import os
import random
import secrets
import signal
import time

import pytest
from remote_kernel import Front, Serving, colony_jupyter, install, text_of
from servers import own, stored

import colony_jupyter as cj
from colony_jupyter import settings as settings_module
from colony_jupyter.wire.identity import PrivateKey
from colony_jupyter.wire.models import ProcessState


@pytest.fixture
def serve(environ, tmp_path):
    """Start `kernel serve`, several times, each with a folder of its own."""
    made = []

    def serve(executortype, *arguments, folder="serving"):
        made.append(Serving(environ, executortype, tmp_path / folder, *arguments).start())
        return made[-1]

    yield serve
    for serving in made:
        serving.stop()


@pytest.fixture
def open_front(environ):
    made = []

    def open_front(executortype, **variables):
        made.append(Front({**environ, **variables}, f"colony-{executortype}"))
        return made[-1].start()

    yield open_front
    for front in made:
        front.stop()


def shown(front, code="1", seconds=30.0):
    """Run a cell that fails; its error."""
    _, reply = front.finish(front.begin(code), seconds)
    assert reply["status"] == "error"
    return reply["evalue"]


def test_without_an_executor_the_cell_shows_it_and_runs_when_one_comes(serve, open_front, environ):
    first = serve(own("waits"))
    install(environ, own("waits"))
    first.stop()
    front = open_front(own("waits"))
    begun = time.monotonic()
    cell = front.begin("print('ran')")
    front.hear(cell, lambda message: "Waiting for" in message["content"].get("text", ""))
    assert time.monotonic() - begun < 3
    front.manager.interrupt_kernel()
    _, reply = front.finish(cell)
    assert reply["ename"] == "KeyboardInterrupt"
    cell = front.begin("print('ran')")
    serve(own("waits"))
    assert front.finish(cell)[0].endswith("ran\n")


def test_only_listed_users_may_run_kernels(serve, open_front, environ, server):
    key = PrivateKey.generate(random.randbytes)
    with cj.Colony(settings_module.resolve(server.environ())) as colony:
        colony.add_user(own("guest"), key.id)
    serving = serve(own("guests"))
    install(environ, own("guests"))
    front = open_front(own("guests"), COLONIES_PRVKEY=key.reveal())
    error = shown(front)
    assert f"does not run kernels for '{own('guest')}': it runs those of its own user" in error
    assert "--allow USER" in error
    serving.stop()
    serve(own("guests"), "--allow", own("guest"))
    front = open_front(own("guests"), COLONIES_PRVKEY=key.reveal())
    assert front.run("print(1)") == "1\n"


def test_an_executor_that_was_not_there_at_the_installation_gets_nothing(serve, open_front, environ):
    first = serve(own("pinned"), "--name", own("pinned-one"))
    install(environ, own("pinned"))
    first.stop()
    serve(own("pinned"), "--name", own("pinned-two"), folder="another")
    front = open_front(own("pinned"))
    error = shown(front, "the_secret = 1")
    assert f"'{own('pinned-two')}'" in error
    assert "none of those that were trusted" in error
    assert f"kernel install --type {own('pinned')}" in error
    assert own("pinned-two") in install(environ, own("pinned"))
    assert open_front(own("pinned")).run("print(1)") == "1\n"


@pytest.mark.timeout(180)
@pytest.mark.parametrize("seconds", [8, pytest.param(60, marks=pytest.mark.chaos)])
def test_a_proxy_that_is_stopped_for_a_while_misses_nothing(serve, open_front, environ, seconds):
    executortype = own(f"sleeps-{seconds}")
    serve(executortype)
    install(environ, executortype)
    front = open_front(executortype)
    cell = front.begin("import time\nfor number in range(100):\n    print(number, flush=True)\n    time.sleep(0.03)")
    heard = front.hear(cell, lambda message: "20" in message["content"].get("text", ""))
    os.kill(front.pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(front.pid, signal.SIGCONT)
    text = text_of(heard) + front.finish(cell)[0]
    assert text.split() == [str(number) for number in range(100)]


@pytest.fixture
def busy(serve, open_front, environ):
    """A front end whose cell runs for long, and its executor."""
    executortype = own(f"ends-{secrets.token_hex(2)}")
    serving = serve(executortype)
    install(environ, executortype)
    front = open_front(executortype)
    cell = front.begin("import time; print('on'); time.sleep(600)")
    front.hear(cell, lambda message: "on" in message["content"].get("text", ""))
    return front, cell, serving


def test_an_executor_that_is_killed_ends_the_cell_with_a_sentence(busy):
    front, cell, serving = busy
    kernels = serving.children
    serving.kill()
    begun = time.monotonic()
    _, reply = front.finish(cell, 50)
    assert "does not answer any more" in reply["evalue"]
    assert time.monotonic() - begun < 45
    assert [each for each in kernels if each.is_running() and each.status() != "zombie"] == []


def test_a_stopped_executor_is_reported_in_the_cell(busy, server):
    front, cell, serving = busy
    os.kill(serving.process.pid, signal.SIGTERM)
    _, reply = front.finish(cell, 20)
    assert "was stopped while it ran" in reply["evalue"]
    with cj.Colony(settings_module.resolve(server.environ())) as colony:
        assert list(colony.processes(ProcessState.RUNNING, executortype=serving.executortype)) == []


def test_a_server_stores_neither_keys_nor_plain_text(serve, open_front, environ, server):
    serving = serve(own("sealed"))
    install(environ, own("sealed"))
    front = open_front(own("sealed"))
    assert front.run("print('a plain ' + 'word')") == "a plain word\n"
    key = front.manager.session.key
    with cj.Colony(settings_module.resolve(server.environ())) as colony:
        process = colony.get_process(front.processid)
        entries = [entry for name in process.spec.channels for entry in process.channel(name).read()]
        assert process.state is ProcessState.RUNNING
        assert len(entries) > 5
    everything = stored(server) + b"".join(entry.payload or b"" for entry in entries) + serving.log.read_bytes()
    # The word is composed by the cell, so that it is in no log of this test's own.
    for secret in (b"a plain word", b"'a plain '", key):
        assert secret not in everything
    assert serving.environ["COLONIES_PRVKEY"].encode() not in serving.log.read_bytes()


def test_an_installation_without_an_executor_states_what_to_start(environ):
    done = colony_jupyter(environ, "kernel", "install", "--type", own("missing"))
    assert done.returncode == 1
    assert f"no approved executor of type '{own('missing')}'" in done.stderr
    assert f"colony-jupyter kernel serve --type {own('missing')}" in done.stderr


def test_without_a_key_the_first_cell_shows_what_is_missing(serve, environ):
    serve(own("keyless"))
    install(environ, own("keyless"))
    without = {name: value for name, value in environ.items() if not name.endswith("PRVKEY")}
    front = Front(without, f"colony-{own('keyless')}").start()
    try:
        assert "COLONIES_PRVKEY" in shown(front)
    finally:
        front.stop()
