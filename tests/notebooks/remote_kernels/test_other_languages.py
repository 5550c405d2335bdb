"""A kernel of another language, Bash; and one that cannot use the sockets that executors give to kernels."""

from __future__ import annotations

import asyncio
import json
import sys
import sysconfig
from pathlib import Path

import pytest
from kernel_parties import parties, run

from colony_jupyter.kernels.events import KernelGone, Target
from colony_jupyter.kernels.remote import RemoteKernel


def add_kernelspec(jupyter, name, language, *argv, **environ):
    folder = Path(jupyter) / "kernels" / name
    folder.mkdir(parents=True, exist_ok=True)
    spec = {"argv": list(argv), "display_name": name, "language": language, "env": environ}
    (folder / "kernel.json").write_text(json.dumps(spec), "utf-8")


@pytest.fixture(autouse=True)
def kernelspecs(jupyter, own_kernelspecs):
    add_kernelspec(jupyter, "bash", "bash", sys.executable, "-m", "bash_kernel", "-f", "{connection_file}", PS1="$")
    deno = str(Path(sysconfig.get_path("scripts")) / "deno")
    add_kernelspec(
        jupyter,
        "deno",
        "typescript",
        deno,
        "jupyter",
        "--kernel",
        "--conn",
        "{connection_file}",
        DENO_NO_UPDATE_CHECK="1",
    )


async def test_code_of_another_language_runs_and_its_variables_stay(server):
    async with parties(server, kernel="bash") as (kernel, _, _):
        assert (kernel.about.language, kernel.about.kernel) == ("bash", "bash")
        assert await run(kernel, "kept=$((6 * 7)); echo $kept") == "42\n"
        for _ in range(5):  # more than the 1,000 messages that ipykernel holds
            assert (await run(kernel, "seq 0 2999")).split() == [str(number) for number in range(3000)]
        with pytest.raises(RuntimeError):
            await run(kernel, "false")
        reply = await kernel.request("complete_request", {"code": "$kep", "cursor_pos": 4})
        assert "$kept" in reply.content["matches"]


async def test_it_is_interrupted_and_restarted(server):
    async with parties(server, kernel="bash") as (kernel, executor, _):
        await run(kernel, "kept=1")
        runs = asyncio.Event()
        cell = asyncio.create_task(kernel.execute("echo on; sleep 60", lambda _: runs.set()))
        async with asyncio.timeout(10):
            await runs.wait()
            kernel.interrupt()
            assert (await cell).content["status"] != "ok"
        assert await run(kernel, "echo $kept") == "1\n"
        kernel._started.clear()
        kernel.link.command("restart")
        async with asyncio.timeout(30):
            await kernel._started.wait()
        assert await run(kernel, "echo $kept") == "\n"
        assert list(executor.serving) == [kernel.processid]


async def test_a_kernel_that_cannot_use_files_as_sockets_is_named_with_its_reason(server):
    """Deno's kernel offers TCP only, where any user of the machine could read what it puts out."""
    async with parties(server, start=False, kernel="deno") as (kernel, _, _):
        with pytest.raises(KernelGone, match=r"ended with exit code 1 before it was ready: .*invalid host") as caught:
            await kernel.start()
        assert "\x1b" not in str(caught.value)


async def test_a_kernel_that_is_not_there_is_named_with_those_that_are(server):
    async with parties(server, start=False) as (_, executor, user):
        kernel = RemoteKernel(user, Target(executor.name, kernel="julia-1.12"))
        with pytest.raises(KernelGone, match=r"no kernel 'julia-1\.12' on the executor. Installed are: bash, deno"):
            await kernel.start()
        await kernel.shut_down()
