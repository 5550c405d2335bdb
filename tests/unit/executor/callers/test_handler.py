"""Functions that callers send, on an executor of the embedded colony."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import sys
import time

import pytest

import colony_jupyter as cj
from colony_jupyter.executor.callers import child_process
from colony_jupyter.functions.packing import pack
from colony_jupyter.values.datatable import DataTable

SCALE = 3


def failure(process):
    with pytest.raises(cj.ProcessFailed) as raised:
        process.result(timeout=20)
    return raised.value.errors


def add(a, b=1, *, times=1):
    return (a + b) * times * SCALE


def test_the_result_of_a_function_that_was_sent(serving, send):
    assert send(add, 1, kwargs={"b": 2, "times": 2}).result(timeout=20) == 18


@pytest.mark.parametrize("value", [None, 1, [1], [], {"a": [1]}, [[1, 2], [3]]])
def test_what_is_returned_is_the_result(serving, send, value):
    def give(value):
        return value

    assert send(give, value).result(timeout=20) == value


def test_the_members_of_a_tuple_are_the_outputs(serving, send):
    def give():
        return 1, [2]

    process = send(give)
    assert process.result(timeout=20) == [1, [2]]
    assert process.output == [1, [2]]


def test_values_of_libraries_go_both_ways(serving, send, colony):
    def double(table):
        import numpy as np

        frame = table.to_pandas()
        return {"frame": frame * 2, "sum": np.int64(frame["a"].sum()), "nan": float("nan")}

    pandas = pytest.importorskip("pandas")
    process = send(double, pandas.DataFrame({"a": [1, 2]}))
    result = process.result(timeout=20)
    assert isinstance(result["frame"], DataTable)
    assert result["frame"].to_pandas()["a"].tolist() == [2, 4]
    assert (result["sum"], result["nan"]) == (3, None)
    assert any("NaN" in line.message for line in colony.logs(process.processid))


def test_output_goes_to_the_log(serving, send, colony):
    def prints():
        import subprocess
        import sys

        print("from print")  # noqa: T201
        print("from stderr", file=sys.stderr)  # noqa: T201
        subprocess.run([sys.executable, "-c", "print('from a child')"], check=True)
        os.write(1, b"from a descriptor\n")

    process = send(prints)
    assert process.result(timeout=20) is None
    lines = "\n".join(line.message for line in colony.logs(process.processid)).splitlines()
    assert {"from print", "from stderr", "from a child", "from a descriptor"} <= set(lines)


def talks(context, steps):
    channel = context.channel("out")
    for step in context.progress(range(steps), channel="progress"):
        channel.send({"step": step})
    channel.write("streamed ")
    channel.write("text")
    channel.flush()
    answer = context.channel("questions").ask("how many?", timeout=20)
    for entry in context.channel("in"):
        channel.send(entry.text.upper(), inreplyto=entry.sequence)
    context.display({"text/plain": "shown", "text/html": "<b>shown</b>"}, channel="out")
    context.log("a line")
    assert not context.cancelled
    return [answer.text, steps]


async def talks_async(context, steps):
    channel = context.channel("out")
    async for step in context.progress(range(steps), channel="progress"):
        await channel.send({"step": step})
    await channel.write("streamed ")
    await channel.write("text")
    await channel.flush()
    answer = await context.channel("questions").ask("how many?", timeout=20)
    async for entry in context.channel("in"):
        await channel.send(entry.text.upper(), inreplyto=entry.sequence)
    await context.display({"text/plain": "shown", "text/html": "<b>shown</b>"}, channel="out")
    await context.log("a line")
    return [answer.text, steps]


@pytest.mark.parametrize("function", [talks, talks_async])
def test_a_context_has_channels_progress_display_and_log(serving, send, colony, function):
    process = send(function, 3, channels=["out", "in", "progress", "questions", "sync"])
    for entry in process.channel("questions"):
        process.channel("questions").send("7", inreplyto=entry.sequence)
        break
    process.channel("in").send("word")
    process.channel("in").end()
    entries = list(process.channel("out"))
    assert [entry.json()["step"] for entry in entries[:3]] == [0, 1, 2]
    assert [entry.text for entry in entries[3:5]] == ["streamed text", "WORD"]
    assert (entries[4].inreplyto, entries[5].type) == (1, "display")
    assert process.result(timeout=20) == ["7", 3]
    assert "a line" in [line.message for line in colony.logs(process.processid)]


def test_an_error_of_a_channel_is_of_the_same_class_there(serving, send):
    def asks(context):
        import colony_jupyter as cj

        try:
            context.channel("out").ask("?", timeout=0.01)
        except cj.WaitTimeout as error:
            return str(error)

    assert "0.01 s" in send(asks, channels=["out"]).result(timeout=20)


def test_an_exception_names_the_file_and_the_line(serving, send):
    def inner(value):
        raise ValueError(f"no {value}")

    message, trace = failure(send(inner, 3))
    assert message == "ValueError: no 3"
    line = inner.__code__.co_firstlineno + 1
    assert trace == f'test_handler.py, line {line}, in inner: raise ValueError(f"no {{value}}")'


def test_a_missing_module_names_the_executor_and_its_python(serving, send):
    def needs():
        import a_module_that_is_missing

        return a_module_that_is_missing

    message = failure(send(needs))[0]
    assert message.startswith("ModuleNotFoundError: No module named 'a_module_that_is_missing'. Executor '")
    assert (
        f"'{serving.name}' (type 'python-executor') has Python {sys.version.split()[0]}, without this module" in message
    )


@pytest.mark.parametrize(
    ("error", "text"), [(SystemExit(3), "SystemExit: 3"), (KeyboardInterrupt(), "KeyboardInterrupt")]
)
def test_errors_that_end_interpreters_fail_the_call_only(serving, send, error, text):
    def raises(name, *args):
        import builtins

        raise getattr(builtins, name)(*args)

    assert failure(send(raises, type(error).__name__, *error.args))[0] == text
    assert send(add, 1).result(timeout=20) == 6


def test_exit_and_crash_end_the_call_only(serving, send):
    def leaves():
        os._exit(3)

    def crashes():
        import ctypes

        ctypes.string_at(0)

    def killed():
        import signal

        os.kill(os.getpid(), signal.SIGKILL)

    assert "exit code 3" in failure(send(leaves))[0]
    assert "crashed (SIGSEGV)" in failure(send(crashes))[0]
    assert "was killed (SIGKILL). Mostly the machine" in failure(send(killed))[0]
    assert send(add, 1).result(timeout=20) == 6


def test_a_limit_of_memory_ends_the_call_only(make_executor, send):
    executor = make_executor("python-executor")
    executor.functions_from_callers(memory=1 << 30)
    executor.start()

    def grows():
        return len(bytearray(2 << 30))

    assert failure(send(grows))[0].startswith("MemoryError")
    assert send(add, 1).result(timeout=20) == 6


def test_a_cancelled_function_is_killed_with_what_it_started(serving, send, until, tmp_path):
    def waits(folder):
        import subprocess
        import sys
        from pathlib import Path

        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        (Path(folder) / "pids.tmp").write_text(f"{os.getpid()} {child.pid}")
        (Path(folder) / "pids.tmp").rename(Path(folder) / "pids")
        while True:
            with contextlib.suppress(BaseException):
                time.sleep(600)

    process = send(waits, str(tmp_path))
    until((tmp_path / "pids").exists, 20)
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    process.cancel()
    until(lambda: not any(is_alive(pid) for pid in pids))
    assert send(add, 1).result(timeout=20) == 6


def is_alive(pid):
    import psutil

    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_an_exit_is_noticed_though_a_process_holds_the_pipes(serving, send):
    def leaves():
        if os.fork() == 0:
            time.sleep(600)
        os._exit(5)

    assert "exit code 5" in failure(send(leaves))[0]


def test_a_function_that_leaves_a_process_behind_returns_at_once(serving, send, until):
    def leaves():
        import subprocess
        import sys

        return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid

    pid = send(leaves).result(timeout=20)
    until(lambda: not is_alive(pid))


def test_stopping_the_executor_ends_the_function(make_executor, send, until, tmp_path):
    executor = make_executor("python-executor")
    executor.functions_from_callers()
    executor.start()

    def waits(path):
        from pathlib import Path

        Path(path).write_text(str(os.getpid()))
        time.sleep(600)

    process = send(waits, str(tmp_path / "pid"))
    pid = until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), 20)
    executor.stop()
    assert "was stopped while it ran" in failure(process)[0]
    until(lambda: not is_alive(int(pid)))


def test_arguments_that_do_not_fit_fail_with_a_sentence(serving, colony, send):
    spec = cj.FunctionSpec(funcname="add", env=dict(pack(add).env))
    process = colony.submit(spec, executortype="python-executor")
    (error,) = failure(process)
    assert error == (
        "The arguments do not fit: missing a required argument: 'a'. The function is add(a, b=1, *, times=1)."
    )


def test_bytes_in_the_pipe_that_are_no_message_fail_the_call_only_and_at_once(serving, send, monkeypatch):
    monkeypatch.setattr(child_process, "_EXIT_SECONDS", 60.0)  # for a process that has sent its last message

    def writes():
        import gc

        for found in gc.get_objects():
            if type(found).__name__ == "Link":
                found._outgoing.write(b"\0\0\0\3abc")
                found._outgoing.flush()
        time.sleep(600)

    def too_long():
        import gc

        for found in gc.get_objects():
            if type(found).__name__ == "Link":
                found._outgoing.write(b"\xff\xff\xff\xff")
                found._outgoing.flush()
        time.sleep(600)

    assert "wrote into the pipe" in failure(send(writes))[0]
    assert "bytes at once; the limit is" in failure(send(too_long))[0]
    assert send(add, 1).result(timeout=20) == 6


def test_an_executor_without_it_refuses(make_executor, send):
    executor = make_executor("python-executor")
    executor.function("other")(lambda context: 1)
    executor.start()
    (error,) = failure(send(add, 1))
    assert "does not run functions that callers send, such as 'add': its owner allows it with" in error


def test_asynchronous_functions_run(serving, send):
    async def waits(value):
        await asyncio.sleep(0)
        return value

    assert send(waits, 5).result(timeout=20) == 5


def test_a_bar_of_tqdm_drives_the_progress(serving, send):
    pytest.importorskip("tqdm")

    def bar():
        from tqdm import tqdm

        for _ in tqdm(range(4), mininterval=0):
            time.sleep(0.05)

    process = send(bar, channels=["progress", "sync"])
    assert any("100%|" in entry.text for entry in process.channel("progress"))
    assert process.result(timeout=20) is None


def test_a_function_without_arguments_gets_the_outputs_of_its_parents(serving, colony):
    def first():
        return 3, 4

    def second(a, b):
        return a * b

    def spec(function, *dependencies):
        packed = pack(function)
        conditions = cj.Conditions(executortype="python-executor", dependencies=list(dependencies))
        return cj.FunctionSpec(
            nodename=packed.funcname, funcname=packed.funcname, env=dict(packed.env), conditions=conditions
        )

    workflow = colony.submit_workflow(cj.WorkflowSpec(functionspecs=[spec(first), spec(second, "first")]))
    processes = [colony.get_process(processid) for processid in workflow.processids]
    (last,) = [process for process in processes if process.funcname == "second"]
    assert last.result(timeout=30) == 12


def test_code_runs_in_main_so_that_pickle_finds_its_names(serving, send):
    def pickles():
        import pickle

        return pickle.loads(pickle.dumps(Pair(1, 2))).b

    assert send(pickles).result(timeout=20) == 2


@dataclasses.dataclass
class Pair:
    a: int
    b: int


def test_a_context_knows_its_process_and_has_no_colony(serving, send):
    def asks(context, value):
        try:
            context.colony.users()
        except Exception as error:  # noqa: BLE001
            message = str(error)
        process = context.process
        return [process.processid, str(process), process.funcname, process.spec.args, context.input, message]

    process = send(asks, 1)
    *facts, message = process.result(timeout=20)
    assert facts == [process.processid, process.processid, "asks", [1], []]
    assert message.startswith("A function that a caller sent has no colony, since it has no key: use channel()")
