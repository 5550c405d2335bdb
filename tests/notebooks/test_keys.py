"""Keys are in no place that is shown or saved: known ones are put wherever they may come from, and then looked for.

They come from the environment, from files, from the embedded colony, and from typed input. They are looked for,
whole and in part, in all that a kernel sends (outputs, widgets, tracebacks, completions), in what commands print,
in logs, in the command lines and environments of child processes, and in every file that was written meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from key_hunt import Hunt
from notebook_kernel import Notebook

from colony_jupyter.wire.identity import PrivateKey
from tools.transcripts import NOTEBOOKS, execute

FOLDERS = ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "IPYTHONDIR", "TMPDIR")

TALKATIVE = """
import logging, sys
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout, force=True)
%xmode Verbose
"""

EXECUTOR = """
import colony_jupyter as cj

executor = cj.Executor("keys-type")

@executor.function("steps")
async def steps(context, count=2):
    async for step in context.progress(range(count)):
        pass
    await context.channel("talk").send("one")
    await context.log("a line")
    return "done"

@executor.function("breaks")
def breaks(context):
    raise ValueError(f"broken: {context!r} {context.colony!r} {vars(context)!r}")

@executor.chat("chat")
async def chat(context, message):
    yield f"{context!r} {message!r}"

executor.start()
colony = cj.Colony()
process = colony.submit("steps", channels=["talk"], executortype="keys-type")
process.result(timeout=20)
"""

SHOWN = [
    "%colony",
    "%colony doctor",
    "%colony executors",
    "%colony functions",
    "%colony ps",
    "%colony get process",
    "%colony log process",
    "%colony submit steps --channel talk progress --type keys-type --wait",
    "%colony submit breaks --channel talk --type keys-type --wait",
    "%colony submit steps 1 2 3 4 --type keys-type --wait",
    "%%colony_chat chat --type keys-type\nhello",
    "%%colony_chat\nhello again",
    "%colony watch process",
    "%config ColonyMagics",
    "%whos",
    "executor",
    "[executor.worker, vars(executor), vars(executor.worker), vars(executor.worker.identity)]",
    "colony",
    "[colony.settings, vars(colony), vars(colony.asynchronous), vars(colony.settings)]",
    "[colony.settings.prvkey, str(colony.settings.prvkey), f'{colony.settings.prvkey}', dir(colony.settings.prvkey)]",
    "[vars(process), vars(process.asynchronous), process.record, process.channel('talk')]",
    "magics = get_ipython().magics_manager.registry['ColonyMagics']",
    "[magics, vars(magics), vars(magics.session), magics.session.settings, vars(magics.session.settings)]",
    "import dataclasses; dataclasses.asdict(colony.settings)",
    "dataclasses.asdict(magics.session.settings)",
    "import os, msgspec; msgspec.json.encode(colony.settings)",
    "import copy; copy.deepcopy(colony.settings)",
    "copy.copy(magics.session.settings.prvkey)",
]

WRONG = [
    "colony.submit('steps', executortype=colony)",
    "colony.submit('', executortype='keys-type')",
    "colony.get_process('0' * 64)",
    "colony.call(None, dict)",
    "process.channel('none').send('text')",
    "process.channel('talk').send('text')",
    "cj.Colony(data='x')",
    "cj.Colony(prvkey='no key')",
    "cj.Executor('keys-type', concurrency=0)",
    "%colony connect localhost:1 --colony dev",
    "%colony connect --embedded --tls",
    "%colony no-such-command",
    "%colony get nothing",
    "from colony_jupyter.settings import resolve; resolve({'COLONIES_PRVKEY': os.environ.get('COLONIES_PRVKEY', 'x')})",
    "magics.session.colony.key.sign(None)",
    "type(magics.session.colony.key)(None)",
    "1 / 0",
]

PICKLED = """
import io, pickle
found = []
names = "colony process executor magics".split()
things = [globals()[name] for name in names]
things += [colony.settings, colony.settings.prvkey, colony.asynchronous, process.asynchronous, process.record]
things += [magics.session, executor.worker, executor.worker.identity, process.channel("talk")]
for error in (cj.SettingsError("x"), cj.ServerUnreachable("place", "reason"), cj.WaitTimeout("what", 1.0)):
    things.append(error)
for thing in things:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        try:
            found.append(pickle.dumps(thing, protocol).hex())
        except Exception as error:
            found.append(repr(error))
print(len(found), *found)
"""


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Return the folders in which anything may be written."""
    for name in FOLDERS:
        (tmp_path / name.lower()).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    return [tmp_path / name.lower() for name in FOLDERS]


@pytest.fixture
def in_environment(colony_server, monkeypatch):
    """Have keys in the environment; return what looks for them."""
    for name, value in colony_server.environ().items():
        monkeypatch.setenv(name, value)
    hunt = Hunt(colony_server.prvkey, colony_server.colony_prvkey, colony_server.server_prvkey)
    yield hunt
    assert hunt.in_files(colony_server.data) == {}


def check_kernel(notebook, hunt, folders, statements=()):
    """Have a kernel show everything, break in every way, and pickle what there is; then look for keys."""
    assert notebook.run("%load_ext colony_jupyter").status == "ok"
    for code in (*statements, TALKATIVE, EXECUTOR):
        ran = notebook.run(code, timeout=30)
        assert ran.status == "ok", ran.error
    for code in SHOWN:
        notebook.run(code, timeout=30)
    notebook.complete("%colony submit ")
    notebook.complete("%colony connect --")
    for code in WRONG:
        ran = notebook.run(code, timeout=30)
        assert ran.status == "error" or "error" in ran.text.casefold(), code
    pickled = notebook.run(PICKLED)
    assert pickled.status == "ok", pickled.error
    for texts in (part.split() for part in pickled.text.splitlines()):
        for text in texts:
            if len(text) % 2 == 0 and set(text) <= set("0123456789abcdef"):
                assert hunt.found(bytes.fromhex(text)) == []
    children = psutil.Process(notebook.pid).children(recursive=True)
    assert hunt.found(*(json.dumps([each.cmdline(), each.environ()]) for each in children)) == []
    notebook.run("executor.stop()")
    hunt.learn(*folders)
    assert hunt.found(*notebook.heard) == []
    assert any('"comm_open"' in each for each in notebook.heard)  # there were widgets to look into
    assert "DEBUG" in "".join(notebook.heard)  # and a log


@pytest.mark.timeout(120)
def test_a_kernel_with_keys_in_its_environment(in_environment, folders):
    with Notebook() as notebook:
        check_kernel(notebook, in_environment, folders)
    assert in_environment.in_files(*folders) == {}
    assert in_environment.count == 3 + 1  # the executor's


@pytest.mark.timeout(120)
def test_a_kernel_on_the_embedded_colony(folders):
    hunt = Hunt()
    with Notebook() as notebook:
        check_kernel(notebook, hunt, folders)
    assert hunt.in_files(*folders) == {}
    assert hunt.count == 3 + 1


@pytest.mark.timeout(120)
def test_a_kernel_into_which_keys_are_typed(colony_server, folders):
    hunt = Hunt(colony_server.prvkey, colony_server.colony_prvkey)
    with Notebook() as notebook:
        assert notebook.run("%load_ext colony_jupyter").status == "ok"
        line = f"%colony connect {colony_server.host}:{colony_server.port} --colony dev --ask"
        for keys in (["ab" * 31 + "c", ""], [colony_server.prvkey.reveal(), colony_server.colony_prvkey.reveal()]):
            hunt.add(*filter(None, keys))
            cell = notebook.start(line)
            for key in keys:
                notebook.answer(key)
            notebook.finish(cell)
        assert cell.status == "ok", cell.error
        check_kernel(notebook, hunt, folders)
    assert hunt.in_files(*folders) == {}


@pytest.mark.timeout(120)
def test_a_kernel_that_goes_from_keys_in_its_environment_to_the_embedded_colony(in_environment, folders):
    """The child that serves the embedded colony is handed no environment with keys."""
    with Notebook() as notebook:
        check_kernel(notebook, in_environment, folders, ["%colony connect --embedded"])
    assert in_environment.in_files(*folders) == {}
    assert in_environment.count == 3 + 3 + 1


@pytest.mark.parametrize("name", ["COLONIES_PRVKEY", "COLONIES_COLONY_PRVKEY", "COLONIES_SERVER_PRVKEY"])
@pytest.mark.parametrize("wrong", [lambda key: key[:-1], lambda key: f"{key[:-1]}x", lambda key: f"'{key}'"])
def test_a_key_with_a_typing_error_is_not_repeated(in_environment, folders, monkeypatch, name, wrong):
    """It is nearly a key: with it the rest can be found."""
    monkeypatch.setenv(name, wrong(os.environ[name]))
    python = ("import colony_jupyter as cj", "cj.Colony()", "await cj.AsyncColony().connect()")
    started = "cj.Executor('keys-type').start()"
    with Notebook() as notebook:
        # Without the extension a traceback is IPython's own, which shows what is in the variables.
        for code in (TALKATIVE, *python, started, "%load_ext colony_jupyter", *python, started):
            notebook.run(code)
        for code in ("%colony", "%colony doctor", "%colony connect"):
            notebook.run(code)
        assert sum("64 hex digits" in each for each in notebook.heard) > 8
        assert in_environment.found(*notebook.heard) == []
    assert in_environment.in_files(*folders) == {}


@pytest.mark.timeout(180)
async def test_all_notebooks_with_keys_in_the_environment(in_environment, folders):
    """On the embedded colony `test_tutorial.py` runs them, and each run looks for the keys."""
    paths = sorted(NOTEBOOKS.glob("*.ipynb"))
    for some in (paths[0::2], paths[1::2]):
        made = await asyncio.gather(*(execute(path) for path in some))
        in_environment.learn(*folders)
        assert in_environment.found(*(json.dumps(notebook) for notebook in made)) == []
    assert in_environment.count >= 3 + len(paths)
    assert in_environment.in_files(*folders) == {}


@pytest.mark.parametrize(
    "words",
    [["doctor"], ["executor", "nowhere:executor"], ["serve", "--host", "0.0.0.0"], ["lab", "--version"], ["nothing"]],
)
def test_commands(in_environment, folders, words):
    run = subprocess.run([sys.executable, "-m", "colony_jupyter", *words], capture_output=True, check=False, timeout=30)
    assert run.stdout + run.stderr != b""
    assert in_environment.found(run.stdout, run.stderr) == []
    assert in_environment.in_files(*folders) == {}


def test_an_executor_that_logs_everything(in_environment, folders, tmp_path):
    (tmp_path / "keys_worker.py").write_text(
        "import logging\nlogging.getLogger().setLevel(logging.DEBUG)\n"
        "import colony_jupyter as cj\nexecutor = cj.Executor('keys-worker')\n"
        "@executor.function('who')\ndef who(context):\n    raise ValueError(repr(vars(context)))\n"
    )
    from colony_jupyter import Colony, ProcessFailed

    command = [sys.executable, "-m", "colony_jupyter", "executor", "keys_worker:executor", "--verbose"]
    worker = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        with Colony() as colony, pytest.raises(ProcessFailed) as caught:
            colony.submit("who", executortype="keys-worker").result(20)
        seen = json.dumps([psutil.Process(worker.pid).cmdline()])
    finally:
        worker.terminate()
        printed, _ = worker.communicate(timeout=20)
    in_environment.learn(*folders)
    assert in_environment.count == 3 + 1
    assert b"DEBUG" in printed
    assert in_environment.found(printed, seen, repr(caught.value.errors)) == []
    assert in_environment.in_files(*folders) == {}


def test_what_is_searched_for_would_be_found(tmp_path):
    key = PrivateKey.generate(os.urandom)
    hunt = Hunt(key)
    raw = bytes.fromhex(key.reveal())
    for shown in (key.reveal()[:12], key.reveal().upper(), repr(raw), raw, str(int(key.reveal(), 16))):
        assert hunt.found(b"before " + (shown if isinstance(shown, bytes) else shown.encode()) + b" after")
    assert hunt.found(key.id, key.public_key) == []
    (tmp_path / "some.key").write_text(key.reveal())
    (tmp_path / "some.key").chmod(0o600)
    assert hunt.in_files(tmp_path) == {}
    (tmp_path / "some.key").chmod(0o640)
    (tmp_path / "notes").write_text(key.reveal()[:20])
    assert {Path(name).name for name in hunt.in_files(tmp_path)} == {"some.key", "notes"}
