"""Where magics run in tests of single lines: a shell, a session that records which actions run, views and feeds."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from colony_jupyter.notebook import views
from colony_jupyter.notebook.magics import magics, process_commands
from colony_jupyter.notebook.magics.magics import ColonyMagics

PID = "424d6828" + "0" * 56


class Events:
    def __init__(self) -> None:
        self.callbacks = []

    def register(self, event, callback):
        assert event == "post_run_cell"
        self.callbacks.append(callback)

    def unregister(self, event, callback):
        self.callbacks.remove(callback)


class Process:
    """A process in its blocking form."""

    processid = PID
    funcname = "train"

    def __init__(self) -> None:
        self.record = SimpleNamespace(spec=SimpleNamespace(channels=["out"]))
        self.asynchronous = SimpleNamespace(
            processid=PID, funcname="train", record=self.record, result=action_named("result")
        )


class View:
    def __init__(self) -> None:
        self.changes: list[object] = []
        self.is_finished = False

    def feed(self, change):
        self.changes.append(change)

    def finish(self):
        self.is_finished = True


def action_named(name):
    def action(*args, **kwargs):
        raise AssertionError(f"{name} runs on the loop only")

    action.__name__ = name
    return action


class Feed:
    """What feeds a pane."""

    def __init__(self) -> None:
        self.process = Process().asynchronous
        self.view: View | None = None
        self.is_stopped = False
        self.follow_to_success = action_named("follow_to_success")
        self.follow_to_end = action_named("follow_to_end")
        self.closed_with_success = action_named("closed_with_success")

    def callbacks(self):
        return "callbacks"

    def show_in(self, view):
        self.view = view

    def enqueue_stop(self):
        self.is_stopped = True


class Session:
    """Records which actions run, by their names, and returns the results that a test has planned."""

    def __init__(self) -> None:
        self.colony = SimpleNamespace(submit=action_named("submit"))
        self.processes = {PID: None}
        self.feeds = set()
        self.calls: list[tuple[str, tuple, dict]] = []
        self.started: list[str] = []
        self.results: dict[str, object] = {}

    def run(self, action, *args, **kwargs):
        self.calls.append((action.__name__, args, kwargs))
        result = self.results.get(action.__name__)
        if isinstance(result, BaseException):
            raise result
        return result

    def start(self, action, *args):
        self.started.append(action.__name__)

    def remember(self, process):
        return process if isinstance(process, Process) else Process()

    def describe(self):
        return "train (424d6828)"

    def examine(self):
        return "report"

    def switch(self, colony):
        self.colony = colony

    def face(self, run):
        return SimpleNamespace(run=run)

    def call(self, name):
        """Arguments of the one call of an action."""
        (found,) = [(args, kwargs) for called, args, kwargs in self.calls if called == name]
        return found

    def names(self):
        return [name for name, _, _ in self.calls]


class Place:
    """Where the magics run."""

    def __init__(self, monkeypatch) -> None:
        self.shell = SimpleNamespace(user_ns={}, events=Events(), kernel=SimpleNamespace(do_inspect=None))
        self.magics: Any = ColonyMagics(self.shell)
        self.session = Session()
        vars(self.magics)["session"] = self.session
        self.is_headless = False
        self.in_kernel = True
        self.opened: list[tuple[View, dict]] = []
        for module in (magics, process_commands):
            monkeypatch.setattr(module, "is_headless", lambda: self.is_headless)
        monkeypatch.setattr(process_commands, "kernel_shell", lambda: self.shell if self.in_kernel else None)
        for name in ("open_view", "open_text"):
            monkeypatch.setattr(views.choose, name, self._open)
        self.session.results["find"] = Process()

    def _open(self, title, **how):
        view = View()
        self.opened.append((view, how))
        return view

    @property
    def view(self):
        ((view, _),) = self.opened
        return view

    def leave(self):
        """Become plain IPython in a terminal."""
        self.in_kernel = False
        self.is_headless = True
        del self.shell.kernel

    def line(self, line, **variables):
        return self.magics.colony(line, local_ns=variables)

    def cell(self, line, cell, **variables):
        return self.magics.colony(line, cell, local_ns=variables)

    def follow(self):
        feed = Feed()
        self.session.results["submit_and_follow"] = self.session.results["follow"] = feed
        return feed
