"""What an executor does for its kernels besides relaying: the end of its batch job, and the files of killed ones."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import pytest
from kernel_parties import parties, run
from kernels import wait_until
from remote_kernel import Front, Serving, install
from servers import own

from tools.kernel_sockets import SHORT


async def test_the_end_of_the_batch_job_is_announced_in_a_cell_that_runs(server):
    async with parties(server, ends=time.time() + 121.5) as (kernel, _, _):
        assert "ends in 2 minutes" in await run(kernel, "import time; time.sleep(4)")
        assert await run(kernel, "print('on')") == "on\n"


async def test_a_cell_that_begins_after_the_time_to_announce_shows_it(server):
    async with parties(server, ends=time.time() + 100) as (kernel, _, _):
        text = await run(kernel, "1")
        assert "The batch job of executor" in text
        assert "this kernel with its variables" in text
        await asyncio.sleep(1.2)
        assert await run(kernel, "print('on')") == "on\n"


@pytest.fixture
def temporary():
    """Return a folder for temporary files, of a path that is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="cj", dir=SHORT) as folder:
        yield Path(folder)


def test_the_folder_of_a_killed_executor_is_removed_at_the_next_start(environ, tmp_path, temporary):
    serving = Serving({**environ, "TMPDIR": str(temporary)}, own("folders"), tmp_path).start()
    install(environ, own("folders"))
    front = Front(environ, f"colony-{own('folders')}").start()
    try:
        front.run("print(1)")
        (folder,) = temporary.glob("cj-kernel-*")
        serving.kill()
        assert folder.exists()
        serving.start()
        wait_until(lambda: not folder.exists(), 20)
    finally:
        front.stop()
        serving.stop()
