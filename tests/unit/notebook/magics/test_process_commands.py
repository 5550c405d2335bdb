"""Commands about processes and workflows: which action is called and how, what is shown, and what is assigned."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from simulated_magics import PID, Feed, Process, action_named

from colony_jupyter.errors import ColonyError, ProcessFailed, UsageError
from colony_jupyter.notebook import actions, views
from colony_jupyter.notebook.actions.processes import Wanted
from colony_jupyter.notebook.model.changes import Note, PlotChoice, WriteAccess

# submitting


def test_a_submission_is_shown_and_is_the_value(place):
    feed = place.follow()
    process = place.line("submit train 0.5 text $n --type cli --channel loss -o p", n=[1])
    args, options = place.session.call("submit_and_follow")
    assert args == (place.session.colony, "train", 0.5, "text", [1])
    assert options == {"executortype": "cli", "channels": ["loss"], "acknowledged": True}
    assert place.shell.user_ns["p"] is process
    assert feed.view is place.view
    assert feed in place.session.feeds
    assert place.session.started == ["follow_to_end"]
    assert place.opened[0][1]["kind"] == "log"


def test_where_its_pane_is_the_value_shows_nothing_and_later_it_does(place):
    place.follow()
    process = place.line("submit train --type cli")
    assert process._ipython_display_() is None
    (after,) = place.shell.events.callbacks
    after(None)
    assert not hasattr(process, "_ipython_display_")
    assert place.shell.events.callbacks == []


def test_in_a_terminal_the_value_shows_as_always(place):
    place.leave()
    place.follow()
    process = place.line("submit train --type cli")
    assert not hasattr(process, "_ipython_display_")


def test_in_a_headless_run_the_cell_waits_and_raises_what_the_process_raised(place):
    place.is_headless = True
    place.follow()
    place.session.results["follow_to_success"] = ProcessFailed(PID, "train", ["no"])
    with pytest.raises(ProcessFailed):
        place.line("submit train --type cli")
    assert place.session.started == []


def test_to_wait_is_to_wait_for_success_and_an_interrupt_stops_the_following(place):
    feed = place.follow()
    place.session.results["closed_with_success"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        place.line("submit train --type cli --wait")
    assert place.session.started == ["follow_to_end"]
    assert feed.is_stopped


def test_a_view_that_cannot_be_opened_leaves_no_feed_behind(place, monkeypatch):
    def fail(*_, **__):
        raise ColonyError("no widgets")

    monkeypatch.setattr(views.choose, "open_view", fail)
    feed = place.follow()
    with pytest.raises(ColonyError, match="no widgets"):
        place.line("submit train --type cli")
    assert feed.is_stopped


def test_a_quiet_submission_shows_nothing(place):
    place.session.results["submit"] = Process()
    place.line("submit train --type cli --quiet")
    assert place.session.names() == ["submit"]
    place.line("submit train --type cli --quiet --wait")
    assert place.session.names() == ["submit", "submit", "result"]
    assert place.opened == []


def test_a_cell_is_a_spec(place):
    place.follow()
    place.cell("submit --type cli --no-sync", '{"funcname": "train", "args": [1]}')
    (_, spec), options = place.session.call("submit_and_follow")
    assert (spec.funcname, spec.args) == ("train", [1])
    assert options == {"executortype": "cli", "acknowledged": False}


def test_a_cell_is_a_script_for_a_container(place):
    place.follow()
    place.cell("execute ubuntu --type docker", "echo hello")
    (_, spec), _ = place.session.call("submit_and_follow")
    assert spec.funcname == "execute"
    assert "ubuntu" in repr(spec.kwargs)


def test_pythons_words_in_the_place_of_json_are_noted_once(place, capsys):
    place.follow()
    place.line("submit train True --type cli")
    assert capsys.readouterr().out.count("\n") == 1
    place.line("submit train None --type cli")
    assert capsys.readouterr().out == ""


# processes


def test_options_of_lists_reach_the_action(place):
    place.line("ps --state running --label x --function f --type cli --mine --count 3")
    (_, wanted), _ = place.session.call("recent")
    assert wanted == Wanted("running", "x", "f", "cli", mine=True, count=3)
    place.line("log --search loss --days 7 --executor laptop")
    assert place.session.call("search")[0][1:] == ("loss", 7, "laptop")


def test_a_process_is_looked_for_among_variables_of_the_caller_first(place):
    place.shell.user_ns["x"] = "global"
    place.line("get x", x="local")
    (_, word, names, known), _ = place.session.call("find")
    assert (word, names["x"], known) == ("x", "local", (PID,))


def test_watching_reads_all_channels_or_those_that_are_named(place):
    place.follow()
    place.session.results["find"].asynchronous.colony = SimpleNamespace(userid="me")
    place.session.results["find"].record.initiatorid = "me"
    place.session.results["find"].record.assignedexecutorid = ""
    place.magics.history = 20
    place.line("watch p")
    args, options = place.session.call("follow")
    assert (args[1], options) == (None, {"history": 20, "log": True})
    place.session.calls.clear()
    place.line("watch p out")
    args, options = place.session.call("follow")
    assert (args[1], options) == (["out"], {"history": 20, "log": False})


def test_watching_the_process_of_another_user_reads_no_channel_and_explains_it(place):
    place.follow()
    record = place.session.results["find"].record
    place.session.results["find"].asynchronous.colony = SimpleNamespace(userid="me")
    record.initiatorid, record.initiatorname, record.assignedexecutorid = "other", "ada", ""
    place.line("watch p")
    assert place.session.call("follow")[0][1] == []
    assert place.view.changes[0] == WriteAccess(allowed=False)
    assert isinstance(place.view.changes[1], Note)
    assert "'ada'" in place.view.changes[1].text


def test_a_plot_is_a_view_of_one_channel(place, monkeypatch):
    monkeypatch.setattr(actions.processes, "check_plot", lambda process, channel: None)
    place.follow()
    place.line("plot p loss --x step --y a b")
    assert place.session.call("follow")[0][1] == ["loss"]
    assert place.view.changes == [PlotChoice("loss", "step", ("a", "b"))]
    assert place.opened[0][1]["kind"] == "plot"


def test_following_a_log_reads_no_channel(place):
    place.follow()
    place.line("log p --follow")
    assert place.session.call("follow")[0][1] == []
    with pytest.raises(UsageError):
        place.line("log")


def test_answers_are_printed(place, capsys):
    place.session.results["send"] = "Sent."
    place.line("send p out  two  words ")
    assert place.session.call("send")[0][1:] == ("out", "two  words")
    place.session.results["cancel"] = "train is cancelled."
    place.line("cancel p")
    assert capsys.readouterr().out == "Sent.\ntrain is cancelled.\n"


def test_what_is_no_process_may_be_a_workflow(place, capsys, monkeypatch):
    run = SimpleNamespace(processgraphid=PID)
    place.session.results["cancel"] = "The workflow is cancelled."
    missing = UsageError("'w' is no process")
    found = {"processes": missing, "workflows": run}

    def session_run(action, *args, **kwargs):
        result = found[action.__module__.rpartition(".")[2]] if action.__name__ == "find" else "The workflow is gone."
        if isinstance(result, BaseException):
            raise result
        return result

    place.session.run = session_run
    place.line("cancel w")
    assert capsys.readouterr().out == "The workflow is gone.\n"
    found["workflows"] = UsageError("'w' is no workflow")
    with pytest.raises(UsageError, match="is no process"):
        place.line("cancel w")


# workflows


class WorkflowFeed(Feed):
    made: list[WorkflowFeed] = []  # noqa: RUF012 - emptied for each test

    def __init__(self, run, theme) -> None:
        super().__init__()
        self.theme = theme
        self.made.append(self)


@pytest.fixture
def workflow(place, monkeypatch):
    monkeypatch.setattr(actions.workflow_feed, "WorkflowFeed", WorkflowFeed)
    monkeypatch.setattr(WorkflowFeed, "made", [])
    run = SimpleNamespace(processgraphid=PID, result=action_named("result"))
    place.session.results["find"] = run
    place.session.results["submit"] = run
    return run


def test_a_workflow_is_shown_and_is_the_value(place, workflow):
    place.magics.theme = "dark"
    shown = place.line("workflow w")
    assert shown.run is workflow
    assert WorkflowFeed.made[0].view is place.view
    assert place.opened[0][1]["kind"] == "workflow"
    assert place.opened[0][1]["theme"] == "dark"
    assert place.session.started == ["follow_to_end"]
    assert place.magics.goes_on.startswith("Workflow 424d6828 goes on")


def test_a_workflow_of_a_cell_is_submitted_and_may_be_waited_for(place, workflow):
    cell = '[{"funcname": "a", "nodename": "a", "conditions": {"executortype": "cli"}}]'
    place.cell("workflow --wait -o run", cell)
    assert [spec.funcname for spec in place.session.call("submit")[0][1]] == ["a"]
    assert place.session.names()[-1] == "follow_to_success"
    assert place.shell.user_ns["run"].run is workflow
    place.cell("workflow --quiet --wait", cell)
    assert place.session.names()[-1] == "result"
    assert len(place.opened) == 1


def test_a_workflow_whose_view_fails_leaves_no_feed_behind(place, workflow, monkeypatch):
    monkeypatch.setattr(WorkflowFeed, "show_in", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        place.line("workflow w")
    assert WorkflowFeed.made[0].is_stopped
