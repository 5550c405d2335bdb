"""Panes of single members within that of their workflow."""

from __future__ import annotations

import time

import flows

import colony_jupyter as cj
from colony_jupyter import settings as settings_module
from colony_jupyter.client.portal import PORTAL
from colony_jupyter.notebook.actions.workflow_feed import WorkflowFeed
from colony_jupyter.notebook.views.pane import Pane


def until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def opened(view):
    with view._reading() as model:
        return model.flow.opened


def test_one_member_at_a_time_is_open(colony, server):
    executor = flows.make_executor(settings_module.resolve(server.environ()))
    executor.start()
    run = colony.submit(flows.twenty(executor.executortype)).wait(30)
    executor.stop()
    follower = WorkflowFeed(run.asynchronous)
    callbacks = follower.callbacks()
    view = Pane("workflow", kind="workflow", callbacks=callbacks)
    follower.show_in(view)
    PORTAL.run(follower.follow_to_end)
    callbacks.on_open(run["sum-1"].processid)
    first, _ = follower._opened
    assert opened(view) == (run["sum-1"].processid, first.widget.model_id)
    until(lambda: first.model.finished)
    with first._reading() as model:
        assert model.title == "sum-1 (add)"
        assert model.result.text == "9"
    callbacks.on_open(run["total"].processid)
    second, _ = follower._opened
    assert first.widget.comm is None  # closed
    assert opened(view) == (run["total"].processid, second.widget.model_id)
    callbacks.on_open("")
    assert opened(view) is None
    callbacks.on_open("of another workflow")
    assert opened(view) is None
    callbacks.on_open(run["total"].processid)
    third, _ = follower._opened
    view.close()
    assert third.widget.comm is None
    assert follower._opened is None


def test_the_members_of_another_person_are_read_only(colony, server):
    run = colony.submit(flows.twenty("absent-x"))
    stranger = settings_module.resolve(server.environ())
    with cj.Colony(stranger, prvkey=cj.PrivateKey.generate(bytes_of)) as other:
        colony_owner = cj.Colony(stranger)
        colony_owner.add_user("other", other.userid)
        theirs = other.get_run(run.processgraphid)
        follower = WorkflowFeed(theirs.asynchronous)
        view = Pane("workflow", kind="workflow", callbacks=follower.callbacks())
        follower.show_in(view)
        follower.open_member(theirs["number-1"].processid)
        pane, _ = follower._opened
        with pane._reading() as model:
            assert not model.party
            assert any("only its submitter and its executor" in row.text for row in model.store)
        view.close()
        PORTAL.call_soon(follower.stop)
        colony_owner.remove_user("other")
        colony_owner.disconnect()
    run.cancel()


def bytes_of(count):
    return bytes(range(1, count + 1))
