"""A colony's process from its start to its end: what it prints, what was acknowledged outlives it, deafness, ending."""

from __future__ import annotations

import asyncio
import http.client
import os
import signal
import socket
import ssl
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from kernels import Kernel
from websockets.asyncio.client import connect

from colony_jupyter import embedded
from colony_jupyter.datafolder import info, keys, log
from colony_jupyter.datafolder.layout import Layout
from colony_jupyter.errors import EmbeddedError
from colony_jupyter.server.process import main
from colony_jupyter.server.process.main import Options
from colony_jupyter.server.server import Server
from colony_jupyter.wire import messages
from colony_jupyter.wire.envelope import open_reply, seal
from colony_jupyter.wire.models import Conditions, ExecutorRecord, FunctionSpec

if TYPE_CHECKING:
    from collections.abc import Callable


def call(port, message, key):
    """One call on a connection of its own; the status and the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", "/api", seal(message, key))
        answer = connection.getresponse()
        return answer.status, open_reply(answer.read())[1]
    finally:
        connection.close()


def submit(port, keys):
    spec = FunctionSpec(
        funcname="f",
        conditions=Conditions(colonyname=keys.colonyname, executortype="t"),
        channels=["progress"],
    )
    status, process = call(port, messages.SubmitFunctionSpec(spec=spec), keys.prvkey)
    assert status == 200
    return process["processid"]


def test_the_user_is_a_member_and_owner_keys_own(colony_server):
    port, keys = colony_server.port, colony_server.keys
    status, users = call(port, messages.GetUsers(colonyname="dev"), keys.prvkey)
    assert status == 200
    assert [(user["userid"], user["name"]) for user in users] == [(keys.prvkey.id, keys.username)]
    assert call(port, messages.GetUsers(colonyname="dev"), keys.colony_prvkey)[0] == 403  # trap 11
    status, colonies = call(port, messages.GetColonies(), keys.server_prvkey)
    assert (status, [colony["name"] for colony in colonies]) == (200, ["dev"])


def test_what_was_acknowledged_is_there_for_the_next_owner(tmp_path):
    data = tmp_path / "data"
    with Kernel(data) as first, Kernel(data) as second:
        port = first.ensure()
        second.ensure()
        keys = embedded.keys(data)
        processid = submit(port, keys)
        entry = messages.ChannelAppend(processid=processid, name="progress", sequence=1, payload=b"kept")
        assert call(port, entry, keys.prvkey)[0] == 200
        first.kill()
        while True:  # the dying one may be found for an instant more
            try:
                answer = call(second.ensure(), messages.ChannelRead(processid=processid, name="progress"), keys.prvkey)
                break
            except (OSError, http.client.HTTPException):
                continue
        assert answer[0] == 200
        assert [found["sequence"] for found in answer[1]] == [1]
        second.end()


def test_killed_and_restarted_it_has_what_it_acknowledged(colony_server):
    processid = submit(colony_server.port, colony_server.keys)
    colony_server.kill()
    colony_server.restart()
    status, process = call(colony_server.port, messages.GetProcess(processid=processid), colony_server.prvkey)
    assert (status, process["processid"]) == (200, processid)


@pytest.mark.parametrize("deaf", [False, True])
async def test_pings_during_a_channel_subscription(make_colony_server, deaf):
    server = await asyncio.to_thread(make_colony_server, deaf=deaf)
    processid = await asyncio.to_thread(submit, server.port, server.keys)
    async with connect(f"ws://127.0.0.1:{server.port}/pubsub", ping_interval=None, close_timeout=0.1) as client:
        await asyncio.wait_for(await client.ping(), 1)
        subscription = messages.SubscribeChannel(processid=processid, name="progress", timeout=1)
        await client.send(seal(subscription, server.prvkey))
        pong = await client.ping()
        if deaf:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.shield(pong), 0.5)
        else:
            await asyncio.wait_for(asyncio.shield(pong), 0.5)
        assert open_reply(await client.recv()) == ("subscribechannelmsg", [])
        await asyncio.wait_for(pong, 1)


def test_ending_waits_for_no_long_poll_and_answers_it(colony_server):
    keys, port = colony_server.keys, colony_server.port
    key = type(keys.prvkey)("11" * 32)
    executor = ExecutorRecord(executortype="t", executorname="e", executorid=key.id, colonyname="dev")
    assert call(port, messages.AddExecutor(executor=executor), keys.colony_prvkey)[0] == 200
    approve = messages.ApproveExecutor(colonyname="dev", executorname="e")
    assert call(port, approve, keys.colony_prvkey)[0] == 200
    answers = []
    poll = threading.Thread(
        target=lambda: answers.append(call(port, messages.AssignProcess(colonyname="dev", timeout=60), key))
    )
    poll.start()
    time.sleep(0.3)  # until the poll waits, which nothing announces
    start = time.monotonic()
    colony_server.stop()
    assert time.monotonic() - start < 2
    poll.join()
    assert answers[0][0] == 404  # "nothing now" (trap 14), which clients take as such
    assert "Traceback" not in colony_server.log
    assert info.read(colony_server.data / "running.json") is None


# In the process of the test


class Parent:
    """Stands in for the process that started the colony."""

    def __init__(self) -> None:
        self.end: Callable[[], None] | None = None

    def attach(self, callback):
        self.end = callback


class Served:
    """A colony that `serve` runs in this process, and what it printed."""

    def __init__(self, folder) -> None:
        folder.mkdir()
        self.layout = Layout(folder)
        self.lines = []
        self.graces = []
        self.found: info.Running | None = None

    def run(self, client, options, parent_watch=None):
        """Serve until a client, which runs in a thread, has returned."""
        failures = []

        def work():
            try:
                limit = time.monotonic() + 10
                while info.read(self.layout.info) is None:
                    assert time.monotonic() < limit, "it does not serve"
                    time.sleep(0.01)
                self.found = info.read(self.layout.info)
                client(self.found)
            except BaseException as failure:  # noqa: BLE001 - raised again below
                failures.append(failure)
            finally:
                if parent_watch is None:
                    os.kill(os.getpid(), signal.SIGTERM)
                else:
                    parent_watch.end()

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        main.serve(self.layout, options, parent_watch=parent_watch, write_line=self.lines.append)
        thread.join()
        if failures:
            raise failures[0]


@pytest.fixture
def served(tmp_path, monkeypatch):
    made = Served(tmp_path / "data")
    monkeypatch.setattr(main, "end_within", made.graces.append)
    return made


def test_a_colony_on_its_own_prints_where_it_is_and_how_to_use_it(served):
    def client(found):
        key = keys.load_or_make(served.layout).prvkey
        assert call(found.port, messages.GetColony(colonyname="dev"), key)[0] == 200
        assert f"COLONIES_SERVER_PORT={found.port}" in served.layout.environment.read_text().replace("'", "")
        assert not found.child

    served.run(client, Options())
    data = served.layout.path
    assert served.lines == [
        f"Colony 'dev' is served at http://127.0.0.1:{served.found.port} (data in {data}).",
        "To use it from a shell:",
        f"    source {data}/colonies.env",
    ]
    assert info.read(served.layout.info) is None
    assert served.graces == [main.GRACE]


def test_a_child_prints_nothing_and_ends_with_its_parent(served):
    parent_watch = Parent()
    served.run(lambda found: parent_watch.end(), Options(), parent_watch)  # the end of `Served.run` stops it, too
    assert served.lines == []
    assert served.found.child
    assert not served.layout.environment.exists()
    parent_watch.end()  # after the end: no effect
    assert served.graces == [main.GRACE]


def test_the_log_of_a_child_stays_bounded(served, monkeypatch, tmp_path):
    monkeypatch.setattr(main, "_TRIM_SECONDS", 0.01)
    path = tmp_path / "log"
    with path.open("a+") as log_:
        monkeypatch.setattr(sys, "stderr", log_)
        log_.write("a line\n" * 300_000)
        log_.flush()

        def client(found):
            limit = time.monotonic() + 10
            while path.stat().st_size > log.MAX_BYTES:
                assert time.monotonic() < limit, "it grows without end"
                time.sleep(0.01)

        served.run(client, Options(), Parent())
    assert path.read_text().endswith("a line\n")


def test_it_serves_without_uvloop_too(served, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvloop", None)

    def client(found):
        assert call(found.port, messages.GetVersion(), None)[0] == 200

    served.run(client, Options())


def test_with_tls_it_is_called_by_https_and_trusted_by_its_authority(served):
    def client(found):
        context = ssl.create_default_context(cafile=str(served.layout.tls / "authority.pem"))
        with (
            socket.create_connection(("127.0.0.1", found.port)) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as secure,
        ):
            assert secure.version()
        assert f"SSL_CERT_FILE={served.layout.tls / 'authority.pem'}" in served.layout.environment.read_text()

    served.run(client, Options(host="0.0.0.0", tls=True))
    assert served.lines[0].startswith("Colony 'dev' is served at https://")
    assert not any("Without TLS" in line for line in served.lines)


def test_the_certificate_names_what_clients_call_and_this_machine(tmp_path):
    found = main._certificate(tmp_path / "tls", "colony.example")
    stored = x509.load_pem_x509_certificate(found.server.read_bytes())
    names = stored.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {str(name.value) for name in names} == {"colony.example", "localhost", "127.0.0.1", "::1"}


def test_at_an_address_of_ipv6_the_printed_one_has_brackets(served):
    served.run(lambda found: None, Options(host="::1"))
    assert f"http://[::1]:{served.found.port} " in served.lines[0]


def test_what_the_options_ask_for_reaches_the_server(served, monkeypatch):
    asked = {}

    class Asked(Server):
        def __init__(self, *args, **options) -> None:
            asked.update(options)
            super().__init__(*args, **options)

    monkeypatch.setattr(main, "Server", Asked)
    served.run(lambda found: None, Options(limits=False, durability="full", keep_days=3.0))
    assert (asked["limits"], asked["durability"], asked["keep_days"]) == (False, "full", 3.0)


@pytest.mark.parametrize("host", ["::", ""])
def test_all_addresses_are_those_of_both_families(host):
    with main._bind(Options(host=host)) as bound:
        assert bound.getsockname()[0] in ("::", "0.0.0.0")
        with socket.create_connection(("127.0.0.1", bound.getsockname()[1]), timeout=5):
            pass


def test_a_peer_that_vanished_is_noticed_within_some_minutes():
    with main._bind(Options()) as bound, socket.create_connection(bound.getsockname()):
        accepted, _ = bound.accept()
        with accepted:
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            idle, interval, count = (
                accepted.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name, _ in main._KEEPALIVE
            )
    assert 60 <= idle + interval * count <= 180


@pytest.mark.parametrize(("files", "connections"), [(8192, 4000), (1024, 924), (50, 1)])
def test_open_files_bound_the_connections(monkeypatch, files, connections):
    """The server's own files must stay possible."""
    monkeypatch.setattr(main, "raise_limit", lambda wanted: files)
    assert main._connections() == connections


@pytest.mark.parametrize("resolved", [True, False])
def test_at_all_addresses_it_warns_and_names_one_to_call(served, monkeypatch, resolved):
    name = "localhost" if resolved else "name.invalid"
    monkeypatch.setattr(socket, "gethostname", lambda: name)
    served.run(lambda found: None, Options(host="0.0.0.0", insecure_bind=True))
    assert served.found.host == ("localhost" if resolved else "127.0.0.1")
    assert "Without TLS: anyone on the network can read what is sent." in served.lines


@pytest.mark.parametrize("host", ["0.0.0.0", "", "192.0.2.1", "name.invalid", "a" * 70 + ".invalid"])
def test_beyond_this_machine_it_needs_tls_or_a_request(host):
    with pytest.raises(EmbeddedError, match=r"Add --tls, or --insecure-bind"):
        main.check(Options(host=host))
    main.check(Options(host=host, tls=True))
    main.check(Options(host=host, insecure_bind=True))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "127.1.2.3", "localhost"])
def test_on_this_machine_it_needs_neither(host):
    main.check(Options(host=host))


@pytest.mark.parametrize(
    "options",
    [Options(host="name.invalid", tls=True), Options(host="a" * 70 + ".invalid", tls=True)],
)
def test_where_nothing_can_listen_is_named(served, options):
    with pytest.raises(EmbeddedError, match=f"Nothing can listen at {options.host}:{options.port}: ") as caught:
        main.serve(served.layout, options, parent_watch=None, write_line=served.lines.append)
    assert "Name another --port (0 for any free one) or --host." in str(caught.value)


def test_a_port_in_use_is_named(served):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EmbeddedError, match=f"Nothing can listen at 127.0.0.1:{port}: Address already in use"):
            main.serve(served.layout, Options(port=port), parent_watch=None, write_line=served.lines.append)
    assert served.lines == []


@pytest.mark.parametrize(("token", "answered"), [("right", True), ("wrong", False), (None, False)])
def test_the_identity_is_given_to_readers_of_the_record_only(served, token, answered):
    def client(found):
        shown = {"right": found.token, "wrong": "0" * 32}.get(token)
        connection = http.client.HTTPConnection("127.0.0.1", found.port, timeout=10)
        connection.request("GET", info.ASK_PATH, headers={info.TOKEN_HEADER: shown} if shown else {})
        answer = connection.getresponse()
        assert (answer.status, answer.read().decode() == found.id) == (200 if answered else 404, answered)
        connection.close()

    served.run(client, Options(), Parent())
