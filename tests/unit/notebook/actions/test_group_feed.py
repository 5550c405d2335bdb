"""The board of a group as it goes on, on a simulated server."""

from __future__ import annotations

import asyncio

import pytest
import virtual_time
from simulated_groups import GroupServer, submit

from colony_jupyter.errors import AccessDenied, ColonyError, ServerUnreachable
from colony_jupyter.notebook.actions import group_feed
from colony_jupyter.notebook.actions.group_feed import GroupFeed
from colony_jupyter.wire.models import ProcessState


class View:
    """Records the boards that are shown."""

    on_close = None

    def __init__(self) -> None:
        self.boards = []
        self.finished = []  # the boards that were final

    def update(self, board):
        self.boards.append(board)

    def finish(self):
        self.finished.append(self.boards[-1])


class Portal:
    """Runs what is handed over on the loop of the test."""

    def __init__(self) -> None:
        self.tasks: list[asyncio.Task] = []

    def spawn(self, function, *args):
        self.tasks.append(asyncio.create_task(function(*args)))

    def call_soon(self, function, *args):
        asyncio.get_running_loop().call_soon(function, *args)


@pytest.fixture
def portal(monkeypatch):
    portal = Portal()
    monkeypatch.setattr(group_feed, "PORTAL", portal)
    return portal


@pytest.fixture
def following(portal):
    """Return a function that runs a scenario with a group that is followed, on virtual time."""

    def run(scenario, count=3):
        async def work():
            server = GroupServer()
            group = await submit(server, count)
            feed, view = GroupFeed(group), View()
            feed.start(view)
            async with asyncio.timeout(600):
                await scenario(server, group, feed, view)
            feed.stop()
            await asyncio.sleep(1)

        virtual_time.run(work())

    return run


def counts(board):
    return {each.state: each.count for each in board.counts if each.count}


def text(board):
    return repr(board)


def test_it_is_followed_until_it_is_over(following):
    async def scenario(server, group, feed, view):
        server.assign(3)
        await asyncio.sleep(5)
        assert counts(view.boards[-1]) == {"RUNNING": 3}
        assert view.boards[-1].is_live
        server.close(2)
        server.close(1, ProcessState.FAILED)
        await feed.wait()
        assert counts(view.boards[-1]) == {"SUCCESS": 2, "FAILED": 1}
        assert not view.boards[-1].is_live
        assert counts(view.finished[-1]) == {"SUCCESS": 2, "FAILED": 1}
        before = len(server.calls)
        await asyncio.sleep(60)
        assert len(server.calls) == before

    following(scenario)


def test_the_first_board_shows_what_is_known_although_the_server_is_away():
    async def work():
        server = GroupServer()
        group = await submit(server, 2)
        server.is_down = True
        board = await GroupFeed(group).board()
        assert counts(board) == {"WAITING": 2}

    virtual_time.run(work())


def test_it_shows_what_waiting_processes_wait_for_while_none_runs(following):
    async def scenario(server, group, feed, view):
        await asyncio.sleep(2)
        assert "none is registered" in text(view.boards[-1])
        server.assign(1)
        await asyncio.sleep(10)
        assert "none is registered" not in text(view.boards[-1])

    following(scenario)


def test_the_name_of_an_executor_is_asked_for_once(following):
    async def scenario(server, group, feed, view):
        server.assign(3)
        await asyncio.sleep(30)
        server.close(3)
        await feed.wait()
        assert len(server.asked) == 1

    following(scenario)


def test_while_the_server_is_away_the_board_states_it(following):
    async def scenario(server, group, feed, view):
        await asyncio.sleep(1)
        server.is_down = True
        await asyncio.sleep(10)
        assert "simulated:1" in view.boards[-1].trouble
        server.is_down = False
        await asyncio.sleep(30)
        assert view.boards[-1].trouble == ""

    following(scenario)


def test_a_refusal_ends_the_following_and_a_button_begins_it_again(following, portal):
    async def scenario(server, group, feed, view):
        await asyncio.sleep(1)
        call = server.call

        async def refuse(message, shape):
            raise AccessDenied(403, "no member")

        server.call = refuse
        await asyncio.sleep(10)
        assert "no member" in view.boards[-1].trouble
        assert not view.boards[-1].is_live
        server.call = call
        server.assign(3)
        feed.cancel(server.in_state(ProcessState.RUNNING)[0].processid)
        await asyncio.sleep(10)
        assert view.boards[-1].trouble == ""
        assert view.boards[-1].is_live
        assert counts(view.boards[-1]) == {"RUNNING": 2, "CANCELLED": 1}

    following(scenario)


def test_buttons_cancel_one_or_all(following):
    async def scenario(server, group, feed, view):
        await asyncio.sleep(1)
        feed.cancel(group[0].processid)
        await asyncio.sleep(3)
        assert counts(view.boards[-1]) == {"WAITING": 2, "CANCELLED": 1}
        feed.cancel(group[0].processid)
        await asyncio.sleep(3)
        assert "closed process" in view.boards[-1].trouble
        feed.call("cancel")
        await asyncio.sleep(3)
        assert counts(view.boards[-1]) == {"CANCELLED": 3}
        assert view.boards[-1].trouble == ""

    following(scenario)


def test_failed_processes_are_submitted_again_and_followed(following):
    async def scenario(server, group, feed, view):
        server.assign(3)
        server.close(2)
        server.close(1, ProcessState.FAILED)
        await asyncio.sleep(10)
        assert not view.boards[-1].is_live
        assert [counts(board) for board in view.finished] == [{"SUCCESS": 2, "FAILED": 1}]
        feed.call("retry")
        await asyncio.sleep(5)
        assert counts(view.boards[-1]) == {"WAITING": 1, "SUCCESS": 2}
        assert view.boards[-1].is_live
        server.assign(1)
        server.close(1)
        await asyncio.sleep(10)
        assert counts(view.boards[-1]) == {"SUCCESS": 3}
        assert not view.boards[-1].is_live
        assert counts(view.finished[-1]) == {"SUCCESS": 3}

    following(scenario)


def test_what_is_submitted_again_just_as_the_following_ends_is_followed(following):
    async def scenario(server, group, feed, view):
        names = server.get_executor_by_id

        async def slow(executorid):
            if not group.is_over:
                raise ServerUnreachable("simulated:1", "connection refused")
            feed.call("retry")
            await asyncio.sleep(5)
            return await names(executorid)

        server.get_executor_by_id = slow
        server.assign(3)
        server.close(3, ProcessState.FAILED)
        await asyncio.sleep(8)
        assert group.counts() == {"WAITING": 3}
        assert view.boards[-1].is_live
        server.assign(3)
        server.close(3)
        await asyncio.sleep(10)
        assert counts(view.boards[-1]) == {"SUCCESS": 3}

    following(scenario)


def test_its_end_is_shown_at_once_although_it_comes_while_names_are_asked_for(following):
    async def scenario(server, group, feed, view):
        names = server.get_executor_by_id

        async def slow(executorid):
            await asyncio.sleep(2)
            return await names(executorid)

        server.get_executor_by_id = slow
        server.assign(3)
        async with group.watch.following():
            while group.counts() != {"RUNNING": 3}:
                await group.watch.change()
        server.close(3)
        begun = asyncio.get_running_loop().time()
        await feed.wait()
        assert asyncio.get_running_loop().time() - begun < 3

    following(scenario)


def test_closing_the_view_ends_the_following(following):
    async def scenario(server, group, feed, view):
        await asyncio.sleep(1)
        view.on_close()
        await asyncio.sleep(5)
        before = len(server.calls), len(view.boards)
        feed.call("cancel")  # a click that was on its way
        await asyncio.sleep(5)
        assert group.counts() == {"CANCELLED": 3}
        assert len(view.boards) == before[1]
        await feed.wait()
        assert view.finished == []

    following(scenario)


def test_members_are_followed_in_panes_of_their_own(following, monkeypatch):
    made = []
    monkeypatch.setattr(group_feed, "follow_in_board", lambda make: made.append(make()) or ("train", None, None))

    async def scenario(server, group, feed, view):
        feed.on_visible()
        assert feed.follow("0" * 64) is None
        assert feed.follow(group[1].processid) == ("train", None, None)
        assert [process.processid for process in made] == [group[1].processid]
        assert made[0].record.spec.args == [1]

    following(scenario)


def test_a_button_that_does_not_exist_is_an_error(following):
    async def scenario(server, group, feed, view):
        with pytest.raises(KeyError):
            feed.call("explode")

    following(scenario)


def test_names_that_cannot_be_found_are_left_out(following):
    async def scenario(server, group, feed, view):
        server.name_refusal = ColonyError("not now")
        server.assign(3)
        await asyncio.sleep(3)
        assert counts(view.boards[-1]) == {"RUNNING": 3}
        assert "laptop" not in text(view.boards[-1])
        server.name_refusal = None
        server.close(1)
        await asyncio.sleep(6)
        assert "laptop" in text(view.boards[-1])

    following(scenario)
