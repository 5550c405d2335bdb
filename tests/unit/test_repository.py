"""What may not be in the repository, and what its documentation says of itself."""

from __future__ import annotations

import ast
import inspect
import re
import shutil
import subprocess
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
    """What a file holds that no file of the repository may hold. No key is repeated in what is returned."""
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


def test_type_checkers_are_told_the_same_names():
    tree = ast.parse(Path(colony_jupyter.__file__).read_text("utf-8"))
    told = {
        (alias.name, node.module.removeprefix("colony_jupyter."))
        for block in tree.body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert told == {(name, home) for home, names in colony_jupyter._HOMES.items() for name in names}
