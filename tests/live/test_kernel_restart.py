"""A kernel while a real server is killed and started again, which loses the entries of all channels."""

from __future__ import annotations

import asyncio
import os
import subprocess

import pytest
from kernel_parties import parties, run
from remote_kernel import Front, Serving, install, text_of
from servers import RealServer, own

RESTART = os.environ.get("REAL_SERVER_RESTART", "")
"""A command that kills the real server and starts it again; the server must be one for these tests alone."""

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not RESTART, reason="REAL_SERVER_RESTART names no command that restarts the real server"),
]

LINES = "import time\nfor number in range(120):\n    print(number, flush=True)\n    time.sleep(0.1)"


@pytest.mark.timeout(180)
@pytest.mark.parametrize("restarts", [1, 2])
async def test_a_restart_of_the_server_loses_and_repeats_nothing(real_server, restarts):
    server = RealServer(real_server)
    async with parties(server) as (kernel, executor, _):
        await run(kernel, "kept = 6 * 7")
        before = kernel.processid
        cell = asyncio.create_task(run(kernel, LINES, 120))
        for _ in range(restarts):
            await asyncio.sleep(3)
            await asyncio.to_thread(subprocess.run, RESTART.split(), check=True, timeout=60)
        assert (await cell).split() == [str(number) for number in range(120)]
        assert await run(kernel, "print(kept, number)") == "42 119\n"
        assert kernel.processid == before
        assert executor.failures == {}
    server.clean_up()


def test_a_front_end_and_kernel_serve_outlive_a_restart(real_server, tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    environ = {**real_server, "JUPYTER_DATA_DIR": str(tmp_path / "jupyter")}
    serving = Serving(environ, own("restart"), tmp_path / "serving").start()
    install(environ, own("restart"))
    front = Front(environ, f"colony-{own('restart')}").start()
    try:
        cell = front.begin(LINES)
        heard = front.hear(cell, lambda message: "20" in message["content"].get("text", ""))
        subprocess.run(RESTART.split(), check=True, timeout=60)
        text = text_of(heard) + front.finish(cell, 50)[0]
        assert text.split() == [str(number) for number in range(120)]
        assert front.run("print(number)") == "119\n"
    finally:
        front.stop()
        serving.stop()
        RealServer(real_server).clean_up()
