"""Runs the tutorial's notebooks and keeps what their cells show, as a reader on GitHub sees it: ``make notebooks``.

What is kept is what a run really showed, with its real times and ids. Only the machine is taken out of it: the data
folder is written as the one of a fresh Linux user, the machine in the names of executors as ``laptop``, its user as
``ada``, and what nbclient and the kernel note for themselves is dropped.

No two runs show the same ids and times. `comparable` replaces them by words. If two runs are then equal, `make
notebooks` writes no such file, and a test finds one whose outputs are out of date. A cell tagged ``varies`` shows
what depends on the machine (such as versions): it is run, and its outputs are not kept.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

from tools.kernel_sockets import kernel_sockets

NOTEBOOKS: Final = Path(__file__).parents[1] / "notebooks"

VARIES: Final = "varies"
"""Tag of a cell whose outputs are not kept."""

_TELLING: Final = 12
"""Digits of a key that nothing else begins with by chance."""

_HOME: Final = "~/.local/share/colony_jupyter"
_METADATA: Final = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_EXECUTOR: Final = re.compile(r"\b(tutorial-[a-z]+)-[\w.-]*?-([0-9a-f]{6})\b")
_USER: Final = re.compile(r"\buser '[^']*'(?= [0-9a-f]{8})")
_MANY: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| ?[+-]\d\d:?\d\d)?"), "TIME"),
    (re.compile(r"\b\d\d:\d\d:\d\d(\.\d{3})?\b"), "TIME"),
    (re.compile(r"\b\d+:\d\d\b"), "SPAN"),
    (re.compile(r"\b\d+(\.\d+)? (s|ms|seconds)\b"), "SPAN"),
    (re.compile(r"\btutorial-[a-z]+-laptop-[0-9a-f]{6}\b"), "EXECUTOR"),
    (re.compile(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{8}\b"), "ID"),
    # A conversation that was just ended: whether that was known already when its cell ended is chance.
    (
        re.compile(r'(<(?:b|small) style="[^"]+">)?(RUNNING|SUCCESS|answered)(</\w+> <bdi>| )(?=\S+ ID with )'),
        "STATE ",
    ),
    # What a process waits for is shown after a moment; whether its executor was there by then is chance.
    (re.compile(r"^Waiting for [^\n]*\.\n", re.MULTILINE), ""),
    (re.compile(r"[ \t]+"), " "),  # columns are as wide as what stands in them
)


async def execute(path: Path, *, seconds: float = 50.0) -> Any:
    """Run a notebook from its first cell to its last, as papermill would; the notebook with its outputs.

    Args:
        path: the notebook.
        seconds: that one cell may take.

    Raises:
        nbclient.exceptions.CellExecutionError: if a cell raises that is not tagged ``raises-exception``.
        KeyShown: if anything in it holds a private key that was in use.
    """
    notebook = nbformat.read(path, as_version=4)
    await run(notebook, seconds=seconds, folder=path.parent)
    data_home = os.environ.get("XDG_DATA_HOME", "")
    check_keys(notebook, keys(Path(data_home) / "colony_jupyter") if data_home else set())
    return tidy(notebook, data_home)


async def run(notebook: Any, *, seconds: float, folder: Path) -> None:
    """Run the cells of a notebook, which gets their outputs.

    Args:
        notebook: the notebook.
        seconds: that one cell may take.
        folder: where it runs.
    """
    with kernel_sockets() as sockets:
        client = NotebookClient(
            notebook,
            timeout=seconds,
            kernel_name="python3",
            record_timing=False,
            resources={"metadata": {"path": str(folder)}},
            config=Config({"KernelManager": sockets}),
        )
        await client.async_execute()


class KeyShown(Exception):
    """A notebook that was run holds a private key. The key is not named."""


def keys(folder: Path) -> set[str]:
    """Return the private keys that lie in a data folder, and those of the environment."""
    texts = [value for name, value in os.environ.items() if name.endswith("PRVKEY")]
    texts += [path.read_text("utf-8") for path in (*folder.rglob("keys.json"), *folder.rglob("*.key"))]
    return {key for text in texts for key in re.findall(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])", text)}


def check_keys(notebook: Any, known: set[str]) -> None:
    """Make sure that a notebook holds none of some keys, and not their beginnings.

    Raises:
        KeyShown: if it does.
    """
    text = json.dumps(notebook)
    if any(key[:_TELLING] in text for key in known):
        raise KeyShown("A private key, or the beginning of one, is in what a cell shows: nothing was kept.")


def tidy(notebook: Any, data_home: str = "") -> Any:
    """Take the machine, and what does not belong to the transcript, out of a notebook that was run.

    Args:
        notebook: the notebook; it is changed.
        data_home: the folder of the user's data at that run.
    """
    notebook.metadata = nbformat.from_dict(_METADATA)
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell.metadata = nbformat.from_dict({"tags": cell.metadata.tags} if cell.metadata.get("tags") else {})
        outputs = [] if VARIES in cell.metadata.get("tags", ()) else _joined(cell.outputs)
        cell.outputs = [nbformat.from_dict(_without_machine(output, data_home)) for output in outputs]
    return notebook


def comparable(notebook: Any) -> list[tuple[str, Any]]:
    """Return the cells' sources and outputs with words in place of what no two runs have in common."""
    found = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            outputs = [_readable(output) for output in _joined(cell.outputs)]
            found.append((cell.source, outputs))
        else:
            found.append((cell.source, []))
    return found


def shown(cell: Any) -> str:
    """Return what a code cell shows as plain text."""
    return "\n".join(_plain(output) for output in cell.outputs)


def _plain(output: Any) -> str:
    if output.output_type == "stream":
        return str(output.text)
    if output.output_type == "error":
        return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(output.traceback))
    return str(output.data.get("text/plain", ""))


def _joined(outputs: list[Any]) -> list[Any]:
    """Join what came on one stream in several messages: how many is chance."""
    joined: list[Any] = []
    for output in outputs:
        if joined and output.output_type == "stream" == joined[-1].output_type and output.name == joined[-1].name:
            joined[-1].text += output.text
        else:
            joined.append(nbformat.from_dict(json.loads(json.dumps(output))))
    return joined


def _without_machine(output: Any, data_home: str) -> Any:
    text = json.dumps(output)
    if data_home:
        text = text.replace(json.dumps(f"{data_home}/colony_jupyter")[1:-1], _HOME)
    kept = json.loads(_USER.sub("user 'ada'", _EXECUTOR.sub(r"\1-laptop-\2", text)))
    kept.get("metadata", {}).clear()
    return kept


def _readable(output: Any) -> Any:
    kept = {
        key: output[key]
        for key in ("output_type", "name", "text", "data", "ename", "evalue", "traceback")
        if key in output
    }
    return _replaced(kept)


def _replaced(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_replaced(each) for each in value]
    text = str(value)
    for pattern, word in _MANY:
        text = pattern.sub(word, text)
    return text


def write(path: Path) -> str:
    """Run a notebook on an embedded colony of its own and keep its outputs; a sentence on what was done."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="colony-jupyter-notebooks-", ignore_cleanup_errors=True) as folder:
        os.environ["XDG_DATA_HOME"] = folder
        made = asyncio.run(execute(path))
    took = time.monotonic() - begun
    before = nbformat.read(path, as_version=4)
    if comparable(before) == comparable(made):
        return f"{path.name}: as it was ({took:.1f} s)"
    nbformat.write(made, path)
    return f"{path.name}: written ({took:.1f} s)"


def main() -> None:
    """Run the notebooks that are named, or all."""
    for name in [name for name in os.environ if name.startswith("COLONIES_")]:
        del os.environ[name]  # what is kept is what the embedded colony shows
    named = [Path(name) for name in sys.argv[1:]]
    for path in named or sorted(NOTEBOOKS.glob("*.ipynb")):
        print(write(path), flush=True)  # noqa: T201 - a command speaks


if __name__ == "__main__":
    main()
