"""From a line to its action: which one is called and how, what is shown, what is assigned. No server, no kernel."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import traitlets
from IPython.core.error import StdinNotImplementedError
from simulated_magics import PID, Process, action_named

from colony_jupyter.errors import ColonyError, UsageError
from colony_jupyter.notebook.magics import magics as magics_module
from colony_jupyter.notebook.model.changes import Note

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


def test_the_doctor_examines(place):
    assert place.line("doctor") == "report"


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
