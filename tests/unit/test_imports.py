"""Imports point down only and form no cycle (docs/architecture.md), folders and files stay small, and importing the
package stays cheap."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = "colony_jupyter"
ROOT = Path(__file__).parents[2] / PACKAGE

# Layers that each layer may import. A layer may always import itself.
BELOW: dict[str, set[str]] = {
    "version": set(),
    "errors": set(),
    "caller": set(),
    "supervisor": set(),
    "wire": {"errors"},
    "values": {"errors", "wire"},
    "functions": {"errors"},
    "channels": {"errors", "wire"},
    "datafolder": {"errors", "wire"},
    "server": {"errors", "wire", "datafolder", "descriptors"},
    "embedded": {"errors", "wire", "datafolder"},
    "network": {"errors"},
    "descriptors": set(),
    "settings": {"errors", "wire", "embedded", "network"},
    "client": {
        "errors",
        "caller",
        "wire",
        "values",
        "functions",
        "channels",
        "settings",
        "embedded",
        "network",
        "descriptors",
        "version",
    },
    "kernels": {"errors", "wire", "values", "channels", "settings", "client"},
    "executor": {
        "errors",
        "caller",
        "wire",
        "values",
        "functions",
        "datafolder",
        "channels",
        "settings",
        "client",
        "kernels",
        "supervisor",
    },
    "doctor": {"errors", "wire", "datafolder", "channels", "settings", "embedded", "network", "client"},
    "testing": {"errors", "wire", "datafolder", "settings", "embedded", "client"},
    "notebook": {
        "version",
        "errors",
        "wire",
        "values",
        "channels",
        "settings",
        "embedded",
        "client",
        "kernels",
        "executor",
        "doctor",
    },
    "cli": {
        "errors",
        "wire",
        "datafolder",
        "settings",
        "server",
        "embedded",
        "client",
        "kernels",
        "executor",
        "doctor",
        "notebook",
    },
    "__main__": {"cli"},
    # Public names, loaded lazily. No layer below imports them from there.
    "__init__": {"version", "errors", "wire", "settings", "embedded", "values", "client", "executor", "notebook"},
}

# Allowed under TYPE_CHECKING only: some errors carry an entry.
TYPES_ONLY = {("errors", "wire")}

_CLOCKS = {"asyncio", "time", "threading", "socket", "selectors", "random", "secrets", "select", "anyio"}
_FACES = {"IPython", "ipywidgets", "anywidget", "ipykernel", "traitlets", "jupyterlab", "comm"}
_SOCKETS = {"socket", "aiohttp", "httpx", "websockets", "requests", "starlette", "uvicorn"}
_SOCKETS |= {"urllib.request", "http.client", "http.server"}

# Modules outside the package that each layer may not import.
FOREIGN: dict[str, set[str]] = {
    "errors": _CLOCKS | _FACES | _SOCKETS,
    "wire": _CLOCKS | _FACES | _SOCKETS,
    "values": _CLOCKS | _FACES | _SOCKETS,
    "functions": _CLOCKS | _FACES | _SOCKETS,
    "channels": _CLOCKS | _FACES | _SOCKETS,
    "network": _CLOCKS | _FACES | _SOCKETS,
    "descriptors": _CLOCKS | _FACES | _SOCKETS,
    "settings": _FACES | _SOCKETS,
    "datafolder": _FACES | {"asyncio", "starlette", "uvicorn", "aiohttp", "websockets", "sqlite3"},
    "server": _FACES | {"aiohttp", "httpx", "requests"},
    "embedded": _FACES | {"starlette", "uvicorn", "sqlite3"},
    "client": _FACES | {"starlette", "uvicorn", "sqlite3"},
    "kernels": _FACES | _SOCKETS,
    "executor": _FACES | _SOCKETS,
    "notebook": _SOCKETS,
}


class Import(NamedTuple):
    where: str
    layer: str
    target: str
    types_only: bool


def _is_type_checking(node: ast.If) -> bool:
    return ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def _called(function: ast.expr) -> str:
    """Name of what is called, without what it is an attribute of."""
    return getattr(function, "attr", "") or getattr(function, "id", "")


def read_imports(source: str, where: str, layer: str) -> list[Import]:
    """All imports of a source text, also those inside functions and under TYPE_CHECKING."""
    found: list[Import] = []

    def add(node: ast.stmt | ast.expr, target: str, *, types_only: bool) -> None:
        found.append(Import(f"{where}:{node.lineno}", layer, target, types_only))

    def visit(node: ast.AST, *, types_only: bool) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                add(node, alias.name, types_only=types_only)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            for alias in node.names:  # of a package, too: `from colony_jupyter import client`
                add(node, f"{'.' * node.level}{module}.{alias.name}", types_only=types_only)
        elif isinstance(node, ast.Call) and _called(node.func) in ("import_module", "__import__"):
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                add(node, first.value, types_only=types_only)
        guarded = node.body if isinstance(node, ast.If) and _is_type_checking(node) else ()
        for child in ast.iter_child_nodes(node):
            visit(child, types_only=types_only or child in guarded)

    visit(ast.parse(source), types_only=False)
    return found


def import_fault(found: Import) -> str | None:
    """Reason why an import is not allowed, or None."""
    if found.target.startswith("."):
        return f"{found.where}: relative import of {found.target}"
    top, _, rest = found.target.partition(".")
    if top != PACKAGE:
        banned = [name for name in FOREIGN.get(found.layer, ()) if f"{found.target}.".startswith(f"{name}.")]
        if banned and not found.types_only:
            return f"{found.where}: {found.layer} may not import {banned[0]}"
        return None
    layer = rest.partition(".")[0]
    if layer in ("", "__version__") or layer == found.layer or layer in BELOW[found.layer]:
        return None
    if found.types_only and (found.layer, layer) in TYPES_ONLY:
        return None
    return f"{found.where}: {found.layer} may not import {found.target}, which is not below it"


def layer_of(path: Path) -> str:
    inside = path.relative_to(ROOT)
    return inside.parts[0] if len(inside.parts) > 1 else inside.stem


MODULES = sorted(ROOT.rglob("*.py"))


def test_every_module_belongs_to_a_layer():
    assert {layer_of(path) for path in MODULES} <= BELOW.keys()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_point_down(path):
    imports = read_imports(path.read_text("utf-8"), path.relative_to(ROOT.parent).as_posix(), layer_of(path))
    assert [why for found in imports if (why := import_fault(found))] == []


def test_the_protocol_of_kernels_has_no_clock_and_no_sockets():
    for path in (ROOT / "kernels" / "relay").glob("*.py"):
        foreign = {
            found.target.partition(".")[0] for found in read_imports(path.read_text("utf-8"), path.name, "kernels")
        }
        assert foreign & (_CLOCKS | _FACES | _SOCKETS | {"zmq", "jupyter_client", "os"}) == set()


def test_the_magics_only_parse_and_call_actions():
    """Of the package they import only notebook modules, errors and settings."""
    folder = ROOT / "notebook" / "magics"
    for path in (folder / "magics.py", *folder.glob("*_commands.py")):
        imports = read_imports(path.read_text("utf-8"), path.name, "notebook")
        ours = {found.target for found in imports if found.target.startswith(PACKAGE) and not found.types_only}
        allowed = (f"{PACKAGE}.notebook", f"{PACKAGE}.errors", f"{PACKAGE}.settings")
        assert {name for name in ours if not name.startswith(allowed)} == set()


@pytest.mark.parametrize(
    ("layer", "source", "fault"),
    [
        ("wire", "import asyncio", "may not import asyncio"),
        ("wire", "def f():\n    from colony_jupyter.client import x", "may not import colony_jupyter.client"),
        ("wire", "from colony_jupyter import server", "may not import colony_jupyter.server"),
        ("server", "import colony_jupyter.client.transport", "may not import colony_jupyter.client.transport"),
        ("embedded", "import importlib; importlib.import_module('colony_jupyter.server.app')", "may not import"),
        ("client", "import IPython.display", "may not import IPython"),
        ("notebook", "import websockets", "may not import websockets"),
        ("notebook", "from urllib import request", "may not import urllib.request"),
        ("notebook", "from socket import socket", "may not import socket"),
        ("client", "from . import x", "relative import"),
        ("client", "if TYPE_CHECKING:\n    from colony_jupyter.notebook import pane", "may not import"),
        ("client", "if TYPE_CHECKING:\n    pass\nelse:\n    import IPython", "may not import IPython"),
    ],
)
def test_an_import_that_points_up_is_found(layer, source, fault):
    (why,) = [why for found in read_imports(source, "somewhere.py", layer) if (why := import_fault(found))]
    assert fault in why


@pytest.mark.parametrize(
    ("layer", "source"),
    [
        ("client", "from colony_jupyter.wire.models import Entry"),
        ("wire", "from colony_jupyter.wire import models"),
        ("errors", "if TYPE_CHECKING:\n    from colony_jupyter.wire.models import Entry"),
        ("wire", "import hashlib"),
        ("executor", "from urllib.parse import quote"),
        ("cli", "from colony_jupyter import __version__"),
    ],
)
def test_an_import_that_points_down_is_allowed(layer, source):
    assert [why for found in read_imports(source, "somewhere.py", layer) if (why := import_fault(found))] == []


def module_name(path: Path) -> str:
    """Name within the package: "client.transport.http"; "client" for its __init__.py; "" for the package itself."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def import_graph(sources: dict[str, str]) -> dict[str, set[str]]:
    """Modules that each module imports, by names within the package; of names in modules, the module."""
    graph: dict[str, set[str]] = {}
    for module, source in sources.items():
        imported = set()
        for found in read_imports(source, module, module):
            top, _, name = found.target.partition(".")
            if top != PACKAGE:
                continue
            while name not in sources and name:
                name = name.rpartition(".")[0]
            imported.add(name)
        graph[module] = imported - {module}
    return graph


def reachable(graph: dict[str, set[str]], start: str) -> set[str]:
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        new = graph.get(waiting.pop(), set()) - reached
        reached |= new
        waiting += new
    return reached


def cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules that import each other, directly or through others."""
    reach = {module: reachable(graph, module) for module in graph}
    groups = {frozenset(other for other in reach[module] if module in reach[other]) for module in graph}
    return sorted(sorted(group) for group in groups if group)


def test_imports_form_no_cycle():
    graph = import_graph({module_name(path): path.read_text("utf-8") for path in MODULES})
    assert cycles(graph) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from colony_jupyter.b import x", [["a", "b"]]),
        ("if TYPE_CHECKING:\n    from colony_jupyter import b", [["a", "b"]]),
        ("def f():\n    import colony_jupyter.b", [["a", "b"]]),
        ("from colony_jupyter.c import b", []),
        ("import b", []),
    ],
)
def test_a_cycle_is_found(source, expected):
    sources = {"": "", "a": source, "b": "from colony_jupyter import c, a", "c": ""}
    assert cycles(import_graph(sources)) == expected


DRAWING = ROOT.parent / "docs" / "architecture.md"
# Modules that import nothing of the package, and the package's own beginnings: not drawn.
NOT_DRAWN = {"version", "caller", "descriptors", "supervisor", "__init__", "__main__"}


def drawn_layers(page: str) -> dict[str, set[str]]:
    """Layers of the diagram of a page, each with those that its arrows lead to; not the dotted arrows."""
    (diagram,) = re.findall(r"```mermaid\n(.*?)```", page, flags=re.DOTALL)
    drawn: dict[str, set[str]] = {}
    for layer, below in re.findall(r"^ *(\w+)(?:\[[^]]*\])? --> (\w+)", diagram, flags=re.MULTILINE):
        drawn.setdefault(layer, set()).add(below)
        drawn.setdefault(below, set())
    return drawn


def test_the_diagram_shows_the_layers():
    """Each arrow is an import that is allowed, and what a layer may import can be reached by arrows."""
    drawn = drawn_layers(DRAWING.read_text("utf-8"))
    allowed = {layer: below - NOT_DRAWN for layer, below in BELOW.items() if layer not in NOT_DRAWN}
    assert drawn.keys() == allowed.keys()
    assert {layer: below - allowed[layer] for layer, below in drawn.items() if below - allowed[layer]} == {}
    reached = {layer: reachable(drawn, layer) for layer in drawn}
    assert {layer: below - reached[layer] for layer, below in allowed.items() if below - reached[layer]} == {}


def test_the_arrows_of_a_diagram_are_read():
    page = '```mermaid\nflowchart TD\n    a["a/ (one)"] --> b\n    b --> c["c.py"]\n    a -. "starts" .-> d\n```\n'
    assert drawn_layers(page) == {"a": {"b"}, "b": {"c"}, "c": set()}


FILES_PER_FOLDER = 15
LINES_PER_FILE = 450

# Folders and files above the limits, with their largest allowed size. Remove an entry when it is not needed; add none.
LARGE_FILES: dict[str, int] = {}


def files_per_folder() -> dict[str, int]:
    """Source files of each folder of the package, the tools and the benchmarks, without __init__.py."""
    counted: dict[str, int] = {}
    for top in (ROOT, ROOT.parent / "tools", ROOT.parent / "benchmarks"):
        for path in top.rglob("*"):
            if path.suffix in (".py", ".js", ".css") and path.name != "__init__.py":
                folder = path.parent.relative_to(ROOT.parent).as_posix()
                counted[folder] = counted.get(folder, 0) + 1
    return counted


def lines_per_file() -> dict[str, int]:
    base = ROOT.parent
    tops = ("colony_jupyter", "tests", "tools", "benchmarks")
    paths = [path for top in tops for ending in ("py", "js") for path in (base / top).rglob(f"*.{ending}")]
    return {path.relative_to(base).as_posix(): len(path.read_text("utf-8").splitlines()) for path in paths}


@pytest.mark.parametrize(
    ("count", "limit", "exceptions"),
    [
        pytest.param(files_per_folder, FILES_PER_FOLDER, {}, id="files per folder"),
        pytest.param(lines_per_file, LINES_PER_FILE, LARGE_FILES, id="lines per file"),
    ],
)
def test_folders_and_files_stay_small(count, limit, exceptions):
    sizes = count()
    too_large = {name: size for name, size in sizes.items() if size > exceptions.get(name, limit)}
    assert too_large == {}, f"at most {limit}: split it"
    needless = {name for name in exceptions if sizes.get(name, 0) <= limit}
    assert needless == set(), "remove these from the exceptions"


# Folders whose every module has its own test file, at the same path below tests/unit.
MIRRORED = ("channels", "client", "executor", "notebook", "server")


def has_tests(path: Path) -> bool:
    return path.is_file() and re.search(r"^ *(async )?def test_", path.read_text("utf-8"), re.MULTILINE) is not None


def test_every_module_has_its_test_file():
    modules = [path.relative_to(ROOT) for top in MIRRORED for path in (ROOT / top).rglob("*.py")]
    tests = ROOT.parent / "tests" / "unit"
    missing = [
        path.as_posix()
        for path in modules
        if path.name != "__init__.py" and not has_tests(tests / path.parent / f"test_{path.name}")
    ]
    assert missing == [], "add tests/unit/<folder>/test_<module>.py"


def test_importing_the_package_loads_nothing_heavy():
    heavy = ("ipywidgets", "aiohttp", "websockets", "cryptography", "anywidget", "IPython", "starlette", "uvicorn")
    program = f"import sys, colony_jupyter; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == "[]"


def test_loading_the_extension_does_not_load_the_client_or_the_panes():
    later = (
        "client.colony",
        "client.blocking",
        "wire.messages",
        "notebook.views.base",
        "notebook.formats.tables",
        "doctor",
    )
    program = (
        "import sys; from IPython.core.interactiveshell import InteractiveShell as Shell; "
        "Shell.instance().run_line_magic('load_ext', 'colony_jupyter'); "
        f"print([name for name in {later!r} if f'colony_jupyter.{{name}}' in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.splitlines()[-1] == "[]"
