"""No keys, machine paths or registries in tracked files; references in code and documentation point to what exists."""

from __future__ import annotations

import ast
import inspect
import io
import json
import re
import shutil
import subprocess
import tokenize
from pathlib import Path

import pytest

import colony_jupyter
from colony_jupyter import errors

ROOT = Path(__file__).parents[2]

# Written with a class of one letter each, so that this file does not find itself.
MACHINE_PATHS = re.compile(r"(?<![\w.${}~-])/(?:ro[o]t|ho[m]e|Us[e]rs|wo[r]k|op[t])/\w")
REGISTRIES = re.compile(r"pypi[.]org|python[h]osted|npm[j]s|index[-]url|find[-]links")
PEM_KEYS = re.compile(r"BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s+[A-Za-z0-9+/]{16}")
# With 0x in front it is a number of the arithmetic: ColonyOS writes no key so.
HEX_KEYS = re.compile(r"(?<![0-9a-fA-FxX])[0-9a-fA-F]{64}(?![0-9a-fA-F])")
NAMED_KEYS = re.compile(r"PRVKEY\W{1,9}" + HEX_KEYS.pattern)

# Keys made for tests by the protocol's own material; its recordings hold ids and hashes too.
TEST_KEYS = ("tests/contract/vectors.json", "tests/contract/transcripts/")

PROTOCOL = ROOT / "docs" / "protocol.md"
TEXTS = (".py", ".js", ".md", ".ipynb", ".json", ".css", ".toml")

# Written with a class of one letter each, so that this file does not match itself.
OUTSIDE = re.compile(r"\b(?:PROTOCO[L]|DESIG[N]|DISPLA[Y]|MECHANIC[S]|HOUS[E]|KERNEL[S])\.md|(?<![\w-])share[d]/")
TRAPS = re.compile(r"\b[Tt]raps?\s+(?:#\s*)?(\d+(?:(?:\s*,\s*|\s+(?:and|or|to)\s+|\s*,\s*and\s+)(?:#\s*)?\d+)*)")
LINKS = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)

# Words that hide what a sentence is about.
VAGUE = re.compile(r"\b(?:who[e]ver|who[m]|some[b]ody|no[b]ody|h[e]|hi[m]|hi[s]|tol[d])\b", re.IGNORECASE)
# Likewise; names of functions and texts that tests send may have them.
SPOKEN = re.compile(r"(?<![.\w'])(?:say|says|said|tell|tells|anybody|everybody|someone|wits)\b(?!\()", re.IGNORECASE)


def tracked() -> list[Path]:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        return ""


def faults(name: str, text: str) -> list[str]:
    """Contents that no file of the repository may have. The result repeats no key."""
    found = [f"{name}: a machine's path: {hit[0]!r}" for hit in MACHINE_PATHS.finditer(text)]
    found += [f"{name}: a registry: {hit[0]!r}" for hit in REGISTRIES.finditer(text)]
    found += [f"{name}: a private key in PEM" for _ in PEM_KEYS.finditer(text)]
    if not name.startswith(TEST_KEYS):
        # Notebooks show ids of processes, which look like keys: there only what is called one counts.
        keys = NAMED_KEYS if name.endswith((".ipynb", ".html")) else HEX_KEYS
        found += [
            f"{name}: 64 hex digits, as a private key has, at character {hit.start()}" for hit in keys.finditer(text)
        ]
    return found


def test_tracked_files_hold_no_keys_paths_or_registries():
    assert [fault for path in tracked() for fault in faults(path.relative_to(ROOT).as_posix(), text_of(path))] == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.py", "path = '/ro~ot/x'"),
        ("README.md", "see /wo~rk/main"),
        ("constraints.txt", "--index~-url x"),
        ("a.md", "at pypi~.org"),
        ("a.pem", "-----BEGIN EC PRIVATE K~EY-----\nMHcCAQEEIBsomething0000"),
        ("a.py", "key = '" + "0" * 63 + "1'"),
        ("a.ipynb", '"COLONIES_PRVKEY=' + "ab" * 32 + '"'),
    ],
)
def test_each_kind_is_found(name, text):
    assert len(faults(name, text.replace("~", ""))) == 1


def test_ids_in_notebooks_and_keys_of_the_vectors_are_not():
    assert faults("a.ipynb", f'"processid": "{"ab" * 32}"') == []
    assert faults("tests/contract/vectors.json", "ab" * 32) == []


def test_constraints_are_names_and_versions_only():
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pinned = [line for line in lines if line and not line.startswith("#")]
    assert [line for line in pinned if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.+!]*", line)] == []
    assert len(pinned) > 50


def test_the_error_tree_in_the_docstring_is_the_real_one():
    drawn: dict[str, str] = {}
    above: list[str] = []
    for line in inspect.getdoc(errors).splitlines():
        found = re.match(r"    ([│├└─ ]*)([A-Z]\w+)(?:\s|$)", line)
        if not found:
            continue
        depth = len(found[1]) // 4
        del above[depth:]
        if above:
            drawn[found[2]] = above[-1]
        above.append(found[2])
    real = {
        name: next(base.__name__ for base in value.__mro__[1:] if issubclass(base, errors.ColonyError))
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, errors.ColonyError) and value is not errors.ColonyError
    }
    assert drawn == real


def test_every_public_name_is_there_and_described():
    names = colony_jupyter.__all__
    assert len(names) == len(set(names))
    described = {name: inspect.getdoc(getattr(colony_jupyter, name)) for name in names if name != "__version__"}
    assert [name for name, text in described.items() if not text] == []
    assert set(names) <= set(dir(colony_jupyter))


def test_type_checkers_see_the_same_names():
    tree = ast.parse(Path(colony_jupyter.__file__).read_text("utf-8"))
    typed = {
        (alias.name, node.module.removeprefix("colony_jupyter."))
        for block in tree.body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert typed == {(name, home) for home, names in colony_jupyter._HOMES.items() for name in names}


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
    assert numbered_traps(PROTOCOL.read_text("utf-8")) == list(range(1, 39))


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


def test_the_architecture_page_describes_every_folder_and_top_level_module():
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    package = ROOT / "colony_jupyter"
    folders = {f"{path.parent.relative_to(package).as_posix()}/" for path in package.rglob("*.py")} - {"./"}
    modules = {path.name for path in package.glob("*.py")} - {"__init__.py", "__main__.py", "version.py"}
    assert {name for name in folders | modules if f"| `{name}` |" not in page} == set()


@pytest.mark.parametrize("page", ["CHANGELOG.md", "docs/decisions.md"])
def test_no_line_of_a_page_stands_there_twice(page):
    """Two branches that change the same line leave both versions of it where git merges such a page by union."""
    beginnings = [line[:30] for line in (ROOT / page).read_text("utf-8").splitlines() if len(line) > 40]
    assert sorted({each for each in beginnings if beginnings.count(each) > 1}) == [], "keep the newer one"


def sentences(path: Path) -> str:
    """Text of a file; of a notebook, its cells without their outputs."""
    text = text_of(path)
    if path.suffix == ".ipynb":
        return "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
    return text


def test_texts_use_plain_words():
    found = []
    for path in tracked():
        name = path.relative_to(ROOT).as_posix()
        if path.suffix in (".py", ".js", ".css", ".md", ".ipynb", ".toml", ".yml"):
            text = sentences(path)
            found += [f"{name}: {hit[0]}" for hit in VAGUE.finditer(text)]
            if name.startswith("tests/") and SPOKEN.search(text):
                text = prose_of_code(text) if path.suffix == ".py" else ""
            if not name.startswith("notebooks/"):
                found += [f"{name}: {hit[0]}" for hit in SPOKEN.finditer(text)]
    assert found == [], "name the subject instead"


def prose_of_code(source: str) -> str:
    """Comments and docstrings; what a test sends and expects may have any words."""
    comments = [
        token.string
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    ]
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = [ast.get_docstring(node) or "" for node in ast.walk(ast.parse(source)) if isinstance(node, owners)]
    return "\n".join([*comments, *docstrings])


def test_comments_and_docstrings_are_the_prose_of_code():
    source = 'def f():\n    """What it does."""\n    return "said"  # and why'
    assert prose_of_code(source) == "# and why\n\nWhat it does."
