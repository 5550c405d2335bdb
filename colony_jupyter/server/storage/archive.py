"""Closed processes: on disk only, and read from there, so that memory and start do not grow with what is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from colony_jupyter.server.state.records import Process
from colony_jupyter.server.storage.loop_reader import LoopReader

if TYPE_CHECKING:
    from colony_jupyter.server.storage.group_commit import Writer
    from colony_jupyter.wire.models import ProcessState

_FIELDS: Final = (
    "id, colonyname, state, ended, place, submitted, executortype, label, initiatorid, initiatorname, executorid, "
    "workflowid, data"
)
_LATEST: Final = 2**63 - 1  # that a column can hold
_MARKS: Final = ", ".join("?" * len(_FIELDS.split(",")))


class Archive(LoopReader):
    """The closed processes of all colonies.

    What is put into it is found once it is on disk, what is removed not from that moment on. It is read by the
    event loop itself: by indexes, in some ten microseconds.

    Args:
        writer: writes to the file.
    """

    def __init__(self, writer: Writer) -> None:
        super().__init__()
        self._writer = writer
        self._removed: set[str] = set()  # and on disk still
        self._decoder = msgspec.json.Decoder(Process)

    def forget_removals(self) -> None:
        """Read the state from disk again: the last statements could not be written."""
        self._removed.clear()

    # writing

    def put(self, process: Process) -> None:
        """Move a closed process here from the other objects."""
        self._writer.execute("DELETE FROM objects WHERE kind = 'process' AND id = ?", process.processid)
        # Not "or replace", for which SQLite fires no trigger of the deletion.
        self._writer.execute("DELETE FROM closed WHERE id = ?", process.processid)
        self._writer.execute(
            f"INSERT INTO closed ({_FIELDS}) VALUES ({_MARKS})",  # noqa: S608 - names of ours
            process.processid,
            process.colonyname,
            int(process.state),
            process.ended,
            process.order,
            process.submitted,
            process.executortype,
            process.spec.label,
            process.initiatorid,
            process.initiatorname,
            process.executorid,
            process.workflowid,
            msgspec.json.encode(process),
        )
        self._writer.execute("DELETE FROM attributes WHERE processid = ?", process.processid)
        for attribute in process.attributes:
            self._writer.execute("INSERT INTO attributes VALUES (?, ?)", attribute.attributeid, process.processid)

    def remove(self, processid: str) -> None:
        """Delete a process, which need not be here."""
        self._writer.execute("DELETE FROM closed WHERE id = ?", processid)
        self._writer.execute("DELETE FROM attributes WHERE processid = ?", processid)
        self._removed.add(processid)
        self._writer.after(lambda: self._removed.discard(processid))

    # reading

    def get(self, processid: str) -> Process | None:
        """Find a process."""
        return next(iter(self._found("id = ?", processid, most=1)), None)

    def with_attribute(self, attributeid: str) -> Process | None:
        """Find the process that has an attribute."""
        where = "id = (SELECT processid FROM attributes WHERE id = ?)"
        return next(iter(self._found(where, attributeid, most=1)), None)

    def latest(self, colonyname: str, state: ProcessState, most: int, **values: str) -> list[Process]:
        """Return the processes of a state that ended last, and have certain ``values``."""
        where = " AND ".join(["colonyname = ?", "state = ?", *(f"{name} = ?" for name in values)])
        return self._found(where, colonyname, int(state), *values.values(), most=most)

    def submitted_since(self, colonyname: str, state: ProcessState, time: int, executorid: str) -> list[Process]:
        """Return the processes of a state that were submitted since a time, and ran on an executor if one is named."""
        # They ended later than that, by which there is an index; or failed along with others, at no time.
        where = (
            "colonyname = ? AND state = ? AND (ended >= ? OR ended = 0) AND submitted >= ? AND ? IN ('', executorid)"
        )
        time = max(0, min(time, _LATEST))
        return self._found(where, colonyname, int(state), time, time, executorid)

    def ids(self, colonyname: str, state: ProcessState, *, members: bool) -> list[str]:
        """Return the ids of the processes of a state, with or without members of workflows."""
        rows = self._rows(
            "SELECT id FROM closed WHERE colonyname = ? AND state = ? AND (? OR workflowid = '')",
            colonyname,
            int(state),
            members,
        )
        return [processid for (processid,) in rows if processid not in self._removed]

    def ended_before(self, colonyname: str, state: ProcessState, time: int, most: int) -> list[str]:
        """Return the ids of some processes of a state, no members of workflows, that ended before a time."""
        rows = self._rows(
            "SELECT id FROM closed WHERE colonyname = ? AND state = ? AND ended < ? AND workflowid = '' LIMIT ?",
            colonyname,
            int(state),
            time,
            most + len(self._removed),
        )
        return [processid for (processid,) in rows if processid not in self._removed][:most]

    def _found(self, where: str, *values: Any, most: int | None = None) -> list[Process]:
        rows = self._rows(
            f"SELECT id, data FROM closed WHERE {where} ORDER BY ended DESC, place DESC LIMIT ?",  # noqa: S608 - likewise
            *values,
            -1 if most is None else most + len(self._removed),
        )
        found = [self._decoder.decode(data) for processid, data in rows if processid not in self._removed]
        return found if most is None else found[:most]
