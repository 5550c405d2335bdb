"""Every waiting caller is woken or notified, and only those that an event concerns."""

from __future__ import annotations

from types import SimpleNamespace

from colony_jupyter.server.state.waiters import Waiters
from colony_jupyter.wire.models import ProcessState


def test_polls_are_woken_by_type_by_colony_and_all():
    waiters = Waiters()
    polls = {key: waiters.poll(*key) for key in (("dev", "cli"), ("dev", "gpu"), ("other", "cli"))}

    def woken():
        found = {key for key, event in polls.items() if event.is_set()}
        for event in polls.values():
            event.clear()
        return found

    waiters.wake("dev", "cli")
    assert woken() == {("dev", "cli")}
    waiters.wake("dev")
    assert woken() == {("dev", "cli"), ("dev", "gpu")}
    waiters.wake("nowhere", "cli")
    assert woken() == set()
    waiters.wake_all()
    assert woken() == set(polls)
    waiters.unpoll("dev", "cli", polls["dev", "cli"])
    waiters.unpoll("dev", "cli", polls["dev", "cli"])  # twice is once
    waiters.wake_all()
    assert woken() == set(polls) - {("dev", "cli")}


def test_two_polls_of_one_type_are_both_woken():
    waiters = Waiters()
    first, second = waiters.poll("dev", "cli"), waiters.poll("dev", "cli")
    waiters.unpoll("dev", "cli", first)
    waiters.wake("dev", "cli")
    assert (first.is_set(), second.is_set()) == (False, True)


def test_subscriptions_are_notified_of_their_state():
    waiters, heard = Waiters(), []
    one, kind = (lambda shown: heard.append(("one", shown))), (lambda shown: heard.append(("kind", shown)))
    waiters.subscribe("p1", ProcessState.RUNNING, one)
    waiters.subscribe_type("dev", "cli", ProcessState.RUNNING, kind)

    def announce(processid, state, colonyname="dev", executortype="cli"):
        heard.clear()
        process = SimpleNamespace(processid=processid, colonyname=colonyname, executortype=executortype)
        waiters.announce(process, state, {"p": processid})
        return [name for name, _ in heard]

    assert announce("p1", ProcessState.RUNNING) == ["one", "kind"]
    assert announce("p2", ProcessState.RUNNING) == ["kind"]
    assert announce("p1", ProcessState.SUCCESS) == []
    assert announce("p1", ProcessState.RUNNING, "other") == ["one"]
    waiters.unsubscribe("p1", ProcessState.RUNNING, one)
    waiters.unsubscribe_type("dev", "cli", ProcessState.RUNNING, kind)
    assert announce("p1", ProcessState.RUNNING) == []
    assert (waiters._processes, waiters._types) == ({}, {})  # nothing remains of a process that is gone


def test_a_listener_may_end_its_subscription_while_it_is_notified():
    waiters, heard = Waiters(), []

    def once(shown):
        heard.append(shown)
        waiters.unsubscribe("p", ProcessState.RUNNING, once)

    waiters.subscribe("p", ProcessState.RUNNING, once)
    process = SimpleNamespace(processid="p", colonyname="dev", executortype="cli")
    waiters.announce(process, ProcessState.RUNNING, {})
    waiters.announce(process, ProcessState.RUNNING, {})
    assert heard == [{}]
