"""The entry in Jupyter's menus: a kernelspec whose program is the proxy. It holds no key."""

from __future__ import annotations

import itertools
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from colony_jupyter.errors import UsageError
from colony_jupyter.settings import COLONY, HOST, PORT, TLS
from colony_jupyter.wire.models import ExecutorState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from colony_jupyter.client.colony import AsyncColony
    from colony_jupyter.settings import Settings
    from colony_jupyter.wire.models import ExecutorRecord

_PROGRAM: Final = "colony_jupyter.kernels"
_NAME: Final = re.compile(r"[a-z0-9._-]+", re.IGNORECASE)


class Installed(NamedTuple):
    """A kernelspec that was written.

    Attributes:
        name: its name.
        display_name: its name in menus.
        folder: where it is.
        trusted: names of the executors that may run it.
    """

    name: str
    display_name: str
    folder: str
    trusted: list[str]


async def install(
    colony: AsyncColony,
    executortype: str,
    *,
    executors: Sequence[str] = (),
    name: str = "",
    display_name: str = "",
    kernel: str = "",
    language: str = "python",
) -> Installed:
    """Write a kernelspec for the user.

    The executors of the type that are members now are the ones that are trusted: no other gets code.

    Args:
        colony: the colony, as the user.
        executortype: type of executor.
        executors: names of executors; empty for all of the type.
        name: name of the kernelspec; by default made of the type.
        display_name: its name in menus.
        kernel: name of the kernel on the executor; empty for the executor's choice.
        language: its language.

    Raises:
        UsageError: if there is no such executor, or the name is none for a kernelspec.
    """
    from jupyter_client.kernelspec import KernelSpecManager  # noqa: PLC0415 - imports much

    name = name or f"colony-{executortype}"
    if not _NAME.fullmatch(name):
        raise UsageError(f"'{name}' cannot be the name of a kernelspec: use letters, digits, '.', '_' and '-'.")
    trusted = _choose(await colony.executors(), executortype, executors)
    display_name = (
        display_name or f"{'Python 3' if language == 'python' else kernel or language} ({executortype}, ColonyOS)"
    )
    spec = {
        "argv": [
            *(sys.executable, "-m", _PROGRAM, "-f", "{connection_file}"),
            *("--type", executortype, "--language", language),
            *(word for each in executors for word in ("--executor", each)),
            *(["--kernel", kernel] if kernel else []),
            *(word for each in trusted for word in ("--trust", each.executorid)),
        ],
        "display_name": display_name,
        "language": language,
        "interrupt_mode": "signal",
        "env": _environment(colony.settings),
        "metadata": {"debugger": language == "python"},
    }
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "kernel.json").write_text(json.dumps(spec, indent=1), "utf-8")
        place = KernelSpecManager().install_kernel_spec(folder, name, user=True)
    return Installed(name, display_name, place, [each.executorname for each in trusted])


def trusted_ids(executortype: str) -> list[str]:
    """Return the ids of the executors of a type that installed kernels trust."""
    from jupyter_client.kernelspec import KernelSpecManager  # noqa: PLC0415 - imports much

    found: set[str] = set()
    for spec in KernelSpecManager().get_all_specs().values():
        argv: list[str] = spec["spec"].get("argv", [])
        pairs = list(itertools.pairwise(argv))
        if _PROGRAM in argv and ("--type", executortype) in pairs:
            found |= {value for option, value in pairs if option == "--trust"}
    return sorted(found)


def _choose(known: Sequence[ExecutorRecord], executortype: str, names: Sequence[str]) -> list[ExecutorRecord]:
    suitable = [each for each in known if each.executortype == executortype and each.state is ExecutorState.APPROVED]
    found = [each for each in suitable if not names or each.executorname in names]
    missing = [name for name in names if name not in {each.executorname for each in found}]
    if missing or not found:
        what = f"named '{missing[0]}'" if missing else f"of type '{executortype}'"
        there = ", ".join(sorted({each.executorname for each in suitable})) or "none"
        raise UsageError(
            f"The colony has no approved executor {what}, so there is none to trust with the kernel's code. Of type "
            f"'{executortype}' there are: {there}. Start one there first: colony-jupyter kernel serve --type "
            f"{executortype}"
        )
    return found


def _environment(settings: Settings) -> dict[str, str]:
    """Return the variables that name the server: the user's key comes from the environment of Jupyter."""
    if settings.is_embedded:
        return {}
    return {
        HOST: settings.host,
        PORT: str(settings.port),
        TLS: str(settings.tls).lower(),
        COLONY: settings.colonyname,
    }
