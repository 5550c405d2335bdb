"""The process of a kernel is put back to waiting, since its executor was removed from the colony."""

from __future__ import annotations

import contextlib
import secrets

import pytest
from remote_kernel import Front, Serving, install, text_of
from servers import own

import colony_jupyter as cj
from colony_jupyter import settings as settings_module

LINES = "import time\nfor number in range({count}):\n    print(number, flush=True)\n    time.sleep({pause})"


@pytest.fixture
def colony(server):
    with cj.Colony(settings_module.resolve(server.environ())) as colony:
        yield colony


@contextlib.contextmanager
def running(environ, folder, count=1):
    """A front end of a type with some executors."""
    executortype = own(f"removed-{secrets.token_hex(2)}")
    servings = [Serving(environ, executortype, folder / str(number)).start() for number in range(count)]
    front = Front(environ, f"colony-{executortype}")
    try:
        while install(environ, executortype).count(executortype) < 3 + count:
            pass
        yield front.start(), servings, executortype
    finally:
        front.stop()
        for serving in servings:
            serving.stop()


def test_an_executor_that_was_removed_and_comes_back_still_has_the_kernel(environ, tmp_path, colony):
    with running(environ, tmp_path) as (front, _, executortype):
        front.run("kept = 1")
        before = front.processid
        cell = front.begin(LINES.format(count=100, pause=0.05))
        heard = front.hear(cell, lambda message: "20" in message["content"].get("text", ""))
        [executor] = [each for each in colony.executors() if each.executortype == executortype]
        colony.remove_executor(executor.executorname)
        text = text_of(heard) + front.finish(cell, 50)[0]
        assert text.split() == [str(number) for number in range(100)]
        assert front.run("print(kept, number)") == "1 99\n"
        assert front.processid == before


def test_another_executor_that_gets_the_process_says_that_the_variables_are_lost(environ, tmp_path, colony):
    with running(environ, tmp_path, count=2) as (front, servings, _):
        front.run("kept = 1")
        held = colony.get_process(front.processid).assignedexecutorid
        [executor] = [each for each in colony.executors() if each.executorid == held]
        cell = front.begin("import time; print('on'); time.sleep(600)")
        front.hear(cell, lambda message: "on" in message["content"].get("text", ""))
        serving = next(each for each in servings if each.children)
        serving.kill()
        colony.remove_executor(executor.executorname)
        _, reply = front.finish(cell, 50)
        assert "the kernel with its variables is gone" in reply["evalue"]
