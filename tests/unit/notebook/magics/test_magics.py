"""From a line to its action: which one is called and how, what is shown, what is assigned. No server, no kernel."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import traitlets
from IPython.core.error import StdinNotImplementedError
from simulated_magics import PID, Feed, Place, Process, action_named

from colony_jupyter.errors import ColonyError, ProcessFailed, UsageError
from colony_jupyter.notebook import views
from colony_jupyter.notebook.actions.processes import Wanted
from colony_jupyter.notebook.magics import magics as magics_module
from colony_jupyter.notebook.model.changes import Note, PlotChoice, WriteAccess


@pytest.fixture
def place(monkeypatch):
    return Place(monkeypatch)


# reading a line


@pytest.mark.parametrize("line", ["--help", "-h", "help"])
def test_help_is_printed(place, capsys, line):
    assert place.line(line) is None
    assert "usage: %colony [COMMAND]" in capsys.readouterr().out
    assert place.line("submit --help") is None
    assert "%colony submit" in capsys.readouterr().out


def test_no_command_is_the_status(place):
    place.session.results["status"] = "all is well"
    assert place.line("") == "all is well"
    assert place.session.call("status") == ((place.session.colony, "train (424d6828)"), {})


@pytest.mark.parametrize("line", ["get\tabc", "  get   abc  "])
def test_a_command_is_divided_by_any_blanks(place, line):
    place.line(line)
    assert place.session.call("find")[0][1] == "abc"


@pytest.mark.parametrize(
    ("line", "cell", "sentence"),
    [
        ("sumbit x", None, r"%colony has no command 'sumbit'\. Did you mean 'submit'\?"),
        ("frobnicate", None, r"%colony has no command 'frobnicate'\. There are: status, connect"),
        ("ps", "text", r"These need a cell: `%%colony submit`"),
        ("executee x", "text", r"Did you mean 'execute'\?"),
    ],
)
def test_an_unknown_command_names_the_nearest(place, line, cell, sentence):
    with pytest.raises(UsageError, match=sentence):
        place.magics.colony(line, cell)


def test_an_error_shows_sentences_in_place_of_a_traceback(place):
    with pytest.raises(UsageError) as caught:
        place.line("frobnicate")
    shown = vars(caught.value)["_render_traceback_"]()
    assert len(shown) <= 2
    assert "frobnicate" in shown[0]


def test_an_interrupt_states_what_goes_on(place):
    place.session.results["submit"] = Process()
    place.session.results["result"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt) as caught:
        place.line("submit train --quiet --wait")
    assert vars(caught.value)["_render_traceback_"]() == [
        "Interrupted. train (424d6828) goes on: `%colony watch 424d6828` shows it, `%colony cancel 424d6828` ends it."
    ]
    place.session.results["status"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt) as caught:
        place.line("status")
    assert vars(caught.value)["_render_traceback_"]() == ["Interrupted."]


@pytest.mark.parametrize(
    ("line", "action"),
    [
        ("executors", "executors"),
        ("functions", "functions"),
        ("workflows", "workflows"),
        ("ps", "recent"),
        ("get p", "details"),
        ("read p out", "read"),
        ("log p", "of_process"),
        ("log --executor laptop", "of_executor"),
        ("log --search loss", "search"),
    ],
)
def test_a_table_is_the_value_and_may_be_assigned(place, line, action):
    place.session.results[action] = "a table"
    assert place.line(line) == "a table"
    assert place.shell.user_ns == {}
    assert place.line(f"{line} -o found") == "a table"
    assert place.shell.user_ns == {"found": "a table"}


def test_options_of_lists_reach_the_action(place):
    place.line("ps --state running --label x --function f --type cli --mine --count 3")
    (_, wanted), _ = place.session.call("recent")
    assert wanted == Wanted("running", "x", "f", "cli", mine=True, count=3)
    place.line("log --search loss --days 7 --executor laptop")
    assert place.session.call("search")[0][1:] == ("loss", 7, "laptop")


def test_the_doctor_examines(place):
    assert place.line("doctor") == "report"


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
    monkeypatch.setattr(magics_module.actions.processes, "check_plot", lambda process, channel: None)
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
    monkeypatch.setattr(magics_module.actions.workflow_feed, "WorkflowFeed", WorkflowFeed)
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


# connecting


def test_connecting_switches_the_session(place, capsys, monkeypatch):
    chosen = {}

    def choose(address, **how):
        chosen.update(how, address=address)
        return SimpleNamespace(host="server", port=1)

    monkeypatch.setattr(magics_module.actions.connect, "choose", choose)
    monkeypatch.setattr(magics_module.actions.connect, "place", lambda settings: f"{settings.host}:{settings.port}")
    place.session.results["open_colony"] = "another colony"
    place.line("connect server:1 --colony dev --no-tls")
    assert chosen == {"address": "server:1", "colonyname": "dev", "tls": False, "embedded": False, "ask": None}
    assert place.session.colony == "another colony"
    assert capsys.readouterr().out == "Connected to server:1.\n"
    place.line("connect --ask")
    monkeypatch.setattr(magics_module.getpass, "getpass", lambda prompt: f"answer to {prompt}")
    assert chosen["ask"]("key: ") == "answer to key: "


def test_a_front_end_that_cannot_ask_is_explained(monkeypatch):
    def refuse(prompt):
        raise StdinNotImplementedError("no stdin")

    monkeypatch.setattr(magics_module.getpass, "getpass", refuse)
    with pytest.raises(UsageError, match="cannot ask for a key: set COLONIES_PRVKEY"):
        magics_module._ask("key: ")


# chats


@pytest.fixture
def chat_session(place):
    chat_session = SimpleNamespace(process=Process(), send=action_named("send"), turn_to=action_named("turn_to"))
    place.session.results["conversation"] = (chat_session, "")
    place.session.results["send"] = "the answer"
    place.session.chat_sessions = {"topic": chat_session}
    return chat_session


def test_a_message_is_sent_and_the_answer_may_be_assigned(place, chat_session):
    place.magics.colony_chat("chat --type cli --timeout 5 --kw n=1 -o answer", "Hello\n there\n")
    _, options = place.session.call("conversation")
    assert options["funcname"] == "chat"
    assert options["options"] == {"executortype": "cli", "kwargs": {"n": 1}}
    assert place.session.call("send")[0] == ("Hello\n there", 5.0)
    assert place.shell.user_ns["answer"] == "the answer"
    assert place.opened[0][1]["kind"] == "chat"
    assert not place.view.is_finished
    assert place.session.names() == ["conversation", "show_in", "send"]


def test_without_a_pane_the_conversation_is_shown_nowhere_afterwards(place, chat_session):
    place.session.results["conversation"] = (chat_session, "The earlier conversation has ended; this is a new one.")
    place.session.results["send"] = ColonyError("no answer")
    with pytest.raises(ColonyError, match="no answer"):
        place.magics.colony_chat("--no-pane", "Hello")
    assert place.view.changes == [Note("The earlier conversation has ended; this is a new one.")]
    assert place.view.is_finished
    assert place.session.names() == ["conversation", "show_in", "send", "turn_to"]


def test_in_a_headless_run_all_of_the_answer_is_shown_at_the_end_of_the_cell(place, chat_session):
    place.is_headless = True
    place.magics.colony_chat("chat", "Hello")
    assert place.view.is_finished


def test_a_process_is_talked_to_by_its_id(place, chat_session):
    place.magics.colony_chat("--pid p", "Hello", local_ns={"p": 1})
    assert place.session.call("conversation")[1]["process"].processid == PID


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [(None, "Use %%colony_chat, with two percent signs"), (" \n\n", "The cell is empty")],
)
def test_without_a_message_nothing_is_begun(place, chat_session, cell, sentence):
    with pytest.raises(UsageError, match=sentence):
        place.magics.colony_chat("chat", cell)
    assert place.session.calls == []


# settings


def test_settings_are_checked(place):
    for name, wrong in (("settle", -1.0), ("history", -1), ("theme", "pink")):
        with pytest.raises(traitlets.TraitError):
            setattr(place.magics, name, wrong)
    place.magics.settle = 3
    assert place.magics._settle() == 3.0


def test_top_writes_to_the_cell(place, monkeypatch):
    shown = []
    monkeypatch.setattr(magics_module.actions.top, "show", lambda *args, **how: shown.append((args, how)))
    place.line("top --follow")
    ((args, how),) = shown
    assert args[:2] == (place.session.run, place.session.colony)
    assert how == {"follow": True, "theme": "auto"}
