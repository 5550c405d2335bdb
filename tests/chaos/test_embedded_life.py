"""The embedded colony's process under kernels that come, go and die at any moment; many rounds."""

from __future__ import annotations

import random
import statistics
import time

import psutil
import pytest
from kernels import Kernel, servers, wait_until

from colony_jupyter import embedded
from colony_jupyter.datafolder import info, log

pytestmark = pytest.mark.chaos

ROUNDS = 20


@pytest.fixture
def data(tmp_path):
    yield tmp_path / "data"
    wait_until(lambda: not servers(tmp_path / "data"))


def test_five_kernels_at_once_always_share_one(data):
    for _ in range(ROUNDS):
        kernels = [Kernel(data) for _ in range(5)]
        for kernel in kernels:
            kernel.ask("embedded.ensure(data).port")
        assert len({kernel.answer() for kernel in kernels}) == 1
        wait_until(lambda: len(servers(data)) == 1)
        for kernel in kernels:
            kernel.kill()
        wait_until(lambda: not servers(data))


def test_owner_or_server_killed_the_others_go_on(data):
    """Whichever process dies, the four that remain agree on one server at once, with the same keys."""
    dice = random.Random(1)
    keys = embedded.keys(data)
    kernels = [Kernel(data) for _ in range(5)]
    for kernel in kernels:
        kernel.ensure()
    took = []
    for _ in range(ROUNDS):
        (server,) = wait_for_one(data)
        owner = next(kernel for kernel in kernels if kernel.process.pid == server.ppid())
        if dice.random() < 0.5:
            owner.kill()
            kernels.remove(owner)
            kernels.append(Kernel(data))
        else:
            server.kill()
        start = time.monotonic()
        for kernel in kernels:
            kernel.ask("embedded.ensure(data).port")
        # An answer may still be the address of the one that is just dying; after that they agree.
        for kernel in kernels:
            kernel.answer()
        took.append(time.monotonic() - start)
        wait_for_one(data)
        assert len({kernel.ensure() for kernel in kernels}) == 1
        assert embedded.keys(data) == keys
    for kernel in kernels:
        kernel.kill()
    assert statistics.median(took) < 2


def wait_for_one(data):
    def one():
        found = servers(data)
        running = info.read(data / "running.json")
        return len(found) == 1 and running is not None and running.pid == found[0].pid and info.ask(running)

    wait_until(one)
    return servers(data)


def test_killed_at_any_moment_of_its_start_it_leaves_no_orphan_and_no_lock(data):
    dice = random.Random(2)
    for _ in range(2 * ROUNDS):
        kernel = Kernel(data)
        kernel.ask("embedded.ensure(data).port")
        time.sleep(dice.uniform(0, 0.6))
        kernel.kill()
        wait_until(lambda: not servers(data), 3)
    embedded.ensure(data)
    embedded.stop(data)


def test_stale_and_torn_files_of_every_length(data):
    embedded.ensure(data)
    whole = (data / "running.json").read_bytes()
    embedded.stop(data)
    for length in range(0, len(whole), max(1, len(whole) // ROUNDS)):
        (data / "running.json").write_bytes(whole[:length])
        embedded.ensure(data)
        embedded.stop(data)


def test_descriptors_and_processes_do_not_pile_up(data):
    here = psutil.Process()
    embedded.ensure(data)
    embedded.stop(data)
    before = here.num_fds()
    for _ in range(ROUNDS):
        embedded.ensure(data)
        embedded.stop(data)
    assert here.num_fds() == before
    assert here.children() == []


def test_a_log_that_is_flooded_stays_bounded(data):
    embedded.ensure(data)
    with (data / "server.log").open("ab") as flood:
        for number in range(40_000):
            flood.write(b"line %d, and then some more of it to fill the file with\n" % number)
    wait_until(lambda: (data / "server.log").stat().st_size <= log.MAX_BYTES, 10)
    assert (data / "server.log").read_text().splitlines()[-1].startswith("line 39999")
    embedded.stop(data)
