"""Calls of ColonyOS that the embedded colony knows by name and does not implement."""

from __future__ import annotations

from typing import Final

_BY_SUBJECT: Final = {
    "changes of identities": (
        "changecolonyidmsg",
        "changeexecutoridmsg",
        "changeserveridmsg",
        "changeuseridmsg",
    ),
    "blueprints": (
        "addblueprintdefinitionmsg",
        "addblueprintmsg",
        "getblueprintdefinitionmsg",
        "getblueprintdefinitionsmsg",
        "getblueprinthistorymsg",
        "getblueprintmsg",
        "getblueprintsmsg",
        "reconcileblueprintmsg",
        "removeblueprintdefinitionmsg",
        "removeblueprintmsg",
        "updateblueprintmsg",
        "updateblueprintstatusmsg",
    ),
    "crons": ("addcronmsg", "getcronmsg", "getcronsmsg", "removecronmsg", "runcronmsg"),
    "executor updates": ("reportallocationmsg", "updateexecutormsg"),
    "files": ("addfilemsg", "getfilelabelsmsg", "getfilemsg", "getfilesmsg", "removefilemsg"),
    "generators": (
        "addgeneratormsg",
        "getgeneratormsg",
        "getgeneratorsmsg",
        "packgeneratormsg",
        "removegeneratormsg",
        "resolvegeneratormsg",
    ),
    "locations": ("addlocationmsg", "getlocationmsg", "getlocationsmsg", "removelocationmsg"),
    "nodes": ("getnodemsg", "getnodesbylocationmsg", "getnodesmsg"),
    "snapshots": (
        "createsnapshotmsg",
        "getsnapshotmsg",
        "getsnapshotsmsg",
        "removeallsnapshotmsg",
        "removesnapshotmsg",
    ),
}

UNSUPPORTED: Final = {name: subject for subject, names in _BY_SUBJECT.items() for name in names}
"""Message types of ColonyOS 1.9.12 without a handler here, with the subject that the refusal names."""
