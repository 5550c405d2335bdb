"""Containers and batch jobs typed in the cells of a live kernel: ``%%colony execute``, conditions, ``get``, ``ps``."""

from __future__ import annotations

import json
import re

import pytest

CONTAINER = r"""
import subprocess
@executor.function("execute")
async def execute(context, cmd, args=(), **kwargs):
    line = " ".join([cmd, *args])
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True)
    for text in done.stdout.splitlines():
        await context.log(text + "\n")
    return kwargs
"""


@pytest.fixture(scope="module")
def kernel(notebook):
    assert notebook.run(CONTAINER).status == "ok"
    return notebook


def conditions(kernel, name="p"):
    return json.loads(kernel.evaluate(f"__import__('msgspec').json.encode({name}.spec.conditions).decode()"))


FLAGS = (
    "--nodes 2 --processes 4 --processes-per-node 2 --cpu 500m --mem 2Gi --gpu 1 --gpu-name A100 --walltime 600 "
    "--location here"
)
WANTED = {"nodes": 2, "processes": 4, "processespernode": 2, "cpu": "500m", "mem": "2048Mi", "walltime": 600}


def test_conditions_of_a_submission(kernel):
    cell = kernel.run(f"%colony submit f --type absent-type {FLAGS} --quiet -o p")
    assert cell.status == "ok", cell.error
    found = conditions(kernel)
    assert {name: found[name] for name in WANTED} == WANTED
    assert (found["gpu"]["count"], found["gpu"]["name"], found["locationname"]) == (1, "A100", "here")


def test_conditions_replace_those_of_a_spec(kernel):
    spec = '{"funcname": "f", "conditions": {"executortype": "absent-type", "cpu": "100m", "mem": "1Gi", "nodes": 3}}'
    cell = kernel.run(f"%%colony submit --cpu 700m --gpu 2 --quiet -o p\n{spec}")
    assert cell.status == "ok", cell.error
    found = conditions(kernel)
    assert (found["cpu"], found["mem"], found["nodes"], found["gpu"]["count"]) == ("700m", "1024Mi", 3, 2)


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ("--cpu 2", "Write it as '2000m'."),
        ("--mem 500MB", "a server accepts the unit MB only at times"),
        ("--nodes 200", "nodes is 200: a server assigns a process that asks for more than 127 to no executor."),
        ("--gpu -1", "gpu.count is -1"),
        ("--walltime soon", "--walltime needs a whole number, not 'soon'"),
    ],
)
def test_what_a_server_would_misread_is_not_sent(kernel, flags, sentence):
    cell = kernel.run(f"%colony submit f --type absent-type {flags} --quiet")
    assert cell.status == "error"
    assert sentence in cell.error
    assert "Traceback" not in cell.error


def test_the_old_form_of_file_mounts_is_shown_as_the_new_one(kernel):
    spec = '{"funcname": "f", "fs": [{"label": "/data", "dir": "/data"}]}'
    cell = kernel.run(f"%%colony submit --type absent-type\n{spec}")
    assert cell.status == "error"
    assert '"fs": {"mount":"/cfs","dirs":[{"label":"/data","dir":"/data"}]}' in cell.error


SCRIPT = """for step in 1 2; do
  echo "step $step of '$NAME'"
done
"""


def test_a_script_in_a_container(kernel):
    cell = kernel.run(f"%%colony execute ubuntu:24.04 --wait -o p\n{SCRIPT}")
    assert cell.status == "ok", cell.error
    kernel.until(lambda: "step 1 of ''" in cell.transcript)  # it may be written a moment after the cell's end
    assert "step 2 of ''" in cell.transcript
    assert kernel.evaluate("p.result()") == {"docker-image": "ubuntu:24.04"}
    assert kernel.evaluate("(p.spec.funcname, p.spec.kwargs['cmd'], p.spec.maxretries)") == ("execute", "sh", 1)
    found = conditions(kernel)
    assert (found["nodes"], found["processespernode"], found["walltime"]) == (1, 1, 3600)
    assert kernel.evaluate("p.spec.maxexectime") == 3600


def test_a_container_with_options(kernel):
    cell = kernel.run(
        "%%colony execute python:3.12 --rebuild-image --walltime 120 --kw extra=1 --mem 4Gi --env A=b --wait -o p\ntrue"
    )
    assert cell.status == "ok", cell.error
    assert kernel.evaluate("p.result()") == {"docker-image": "python:3.12", "rebuild-image": True, "extra": 1}
    assert kernel.evaluate("(p.spec.maxexectime, p.spec.env)") == (120, {"A": "b"})
    assert conditions(kernel)["mem"] == "4096Mi"


def test_a_container_needs_a_script(kernel):
    cell = kernel.run("%%colony execute ubuntu:24.04\n\n")
    assert "The cell is empty: write the shell script below" in cell.error
    cell = kernel.run("%%colony exekute ubuntu:24.04\ntrue")
    assert "Did you mean 'execute'?" in cell.error


def test_get_shows_everything_that_is_set(kernel):
    kernel.run(
        f"%colony submit f 1 --kw a=2 --type absent-type {FLAGS} --maxwaittime 900 --maxexectime 60 --maxretries 3 "
        "--priority 7 --label night --env A=b --channel c --quiet -o p"
    )
    lines = kernel.run("%colony get p").value["text/plain"].splitlines()
    shown = dict(re.split(r"\s{2,}", line, maxsplit=1) for line in lines if line.strip())
    assert shown["label"] == "night"
    assert shown["retries"] == "0 of 3"
    assert shown["limits"] == "900 s waiting, 60 s running"
    assert shown["priority"] == "7"
    assert shown["environment"] == '{"A":"b"}'
    assert shown["conditions"].startswith('{"locationname":"here","nodes":2,"cpu":"500m"')
    assert "wait deadline" in shown
    assert "submitted by" in shown


def ids(cell):
    return [line.split()[0] for line in cell.value["text/plain"].splitlines()[1:]]


def test_processes_are_filtered(kernel):
    for function, label in (("one", "red"), ("one", "blue"), ("two", "red")):
        kernel.run(f"%colony submit {function} --type filter-type --label {label} --quiet -o {function}_{label}")
    short = {name: kernel.evaluate(f"{name}.processid")[:8] for name in ("one_red", "one_blue", "two_red")}
    for options, expected in (
        ("--type filter-type", {"one_red", "one_blue", "two_red"}),
        ("--label red", {"one_red", "two_red"}),
        ("--function one", {"one_red", "one_blue"}),
        ("--function one --label red --state waiting --mine", {"one_red"}),
        ("--type filter-type --count 1", {"two_red"}),
    ):
        assert set(ids(kernel.run(f"%colony ps {options}"))) == {short[name] for name in expected}
    kernel.run("%colony cancel one_red")
    assert ids(kernel.run("%colony ps --label red --state cancelled")) == [short["one_red"]]
    assert "There are no processes." in kernel.run("%colony ps --label nothing").value["text/plain"]
    assert "is not the state of a process" in kernel.run("%colony ps --state paused").error
    assert "--count must be at least 1" in kernel.run("%colony ps --count 0").error


BOT = """
@executor.function("llm")
async def llm(context, model="none"):
    channel = context.channel("chat")
    async for message in channel:
        if message.sequence % 2:
            await channel.send(f"{model}: {message.text}", inreplyto=message.sequence)
            await channel.end(inreplyto=message.sequence)
"""


def test_a_chat_with_arguments_and_a_chosen_executor(kernel):
    assert kernel.run(BOT).status == "ok"
    name = kernel.evaluate("executor.name")
    line = f"%%colony_chat llm --kw model=llama3 --executor {name} -o answer"
    assert kernel.run(f"{line}\nhello").status == "ok"
    assert kernel.evaluate("answer") == "llama3: hello"
    # The same line goes on with the conversation, and so does one without options; others begin a new one.
    assert kernel.run(f"{line}\nagain").status == "ok"
    first = kernel.run("%colony ps --function llm --state running")
    assert len(ids(first)) == 1
    assert kernel.run("%%colony_chat llm -o answer\nmore").status == "ok"
    assert kernel.evaluate("answer") == "llama3: more"
    cell = kernel.run("%%colony_chat llm --kw model=phi -o answer\nhello")
    assert kernel.evaluate("answer") == "phi: hello"
    assert cell.status == "ok", cell.error
    assert len(ids(kernel.run("%colony ps --function llm --state running"))) == 2
    cell = kernel.run("%%colony_chat llm --pid " + ids(first)[0] + " --kw model=x\nhello")
    assert "--pid names a process that runs" in cell.error
