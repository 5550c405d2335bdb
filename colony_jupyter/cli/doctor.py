"""``colony-jupyter doctor``: diagnosis of the connection to a colony."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from colony_jupyter.cli.arguments import Command, no_arguments, write

if TYPE_CHECKING:
    import argparse


def _run(_: argparse.Namespace) -> int:
    from colony_jupyter import doctor  # noqa: PLC0415 - see the package's docstring
    from colony_jupyter.client.portal import PORTAL  # noqa: PLC0415

    report = PORTAL.run(doctor.examine)
    write(repr(report))
    return report.exit_status


COMMAND: Final = Command(
    name="doctor",
    help="diagnose the connection to a colony",
    description="Check settings, server, keys, membership and channels, and report each problem with its remedy. The "
    "exit status is 1 if a check fails. The checks leave nothing in the colony.",
    add_arguments=no_arguments,
    run=_run,
)
