"""The entry in Jupyter's menus: what it holds, and what it trusts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from colony_jupyter import settings as settings_module
from colony_jupyter.errors import UsageError
from colony_jupyter.kernels.kernelspec import install, trusted_ids
from colony_jupyter.wire.models import ExecutorState

ONE, TWO = "ab" * 32, "cd" * 32


def member(name, executorid, executortype="hpc", state=ExecutorState.APPROVED):
    return SimpleNamespace(executorname=name, executorid=executorid, executortype=executortype, state=state)


MEMBERS = [member("one", ONE), member("two", TWO), member("other", "ef" * 32, "cli"), member("new", "12" * 32, state=0)]


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))


def colony(members=MEMBERS, **fields):
    async def executors():
        return members

    settings = replace(settings_module.resolve({}), **fields)
    return SimpleNamespace(executors=executors, settings=settings)


async def written(*arguments, **options):
    done = await install(*arguments, **options)
    return done, json.loads((Path(done.folder) / "kernel.json").read_text("utf-8"))


async def test_it_trusts_the_executors_that_are_approved_now():
    done, spec = await written(colony(), "hpc")
    assert (done.name, done.trusted) == ("colony-hpc", ["one", "two"])
    assert spec["display_name"] == "Python 3 (hpc, ColonyOS)"
    assert spec["interrupt_mode"] == "signal"
    assert spec["env"] == {}
    assert spec["metadata"] == {"debugger": True}
    assert trusted_ids("hpc") == [ONE, TWO]
    assert trusted_ids("cli") == []


async def test_it_names_a_real_server_without_keys():
    at = colony(host="colonies.example", port=443, tls=True, colonyname="dev", data=None)
    _, spec = await written(
        at, "hpc", executors=["two"], name="mine", kernel="ir", language="R", display_name="R there"
    )
    assert spec["env"] == {
        "COLONIES_SERVER_HOST": "colonies.example",
        "COLONIES_SERVER_PORT": "443",
        "COLONIES_TLS": "true",
        "COLONIES_COLONY_NAME": "dev",
    }
    assert spec["metadata"] == {"debugger": False}
    assert spec["argv"][-6:] == ["--executor", "two", "--kernel", "ir", "--trust", TWO]
    assert trusted_ids("hpc") == [TWO]


async def test_kernels_of_other_programs_are_trusted_for_nothing(tmp_path):
    foreign = tmp_path / "jupyter" / "kernels" / "foreign" / "kernel.json"
    foreign.parent.mkdir(parents=True)
    spec = {"argv": ["other", "--type", "hpc", "--trust", "ef" * 32], "display_name": "x", "language": "python"}
    foreign.write_text(json.dumps(spec), "utf-8")
    await install(colony(), "hpc", executors=["one"])
    assert trusted_ids("hpc") == [ONE]


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({"kernel": "ir", "language": "R"}, "ir (hpc, ColonyOS)"),
        ({"language": "R"}, "R (hpc, ColonyOS)"),
        ({"kernel": "analysis"}, "Python 3 (hpc, ColonyOS)"),
    ],
)
async def test_menus_show_the_kernel_and_the_type(options, shown):
    done, _ = await written(colony(), "hpc", **options)
    assert done.display_name == shown


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"executortype": "gpu"}, "no approved executor of type 'gpu'"),
        ({"executortype": "hpc", "executors": ["three"]}, "named 'three'"),
        ({"executortype": "hpc", "executors": ["new"]}, "named 'new'"),
        ({"executortype": "hpc", "name": "a b"}, "cannot be the name of a kernelspec"),
    ],
)
async def test_mistakes_are_named(options, sentence):
    with pytest.raises(UsageError, match=sentence):
        await install(colony(), **options)
