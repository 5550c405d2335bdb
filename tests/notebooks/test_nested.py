"""A script that runs its own event loop, pasted into a cell."""

from __future__ import annotations

SCRIPT = """
async def main():
    async with cj.AsyncColony() as colony:
        process = await colony.submit("gives-back", 1, executortype="magics-test")
        return await process.result(10)

import asyncio
print(asyncio.run(main()))
"""


def test_a_pasted_script(notebook):
    refused = notebook.run(SCRIPT)
    assert "asyncio.run() cannot be called from a running event loop" in refused.error
    assert notebook.run("cj.allow_nested_asyncio()").status == "ok"
    cell = notebook.run(SCRIPT)
    assert cell.status == "ok", cell.error
    assert cell.text == "[[1], {}]\n"
    assert notebook.run("cj.allow_nested_asyncio()").status == "ok"
    # All else goes on working.
    cell = notebook.run("%colony submit steps 3 --channel progress --type magics-test --wait")
    assert cell.status == "ok", cell.error
    assert "step 3/3" in cell.transcript
    assert notebook.run("%%colony_chat simple-bot --new\nhello").status == "ok"
    cell = notebook.run("await cj.AsyncColony().version()")
    assert cell.status == "ok", cell.error
