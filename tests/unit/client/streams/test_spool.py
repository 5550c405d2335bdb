from __future__ import annotations

import threading

import psutil

from colony_jupyter.client.streams.spool import Spool
from colony_jupyter.wire.models import Entry


def entries(count, size=100, first=0):
    return [
        Entry(sequence=n, payload=b"x" * size, timestamp=f"t{n}", former=n % 2 == 0)
        for n in range(first, first + count)
    ]


def take_all(spool):
    taken = []
    while (entry := spool.pop()) is not None:
        taken.append(entry)
    return taken


def test_first_in_first_out():
    spool = Spool()
    spool.put(entries(3))
    assert spool.pop() == entries(1)[0]
    spool.put(entries(2, first=3))
    assert take_all(spool) == entries(4, first=1)
    assert spool.pop() is None


def test_what_is_over_the_bound_waits_in_a_file_and_comes_back_in_order():
    spool = Spool(memory=2000)
    files = psutil.Process().num_fds()
    spool.put(entries(500))
    assert psutil.Process().num_fds() == files + 1
    taken = [spool.pop() for _ in range(100)]
    spool.put(entries(100, first=500))
    taken += take_all(spool)
    assert taken == entries(600)
    assert psutil.Process().num_fds() == files


def test_an_entry_larger_than_the_bound_still_passes():
    spool = Spool(memory=10)
    spool.put(entries(3, size=1000))
    assert take_all(spool) == entries(3, size=1000)


def test_closing_forgets_everything_and_leaves_no_file():
    spool = Spool(memory=10)
    files = psutil.Process().num_fds()
    spool.put(entries(10))
    spool.close()
    assert spool.pop() is None
    assert psutil.Process().num_fds() == files


def test_one_thread_puts_while_another_takes():
    spool = Spool(memory=5000)
    taken = []

    def take_in_order():
        while len(taken) < 3000:
            entry = spool.pop()
            if entry is not None:
                taken.append(entry)

    taker = threading.Thread(target=take_in_order)
    taker.start()
    for entry in entries(3000):
        spool.put([entry])
    taker.join(20)
    assert taken == entries(3000)
