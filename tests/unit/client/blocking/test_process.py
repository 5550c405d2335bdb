"""A process through its life, with calls that block."""

from __future__ import annotations

import threading

import pytest

from colony_jupyter import Process, ProcessState


def test_a_process_through_its_life(parties):
    process, assigned, executor = parties
    assert isinstance(process, Process)
    assert (assigned.spec.args, assigned.spec.kwargs) == ([1], {"a": 2})
    assert process.running(5).state is ProcessState.RUNNING
    assert str(assigned) == str(process) == process.processid
    assert assigned == process
    assigned.channel("c").send("hello")
    assigned.channel("c").write("wor")
    assigned.channel("c").write("ld")
    assigned.channel("c").end()
    assert [entry.text for entry in process.channel("c")] == ["hello", "world"]
    executor.close(assigned, ["done"])
    assert process.result(5) == "done"
    assert repr(process).startswith("<Process work ")
    assert repr(process).endswith("SUCCESS>")


@pytest.mark.parametrize("wait", [Process.closed, lambda process, timeout: process.wait("success", timeout)])
def test_waits_last_until_the_process_is_in_the_state(parties, wait):
    process, assigned, executor = parties
    timer = threading.Timer(0.2, executor.close, (assigned,))
    timer.start()
    try:
        assert wait(process, 10).state is ProcessState.SUCCESS
    finally:
        timer.join()


def test_waits_return_the_process_itself(parties):
    process, assigned, executor = parties
    assert process.running(5) is process
    executor.fail(assigned, ["no luck"])
    assert process.closed(5) is process
    assert process.wait(ProcessState.FAILED, 5) is process
    assert (process.channel("c").name, process.channel("c").processid) == ("c", process.processid)
