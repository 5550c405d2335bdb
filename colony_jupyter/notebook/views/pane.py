"""The live pane in a cell: one anywidget for log, progress, result and chat (docs/decisions.md).

Updates go to the page in numbered batches, those of all panes together (`shared_layout`). A page that is loaded again
gets everything from the ``snapshot`` trait, which is never assigned and so costs nothing while entries stream.
"""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any, Final, Protocol

import anywidget
import traitlets

from colony_jupyter.notebook import static
from colony_jupyter.notebook.formats.transcript_html import bundle
from colony_jupyter.notebook.model.changes import Fault, TextRefused
from colony_jupyter.notebook.model.media import image_bytes
from colony_jupyter.notebook.model.rows import BYTES, WHOLE, WINDOW
from colony_jupyter.notebook.session import cells
from colony_jupyter.notebook.session.request import current_request
from colony_jupyter.notebook.views import shared_layout
from colony_jupyter.notebook.views.base import PaneCallbacks, View
from colony_jupyter.notebook.views.codec import message
from colony_jupyter.notebook.views.missing import NOTHING
from colony_jupyter.notebook.views.page_check import PageCheck
from colony_jupyter.notebook.views.refresh_thread import SHARED, RefreshThread
from colony_jupyter.notebook.views.transcript import TranscriptOutput

if TYPE_CHECKING:
    from collections.abc import Callable

    from colony_jupyter.notebook.model.changes import Change
    from colony_jupyter.notebook.model.pane_model import Kind, Theme
    from colony_jupyter.notebook.model.rows import Row

_RENDER_RATE: Final = 200_000
"""Characters of a growing answer a second that are rendered again at most, so that a long one costs no more."""


_NUMBERS: Final = itertools.count()


class Owner(Protocol):
    """What a widget belongs to."""

    def snapshot(self) -> bytes:
        """Return all a page needs that is loaded now, as a message."""


class PaneWidget(anywidget.AnyWidget):
    """The widget itself: it carries messages and knows nothing.

    Args:
        pane: the pane it belongs to.
        kind: ``"log"``, ``"chat"``, ``"plot"``, ``"workflow"`` or ``"board"``.
        controls: names of the callbacks that there are.
        theme: ``"auto"`` for the page's own, else ``"light"`` or ``"dark"``.
    """

    _esm = static.loader()
    _css = static.style()
    script = traitlets.Unicode(static.script()).tag(sync=True)
    version = traitlets.Unicode(static.version()).tag(sync=True)
    kind = traitlets.Unicode().tag(sync=True)
    theme = traitlets.Unicode().tag(sync=True)
    controls = traitlets.List(traitlets.Unicode()).tag(sync=True)
    number = traitlets.Int().tag(sync=True)  # its own, in this kernel
    snapshot = traitlets.Any(allow_none=True).tag(sync=True, to_json=lambda _, widget: widget.pane.snapshot().decode())

    def __init__(self, pane: Owner, kind: str, controls: list[str], theme: Theme) -> None:
        self.pane = pane
        self._check: PageCheck | None = None  # None until it is shown by itself
        super().__init__(
            kind=kind, controls=controls, theme=theme, number=next(_NUMBERS), layout=shared_layout.SHARED.join()
        )
        comm = self.comm
        # ipykernel 7.4 sends a comm's messages to the thread it last published from, which for a widget made in a cell
        # is the one that runs cells: input would wait for a busy cell. Lab asks for a thread of its own, so keep that.
        if hasattr(comm, "_reply_subshell_for"):
            comm._reply_subshell_for = lambda _data, default: default  # noqa: SLF001 - there is no public way

    def show(self, refresh_thread: RefreshThread) -> None:
        """Show it in the cell that runs now, or in its place what the page lacks to show it.

        Args:
            refresh_thread: the thread that examines whether a page shows it.
        """
        self._check = PageCheck(self, self.kind, refresh_thread)
        self._check.show()

    def close(self) -> None:
        """Close the comm: the page removes what it shows."""
        if self._check is not None:
            self._check.end()
        is_open = self.comm is not None
        super().close()
        if is_open:
            shared_layout.SHARED.leave()

    def __repr__(self) -> str:
        return repr(self.pane)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        found = super()._repr_mimebundle_(**options)
        if found is None:
            return None
        data, metadata = found if isinstance(found, tuple) else (found, {})
        # Without a widget manager the transcript below shows the process, so this output shows nothing there.
        return {**data, **NOTHING}, metadata


class Pane(View):
    """A pane that people read and type into.

    Args:
        title: name of the function.
        kind: ``"log"``, ``"chat"``, ``"plot"`` or ``"workflow"``.
        callbacks: what its controls do.
        theme: ``"auto"`` for the page's own, else ``"light"`` or ``"dark"``.
        now: the clock, in Unix seconds.
        refresh_thread: the thread that writes.
    """

    def __init__(
        self,
        title: str,
        *,
        kind: Kind = "log",
        callbacks: PaneCallbacks | None = None,
        theme: Theme = "auto",
        now: Callable[[], float] = time.time,
        refresh_thread: RefreshThread = SHARED,
    ) -> None:
        super().__init__(title, kind=kind, now=now, refresh_thread=refresh_thread)
        self._now = now
        self._callbacks = callbacks or PaneCallbacks()
        controls = [name for name in PaneCallbacks.__struct_fields__ if getattr(self._callbacks, name) is not None]
        self._transcript = TranscriptOutput()
        self._is_shown = False  # by itself; a pane within another one has no transcript
        self._transcript_due = False
        self._rendered = 0.0  # when the last batch was made, by time.monotonic
        self.widget = PaneWidget(self, kind, controls, theme)
        self.widget.on_msg(self._on_message)

    def __repr__(self) -> str:
        with self._reading() as model:
            return f"<live pane of {model.title}{f' {model.record.processid[:8]}' if model.record else ''}>"

    def show(self) -> None:
        """Show the pane and its transcript in the cell that runs now, in place of those of the cell's earlier run."""
        cells.SHARED.adopt(self, current_request())
        self.widget.show(self._refresh_thread)
        with self._reading() as model:
            data = bundle(model, self._now())
        self._transcript.show(data)
        self._is_shown = True

    def snapshot(self) -> bytes:
        """Return all a page needs that is loaded now, as a message."""
        with self._reading() as model:
            return message(model.snapshot())

    def feed(self, change: Change) -> None:
        """Show a change; a text that was refused is put back where it was typed."""
        if isinstance(change, TextRefused):
            self._send({"refused": change.text, "channel": change.channel})
        super().feed(change)

    def close(self) -> None:
        """Close the comm, too: the page removes the pane."""
        super().close()
        self._transcript.close()
        self.widget.close()

    def _write(self, *, final: bool) -> float | None:
        if not final and (rest := self._rendered + self.model.chat.growing / _RENDER_RATE - time.monotonic()) > 0:
            return rest
        with self._reading() as model:
            batch = model.batch()
        self._rendered = time.monotonic()
        if batch is not None:
            shared_layout.SHARED.post(self.widget.number, message(batch))
            self._refresh_thread.at_end(shared_layout.SHARED.send)
            self._transcript_due = self._is_shown
        if self._transcript_due and (final or not self._transcript.wait()):
            self._transcript_due = False
            with self._reading() as model:
                data = bundle(model, self._now())
            self._transcript.replace(data)
        return self._transcript.wait() if self._transcript_due else None

    def _send(self, content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        if not self._closed:
            self.widget.send({}, [message(content), *(buffers or [])])

    # What the page asks for

    def _on_message(self, _widget: Any, content: Any, _buffers: Any) -> None:
        # An exception raised here would be shown nowhere.
        try:
            answer = _ANSWERS[content["do"]]
            answer(self, content)
        except Exception as error:  # noqa: BLE001 - shown in the pane
            self.feed(Fault(str(error) or type(error).__name__))

    def _do_send(self, content: dict[str, Any]) -> None:
        text = str(content["text"])
        channel = str(content["channel"])
        with self._reading() as model:
            finished = model.finished
        if finished or self._callbacks.on_send is None:
            self.feed(TextRefused(channel, text, "This pane accepts no more input."))
        else:
            try:
                self._callbacks.on_send(channel, text)
            except Exception as error:  # noqa: BLE001 - shown in the pane, with the text
                self.feed(TextRefused(channel, text, str(error) or type(error).__name__))
        self._send({"received": content["ref"]})

    def _do_call(self, content: dict[str, Any]) -> None:
        name = str(content["name"])
        callback = getattr(self._callbacks, name) if name in _CALLS else None
        if callback is not None:
            callback()
        self._send({"received": content["ref"]})

    def _do_open(self, content: dict[str, Any]) -> None:
        if self._callbacks.on_open is not None:
            self._callbacks.on_open(str(content["pid"]))
        self._send({"received": content["ref"]})

    def _do_fresh(self, content: dict[str, Any]) -> None:
        """Send everything from a row's number on, to a page that was not there, or missed something."""
        with self._reading() as model:
            fresh = model.snapshot(int(content["next"]))
        self._send({"answer": content["ref"], **fresh})

    def _do_rows(self, content: dict[str, Any]) -> None:
        """Send rows that the page lacks: by numbers, or older or newer than one."""
        channel, count = str(content.get("channel", "")), min(int(content.get("count", WINDOW)), WINDOW)
        with self._reading() as model:
            store = model.store
            if "before" in content:
                rows = store.before(int(content["before"]), count, channel)
            elif "after" in content:
                rows = store.after(int(content["after"]), count, channel)
            else:
                rows = store.between(int(content["first"]), int(content["end"]))
        self._send({"answer": content["ref"], "rows": _wire(rows)})

    def _do_search(self, content: dict[str, Any]) -> None:
        with self._reading() as model:
            count, rows = model.store.search(str(content["words"]), str(content.get("channel", "")))
        self._send({"answer": content["ref"], "rows": _wire(rows), "count": count})

    def _do_whole(self, content: dict[str, Any]) -> None:
        with self._reading() as model:
            row = model.store[int(content["row"])]
        self._send({"answer": content["ref"], "text": row.text[:WHOLE], "all": len(row.text)})

    def _do_payload(self, content: dict[str, Any]) -> None:
        with self._reading() as model:
            row = model.store[int(content["row"])]
        payload = row.entry.payload if row.entry is not None and row.form == BYTES else row.text.encode()
        self._send({"answer": content["ref"]}, [payload])

    def _do_media(self, content: dict[str, Any]) -> None:
        """Send the picture of a row, or of the result if no row is named."""
        with self._reading() as model:
            bundle = model.bundle(content.get("row"))
        self._send({"answer": content["ref"]}, [image_bytes(bundle)])

    def _do_plot(self, content: dict[str, Any]) -> None:
        """Send the points of a channel's plot that the page lacks."""
        size, bucket = int(content.get("size", 0)), int(content.get("bucket", 0))
        with self._reading() as model:
            plot, lines = model.plots.answer(str(content["channel"]), str(content["x"]), size, bucket)
        self._send({"answer": content["ref"], "plot": plot}, lines)

    def _do_lines(self, content: dict[str, Any]) -> None:
        """Send everything: as JSON Lines for a file, or as text to paste."""
        with self._reading() as model:
            if content["form"] == "json":
                text = model.store.json_lines()
            else:
                text = "".join(f"{row.who}\t{row.line}\n" for row in model.store if row.line)
        self._send({"answer": content["ref"]}, [text.encode()])


_CALLS: Final = ("on_cancel", "on_stop_waiting", "on_end_chat", "on_new_chat")
_ANSWERS: Final[dict[str, Callable[[Pane, dict[str, Any]], None]]] = {
    "send": Pane._do_send,  # noqa: SLF001 - of this very module
    "call": Pane._do_call,  # noqa: SLF001
    "open": Pane._do_open,  # noqa: SLF001
    "fresh": Pane._do_fresh,  # noqa: SLF001
    "rows": Pane._do_rows,  # noqa: SLF001
    "search": Pane._do_search,  # noqa: SLF001
    "whole": Pane._do_whole,  # noqa: SLF001
    "payload": Pane._do_payload,  # noqa: SLF001
    "media": Pane._do_media,  # noqa: SLF001
    "plot": Pane._do_plot,  # noqa: SLF001
    "lines": Pane._do_lines,  # noqa: SLF001
}


def _wire(rows: list[Row]) -> list[dict[str, Any]]:
    return [row.wire() for row in rows]
