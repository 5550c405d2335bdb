"""The page's side: its modules can be joined into one, and pass their own tests."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

from colony_jupyter.notebook import static

ROOT = Path(__file__).parents[3]
FOLDER = Path(static.__file__).parent


def test_every_module_is_joined():
    assert sorted([*static.MODULES, "loader.js"]) == sorted(
        path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.js")
    )


def test_modules_import_only_those_before_them():
    for at, name in enumerate(static.MODULES):
        imported = re.findall(r'^import .* from "(\..*)";$', (FOLDER / name).read_text(), re.MULTILINE)
        found = {((FOLDER / name).parent / each).resolve().relative_to(FOLDER).as_posix() for each in imported}
        assert found <= set(static.MODULES[:at])


def test_names_are_unique_across_the_modules():
    names = re.findall(r"^(?:async )?(?:const|let|function|class) (\w+)", static.script(), re.MULTILINE)
    assert [name for name, count in Counter(names).items() if count > 1] == []


def test_the_joined_script_imports_and_exports_nothing_but_the_pane():
    assert not re.search(r"^import ", static.script(), re.MULTILINE)
    assert re.findall(r"^export .*", static.script(), re.MULTILINE) == ["export default () => {"]


def test_html_comes_from_one_place_only():
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(", static.script()) == [
        "innerHTML"
    ]


def test_its_own_tests():
    command = [Path(sys.executable).with_name("deno"), "test", "--no-check", "--allow-read", "tests/js"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
