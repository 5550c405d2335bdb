from __future__ import annotations

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


def test_a_run_ends_at_the_first_that_does_not_fit_at_the_count_and_at_the_size():
    spool = Spool()
    spool.put(entries(10))
    assert spool.pop_while(lambda entry: entry.sequence < 4, count=9, size=9999) == entries(4)
    assert spool.pop_while(lambda _: True, count=3, size=9999) == entries(3, first=4)
    assert spool.pop_while(lambda _: True, count=9, size=150) == entries(2, first=7)  # with the second it is enough
    assert take_all(spool) == entries(1, first=9)


def test_entries_that_were_removed_in_a_run_make_room_in_memory():
    spool = Spool(memory=700)
    files = psutil.Process().num_fds()
    for first in range(0, 20, 2):
        spool.put(entries(2, first=first))
        assert psutil.Process().num_fds() == files
        assert spool.pop_while(lambda _: True, count=9, size=9999) == entries(2, first=first)
