"""References in code and documentation point to pages and traps that are in the repository."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.unit.test_repository import ROOT, text_of, tracked

if TYPE_CHECKING:
    from pathlib import Path

PROTOCOL = ROOT / "docs" / "protocol.md"
TEXTS = (".py", ".js", ".md", ".ipynb", ".json", ".css", ".toml")

# Written with a class of one letter each, so that this file does not match itself.
OUTSIDE = re.compile(r"\b(?:PROTOCO[L]|DESIG[N]|DISPLA[Y]|MECHANIC[S]|HOUS[E]|KERNEL[S])\.md|(?<![\w-])share[d]/")
TRAPS = re.compile(r"\b[Tt]raps?\s+(?:#\s*)?(\d+(?:(?:\s*,\s*|\s+(?:and|or|to)\s+|\s*,\s*and\s+)(?:#\s*)?\d+)*)")
LINKS = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def texts() -> list[tuple[str, str]]:
    return [(path.relative_to(ROOT).as_posix(), text_of(path)) for path in tracked() if path.suffix in TEXTS]


def numbers(text: str) -> set[int]:
    """Traps that a text names, as in "trap 4", "traps 6, 7 and 24"."""
    return {int(number) for hit in TRAPS.finditer(text) for number in re.findall(r"\d+", hit[1])}


def numbered_traps(page: str) -> list[int]:
    """Numbers of the list under the heading "Traps"."""
    section = re.split(r"^## ", page, flags=re.MULTILINE)
    (traps,) = [part for part in section if re.match(r"\d+\. Traps\b", part)]
    return [int(number) for number in re.findall(r"^(\d+)\. ", traps.partition("\n")[2], flags=re.MULTILINE)]


def slug(heading: str) -> str:
    """Anchor that GitHub gives a heading."""
    plain = re.sub(r"[`*]", "", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def prose(path: Path) -> str:
    """Markdown of a page, or of the markdown cells of a notebook, without code."""
    text = text_of(path)
    if path.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        text = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    return CODE.sub("", text)


def broken_links(path: Path, text: str) -> list[str]:
    """Relative links that point to no file, or to no heading of a page."""
    broken = []
    for link in LINKS.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.exists():
            broken.append(f"{path.name}: {link} does not exist")
        elif anchor and target.suffix == ".md":
            headings = re.findall(r"^#+ (.+)$", target.read_text("utf-8"), flags=re.MULTILINE)
            if anchor not in {slug(heading) for heading in headings} and f'id="{anchor}"' not in text_of(target):
                broken.append(f"{path.name}: {link} has no such heading")
    return broken


def test_no_text_names_a_document_outside_the_repository():
    found = [f"{name}: {hit[0]}" for name, text in texts() for hit in OUTSIDE.finditer(text)]
    assert found == []


@pytest.mark.parametrize("name", ["DESIGN", "PROTOCOL", "HOUSE"])
def test_a_document_outside_the_repository_is_found(name):
    assert OUTSIDE.search(f"(see {name}.md section 3)")
    assert OUTSIDE.search("../" + "share" + "d/protocol")
    assert not OUTSIDE.search("docs/protocol.md, and a connection shared / used by two")


def test_the_traps_are_numbered_without_a_gap():
    assert numbered_traps(PROTOCOL.read_text("utf-8")) == list(range(1, 37))


def test_each_trap_named_anywhere_is_in_the_protocol_page():
    known = set(numbered_traps(PROTOCOL.read_text("utf-8")))
    unknown = {name: strange for name, text in texts() if (strange := numbers(text) - known)}
    assert unknown == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(trap 7)", {7}),
        ("traps 2, 6, 7, 23 and\n24", {2, 6, 7, 23, 24}),
        ("(trap\n    # 99)", {99}),
        ("traps 13, 18, and 19", {13, 18, 19}),
        ("a trap of 4 walls", set()),
    ],
)
def test_trap_numbers_are_read(text, expected):
    assert numbers(text) == expected


def test_relative_links_exist():
    pages = [path for path in tracked() if path.suffix in (".md", ".ipynb")]
    assert [link for path in pages for link in broken_links(path, prose(path))] == []


def test_a_broken_link_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# Some `title`, here\n", "utf-8")
    text = "[a](missing.md) [b](page.md#some-title-here) [c](#nothing) [d](https://example.org/x) [e](page.md)"
    assert broken_links(page, text) == [
        "page.md: missing.md does not exist",
        "page.md: #nothing has no such heading",
    ]
