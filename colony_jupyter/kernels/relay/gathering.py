"""How long messages of a kernel wait for those that follow: most cells then need one entry, not one after another.

The kernel reports that it is busy as soon as a request arrives, a few milliseconds before all the rest of a short cell.
An entry for that alone would be on its way when the rest comes, which has to wait for its end: a round trip to the
server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from colony_jupyter.kernels.relay.messages import header_of, parent_of

if TYPE_CHECKING:
    from colony_jupyter.kernels.relay.framing import Item

LONG: Final = 0.03
"""Seconds to wait while there is nothing to show."""
SHORT: Final = 0.003
"""Seconds to wait once there is."""
_REQUEST: Final = "_request"


class Gathering:
    """What came last of a kernel, and so how soon more is to be expected."""

    def __init__(self) -> None:
        self._half = ""  # request of which either the reply or the end of the output came last
        self._last = ""  # request that was sent to the kernel last, unless its output has ended
        self.patience = 0.0
        """Seconds to wait for more; 0 if what waits is complete."""

    def expect(self, request: Item) -> None:
        """Note a request that is sent to the kernel, which answers one after the other."""
        self._last = header_of(request.frames).msg_id

    def note(self, item: Item) -> None:
        """Note a message of the kernel, or a report of the executor."""
        if item.name == "shell":
            self._end(parent_of(item.frames).msg_id)
        elif item.name != "iopub":
            self.patience = 0.0
        else:
            self._note_output(header_of(item.frames).msg_type, item)

    def _note_output(self, kind: str, item: Item) -> None:
        if kind == "execute_input":
            self.patience = self.patience or LONG
        elif kind != "status":
            self.patience = SHORT
        elif b"idle" not in item.frames[-1]:
            self.patience = LONG
        else:
            parent = parent_of(item.frames)
            if parent.msg_id == self._last:
                self._last = ""
            if not parent.msg_type.endswith(_REQUEST):
                self._half = parent.msg_id  # a message of a widget has no reply
            self._end(parent.msg_id)

    def _end(self, request: str) -> None:
        """Note the reply to a request, or the end of its output; the other one and the next request follow at once."""
        is_whole = request == self._half
        self._half = "" if is_whole else request
        self.patience = SHORT if self._last or not is_whole else 0.0
