"""Imports point down only (docs/architecture.md), and importing the package stays cheap."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = "colony_jupyter"
ROOT = Path(__file__).parents[2] / PACKAGE

# What each floor may know of the house. A floor may always know itself.
BELOW: dict[str, set[str]] = {
    "errors": set(),
    "wire": {"errors"},
    "values": {"errors", "wire"},
    "channels": {"errors", "wire"},
    "datafolder": {"errors", "wire"},
    "server": {"errors", "wire", "datafolder"},
    "embedded": {"errors", "wire", "datafolder"},
    "settings": {"errors", "wire", "embedded"},
    "client": {"errors", "wire", "values", "channels", "settings", "embedded"},
    "executor": {"errors", "wire", "values", "datafolder", "channels", "settings", "client"},
    "doctor": {"errors", "wire", "datafolder", "channels", "settings", "embedded", "client"},
    "testing": {"errors", "wire", "datafolder", "settings", "embedded", "client"},
    "notebook": {"errors", "wire", "values", "channels", "settings", "embedded", "client", "executor", "doctor"},
    "cli": {
        "errors",
        "wire",
        "datafolder",
        "settings",
        "server",
        "embedded",
        "client",
        "executor",
        "doctor",
        "notebook",
    },
    "__main__": {"cli"},
    # Public names, handed out lazily; nobody below imports them from there.
    "__init__": {"errors", "wire", "settings", "embedded", "client", "executor", "notebook"},
}

# For the names of types alone: an error that carries an entry says so.
TYPES_ONLY = {("errors", "wire")}

_CLOCKS = {"asyncio", "time", "threading", "socket", "selectors", "random", "secrets", "select", "anyio"}
_FACES = {"IPython", "ipywidgets", "anywidget", "ipykernel", "traitlets", "jupyterlab", "comm"}
_SOCKETS = {"socket", "httpx", "httpcore", "websockets", "requests", "starlette", "uvicorn"}
_SOCKETS |= {"urllib.request", "http.client", "http.server"}

# What each floor may not know of the world.
FOREIGN: dict[str, set[str]] = {
    "errors": _CLOCKS | _FACES | _SOCKETS,
    "wire": _CLOCKS | _FACES | _SOCKETS,
    "values": _CLOCKS | _FACES | _SOCKETS,
    "channels": _CLOCKS | _FACES | _SOCKETS,
    "settings": _FACES | _SOCKETS,
    "datafolder": _FACES | {"asyncio", "starlette", "uvicorn", "httpx", "websockets", "sqlite3"},
    "server": _FACES | {"httpx", "requests"},
    "embedded": _FACES | {"starlette", "uvicorn", "sqlite3"},
    "client": _FACES | {"starlette", "uvicorn", "sqlite3"},
    "executor": _FACES | _SOCKETS,
    "notebook": _SOCKETS,
}


class Import(NamedTuple):
    where: str
    floor: str
    target: str
    types_only: bool


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def read_imports(source: str, where: str, floor: str) -> list[Import]:
    """Every import of a module's source, inside functions too, as full names of modules."""
    found: list[Import] = []

    def visit(node: ast.AST, *, types_only: bool) -> None:
        at = f"{where}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Import):
            found.extend(Import(at, floor, alias.name, types_only) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if module == PACKAGE:  # `from colony_jupyter import client`
                found.extend(Import(at, floor, f"{PACKAGE}.{alias.name}", types_only) for alias in node.names)
            else:
                dots = "." * node.level
                found.extend(Import(at, floor, f"{dots}{module}.{alias.name}", types_only) for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                found.append(Import(at, floor, first.value, types_only))
        for child in ast.iter_child_nodes(node):
            inside = types_only or (_is_type_checking(node) and child in getattr(node, "body", []))
            visit(child, types_only=inside)

    visit(ast.parse(source), types_only=False)
    return found


def complaint(found: Import) -> str | None:
    """Why an import may not be, or None."""
    if found.target.startswith("."):
        return f"{found.where}: relative import of {found.target}"
    top, _, rest = found.target.partition(".")
    if top != PACKAGE:
        banned = [name for name in FOREIGN.get(found.floor, ()) if f"{found.target}.".startswith(f"{name}.")]
        if banned and not found.types_only:
            return f"{found.where}: {found.floor} may not know {banned[0]}"
        return None
    floor = rest.partition(".")[0]
    if floor in ("", "__version__") or floor == found.floor or floor in BELOW[found.floor]:
        return None
    if found.types_only and (found.floor, floor) in TYPES_ONLY:
        return None
    return f"{found.where}: {found.floor} may not import {found.target}, which is above or beside it"


def floor_of(path: Path) -> str:
    inside = path.relative_to(ROOT)
    return inside.parts[0] if len(inside.parts) > 1 else inside.stem


MODULES = sorted(ROOT.rglob("*.py"))


def test_every_module_has_its_floor():
    assert {floor_of(path) for path in MODULES} <= BELOW.keys()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_point_down(path):
    imports = read_imports(path.read_text("utf-8"), path.relative_to(ROOT.parent).as_posix(), floor_of(path))
    assert [why for found in imports if (why := complaint(found))] == []


def test_the_magics_only_parse_and_call_actions():
    """Of the package they know the notebook's own modules, the errors and the settings, not what does the work."""
    for path in (ROOT / "notebook" / "magics").glob("magics*.py"):
        imports = read_imports(path.read_text("utf-8"), path.name, "notebook")
        ours = {found.target for found in imports if found.target.startswith(PACKAGE) and not found.types_only}
        allowed = (f"{PACKAGE}.notebook", f"{PACKAGE}.errors", f"{PACKAGE}.settings")
        assert {name for name in ours if not name.startswith(allowed)} == set()


@pytest.mark.parametrize(
    ("floor", "source", "fault"),
    [
        ("wire", "import asyncio", "may not know asyncio"),
        ("wire", "def f():\n    from colony_jupyter.client import x", "may not import colony_jupyter.client"),
        ("wire", "from colony_jupyter import server", "may not import colony_jupyter.server"),
        ("server", "import colony_jupyter.client.transport", "may not import colony_jupyter.client.transport"),
        ("embedded", "import importlib; importlib.import_module('colony_jupyter.server.app')", "may not import"),
        ("client", "import IPython.display", "may not know IPython"),
        ("notebook", "import websockets", "may not know websockets"),
        ("notebook", "from urllib import request", "may not know urllib.request"),
        ("notebook", "from socket import socket", "may not know socket"),
        ("client", "from . import x", "relative import"),
        ("client", "if TYPE_CHECKING:\n    from colony_jupyter.notebook import pane", "may not import"),
        ("client", "if TYPE_CHECKING:\n    pass\nelse:\n    import IPython", "may not know IPython"),
    ],
)
def test_an_edge_that_points_up_is_found(floor, source, fault):
    (why,) = [why for found in read_imports(source, "somewhere.py", floor) if (why := complaint(found))]
    assert fault in why


@pytest.mark.parametrize(
    ("floor", "source"),
    [
        ("client", "from colony_jupyter.wire.models import Entry"),
        ("wire", "from colony_jupyter.wire import models"),
        ("errors", "if TYPE_CHECKING:\n    from colony_jupyter.wire.models import Entry"),
        ("wire", "import hashlib"),
        ("executor", "from urllib.parse import quote"),
        ("cli", "from colony_jupyter import __version__"),
    ],
)
def test_an_edge_that_points_down_is_not(floor, source):
    assert [why for found in read_imports(source, "somewhere.py", floor) if (why := complaint(found))] == []


def test_importing_the_package_pulls_nothing_heavy():
    heavy = ("ipywidgets", "httpx", "websockets", "cryptography", "anywidget", "IPython", "starlette", "uvicorn")
    program = f"import sys, colony_jupyter; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == "[]"


def test_loading_the_extension_leaves_the_client_and_the_panes_for_later():
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
