"""Every call of the porting table works as it is written there, on both servers."""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import Any

import pytest

import colony_jupyter as cj

PAGE = (Path(__file__).parents[2] / "docs" / "porting.md").read_text("utf-8")
VERBS = PAGE.partition("\n## Names")[0]
FIRST = [line.strip("|").split("|")[0] for line in VERBS.splitlines() if line.startswith("| `")]
CALLS = [code for cell in FIRST for code in re.findall(r"`((?:colony|process|for)\b[^`]+)`", cell)]

BY_THE_EXECUTOR = ("assign", "set_output", "close", "fail", "add_log", "add_function", "add_child")
RUNNING = ("set_output", "close", "fail", "add_log", "running", "subscribe_process", "result", "for entry")


def test_the_table_has_calls():
    assert len(CALLS) >= 35


@pytest.mark.parametrize("code", CALLS)
def test_a_call_works_as_it_is_written(code, world, user, executor):
    with cj.Colony(world.settings(user)) as mine, cj.Colony(world.settings(executor)) as theirs:
        named = _prepared(code, mine, theirs, executor)
        exec(_completed(code), named)
        if "callback" in code:
            assert named["seen"]


def _completed(code: str) -> str:
    """Fill in what the table leaves out."""
    code = code.replace("executortype=...", "executortype=kind").replace("[...]", "['x']")
    code = code.replace("add_user(...)", "add_user(name, id)")
    return f"{code}: pass" if code.startswith("for ") else code


def _prepared(code: str, mine: cj.Colony, theirs: cj.Colony, executor: Any) -> dict[str, Any]:
    kind = executor.executortype
    process = mine.submit("f", channels=["out"], executortype=kind)
    workflow = cj.Workflow()
    workflow.add("f", nodename="first", executortype=kind, maxexectime=-1)
    colony = theirs if any(f".{name}(" in code for name in BY_THE_EXECUTOR) else mine
    seen: list[Any] = []
    key = cj.PrivateKey.generate(secrets.token_bytes)
    named: dict[str, Any] = {
        "colony": colony,
        "process": process,
        "id": process.processid,
        "kind": kind,
        "type": kind,
        "spec": cj.FunctionSpec("g", kind, mine.colonyname),
        "specs": [cj.FunctionSpec("f", kind, mine.colonyname, nodename="one")],
        "workflow": workflow,
        "name": "out",
        "seq": 1,
        "text": "hello",
        "seen": seen,
        "callback": lambda entries: bool(seen.append(entries)),
        "executorname": executor.name,
        "funcname": "f",
    }
    if "executor(" in code or "add_user" in code:
        named["name"], named["id"] = f"{executor.name}-new", key.id
        if "approve" in code:
            mine.add_executor(named["name"], key.id, kind)
    if "subscribe_channel" in code:
        process.channel("out").send("hello")
    if "run(" in code or "workflow(id" in code or "add_child" in code:
        process.cancel()
        run = mine.submit(workflow)
        named["id"] = named["graph"] = run.processgraphid
        if "add_child" in code:
            named["parent"] = theirs.assign(5)
    if any(name in code for name in RUNNING):
        assigned = theirs.assign(5)
        assert assigned is not None
        if "result" in code:
            theirs.close(assigned, ["x"])
        elif code.startswith("for "):
            assigned.channel("out").end()
        elif colony is theirs:
            named["process"] = assigned
    return named
