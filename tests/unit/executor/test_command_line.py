"""A program that is its executor, until a signal. What needs a program is in `processes/test_program.py`."""

from __future__ import annotations

import os
import signal
import threading

from colony_jupyter.executor.command_line import run_until_signalled
from colony_jupyter.executor.executor import Executor


def test_the_programs_entry_continues_an_executor_of_the_background(make_executor, submit, monkeypatch):
    executor = make_executor("taken over")
    executor.function("give")(lambda context: "given")
    executor.start()
    results = []

    def signal_after_some_work():
        results.append(submit("give", executortype="taken over").result(timeout=20))
        os.kill(os.getpid(), signal.SIGTERM)

    signalling = threading.Thread(target=signal_after_some_work)
    background = executor.worker
    monkeypatch.setattr(Executor, "serve", serve_and(signalling.start))
    run_until_signalled(executor, finish=1)
    signalling.join()
    assert results == ["given"]
    assert not executor.is_running
    assert executor.worker is not background


def serve_and(begin):
    serve = Executor.serve

    async def serving(self):
        begin()
        await serve(self)

    return serving
