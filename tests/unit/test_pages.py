"""What the pages show can be used: commands can be typed, Python can be read, files and tests exist."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
from pathlib import Path

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from colony_jupyter import cli
from colony_jupyter.errors import UsageError
from colony_jupyter.notebook.magics import commands

ROOT = Path(__file__).parents[2]
GENERATED = ("api.md", "magics.md")
PAGES = sorted(
    path
    for folder in (".", "docs", "notebooks", "benchmarks")
    for path in (ROOT / folder).glob("*.md")
    if path.name not in GENERATED
)
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"`([^`\n]+)`")
FILES = re.compile(r"[\w./-]+(?:\.(?:py|js|md|json|toml|txt|svg|conf|css)|/)")

# Files of a user and of other repositories, by their names.
NOT_OURS = {"kernel.json", "examples/python_executor.py"}


def text_of(path: Path) -> str:
    """Text of a page, or of the markdown cells of a notebook."""
    if path.suffix == ".md":
        return path.read_text("utf-8")
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def code(text: str) -> list[str]:
    """Lines of the blocks of a text, and the pieces of code within its lines, each without a comment behind it."""
    lines = [line for _, block in BLOCK.findall(text) for line in block.splitlines()]
    return [re.sub(r"\s+#.*", "", line).strip() for line in lines + SPAN.findall(BLOCK.sub("", text))]


SHOWN = [(path.relative_to(ROOT).as_posix(), text_of(path)) for path in [*PAGES, *NOTEBOOKS]]


def beginning_with(pattern: str) -> list[str]:
    """Return the pieces of code of all pages that begin so."""
    return sorted({piece for _, text in SHOWN for piece in code(text) if re.match(pattern, piece)})


def magic_fault(line: str) -> str:
    """Why a magic would refuse a line; empty if it would not, or if the line is only the name of a magic."""
    name, _, rest = line.partition(" ")
    if name == "%%colony_chat":
        command = commands.CHAT
    else:
        word, _, rest = rest.partition(" ")
        known = commands.CELLS if name == "%%colony" else commands.LINES
        if word in ("", "--help"):
            return ""
        if word not in known:
            return f"there is no {name} {word}"
        command = known[word]
    rest = re.sub(r"\[([^\]]*)\]", r"\1", rest).replace("...", "")  # optional ones, as in a usage line
    rest = re.sub(r"(--(?:days|count|timeout)) [A-Z]+\b", r"\1 1", rest)
    if not rest.strip() or "--help" in rest:
        return ""
    try:
        command.read(rest)
    except UsageError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("line", beginning_with(r"%%?colony(_chat)?(\s|$)"))
def test_a_magic_that_a_page_shows_can_be_typed(line):
    assert magic_fault(line) == ""


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("%colony submitt x", "there is no %colony submitt"),
        ("%%colony ps", "there is no %%colony ps"),
        ("%colony submit f --typ x", "--type"),
        ("%colony read x", "CHANNEL"),
        ("%%colony_chat chat --chanel x", "--channel"),
    ],
)
def test_a_magic_that_cannot_be_typed_is_found(line, fault):
    assert fault in magic_fault(line)


@pytest.fixture
def shell_status(monkeypatch):
    """Exit status of a line of a shell with our command, whose subcommands run nothing."""
    idle = [dataclasses.replace(command, run=lambda _: 0) for command in cli._COMMANDS]
    monkeypatch.setattr(cli, "_COMMANDS", tuple(idle))

    def status(line: str) -> int | str | None:
        try:
            return cli.main(shlex.split(line)[1:])
        except SystemExit as end:
            return end.code

    return status


@pytest.mark.parametrize("line", beginning_with(r"colony-jupyter \w"))
def test_a_command_that_a_page_shows_can_be_typed(line, shell_status):
    only_named = not re.search(r" (--|[A-Z])", line)
    assert shell_status(f"{line} --help" if only_named else line) == 0


@pytest.mark.parametrize("line", ["colony-jupyter kernel serve", "colony-jupyter serve --tsl", "colony-jupyter laab"])
def test_a_command_that_cannot_be_typed_is_found(line, shell_status, capsys):
    assert shell_status(line) == 2
    assert "usage: colony-jupyter" in capsys.readouterr().err


@pytest.mark.parametrize("line", beginning_with(r"make \w"))
def test_a_target_of_make_that_a_page_shows_exists(line):
    targets = re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE)
    assert {word for word in shlex.split(line)[1:] if "=" not in word} <= set(targets)


@pytest.mark.parametrize(("page", "text"), SHOWN, ids=[page for page, _ in SHOWN])
def test_python_that_a_page_shows_can_be_read(page, text):
    for language, block in BLOCK.findall(text):
        if language == "python":
            compile(TransformerManager().transform_cell(block), page, "exec", flags=0x2000)  # with top-level await


def missing_files(page: Path, text: str) -> list[str]:
    """Names of files in a text that are in no folder that the page can mean."""
    names = {piece for piece in SPAN.findall(BLOCK.sub("", text)) if FILES.fullmatch(piece)}
    bases = (ROOT, ROOT / "colony_jupyter", ROOT / "tests", page.parent)
    missing = {name for name in names - NOT_OURS if not any((base / name).exists() for base in bases)}
    ours = {path.name for top in ("colony_jupyter", "tests") for path in (ROOT / top).rglob("*.*")}
    return sorted(name for name in missing if "/" in name or name not in ours)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_that_a_page_names_exist(path):
    assert missing_files(path, path.read_text("utf-8")) == []


def test_a_file_that_does_not_exist_is_found():
    text = "`client/proces.py`, `client/process.py`, `proces.py`, `process.py` and `kernel.json`"
    assert missing_files(ROOT / "docs" / "architecture.md", text) == ["client/proces.py", "proces.py"]


def test_tests_that_a_page_names_exist():
    defined = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)", path.read_text("utf-8"))
    }
    named = {hit for _, text in SHOWN for hit in re.findall(r"`(test_\w+)(\.\.\.)?`", text)}
    missing = [
        name
        for name, is_beginning in named
        if not (any(each.startswith(name) for each in defined) if is_beginning else name in defined)
    ]
    assert len(named) > 20
    assert missing == []


def test_the_parts_of_the_tutorial_are_listed_by_their_titles():
    rows = re.findall(
        r"^\| (\d+) \| \[([^\]]+)\]\(([^)]+)\)", (ROOT / "notebooks" / "README.md").read_text("utf-8"), re.MULTILINE
    )
    listed = {name: f"# {number}. {title}" for number, title, name in rows}
    assert listed == {path.name: text_of(path).splitlines()[0] for path in NOTEBOOKS}


def test_the_readme_fits_on_few_screens():
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    assert len(lines) < 150
    assert next(at for at, line in enumerate(lines) if line.startswith("![")) < 10, "the picture is on the first screen"
