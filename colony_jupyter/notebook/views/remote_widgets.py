"""States of widgets of remote kernels, for a page that is loaded again.

The page then asks the local kernel for the states of all widgets at once. ipywidgets answers for its own; those of
remote kernels, whose comms pass through here, are added.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TARGET: Final = "jupyter.widget.control"
_ABOUT: Final = ("model_name", "model_module", "model_module_version")


class _State:
    """The state of one widget: values by their names, and binary parts by their paths."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.buffers: dict[tuple[str | int, ...], bytes] = {}

    def update(self, data: Mapping[str, Any], buffers: Sequence[bytes]) -> None:
        state, paths = data.get("state") or {}, [tuple(path) for path in data.get("buffer_paths") or []]
        changed = {*state, *(path[0] for path in paths if path)}
        self.buffers = {path: buffer for path, buffer in self.buffers.items() if path[0] not in changed}
        self.values = {name: value for name, value in self.values.items() if name not in changed} | state
        self.buffers |= dict(zip(paths, map(bytes, buffers), strict=False))


class RemoteStates:
    """The states of widgets of remote kernels, by the ids of their comms."""

    def __init__(self) -> None:
        self._states: dict[str, _State] = {}

    def opened(self, number: str, data: Mapping[str, Any], buffers: Sequence[bytes]) -> None:
        """Note a new widget."""
        self._states[number] = _State()
        self._states[number].update(data, buffers)

    def changed(self, number: str, data: Mapping[str, Any], buffers: Sequence[bytes]) -> None:
        """Note a message of a widget, in any direction, which may change its state."""
        if data.get("method") == "update" and number in self._states:
            self._states[number].update(data, buffers)

    def closed(self, number: str) -> None:
        """Forget a widget."""
        self._states.pop(number, None)

    def added_to(self, data: dict[str, Any], buffers: Sequence[bytes]) -> tuple[dict[str, Any], list[bytes]]:
        """Return the answer to the page with these states added.

        Args:
            data: the answer of ipywidgets.
            buffers: its binary parts.
        """
        states, paths, parts = dict(data.get("states", {})), list(data.get("buffer_paths", [])), list(buffers)
        for number, state in self._states.items():
            about = {name: state.values.get(f"_{name}") for name in _ABOUT}
            states[number] = {**about, "state": state.values}
            for path, buffer in state.buffers.items():
                paths.append([number, "state", *path])
                parts.append(buffer)
        return {**data, "states": states, "buffer_paths": paths}, parts

    def answer_pages(self) -> None:
        """Answer pages from now on, in the place of ipywidgets."""
        from comm import get_comm_manager  # noqa: PLC0415 - for widgets only
        from ipywidgets.widgets.widget import Widget  # noqa: PLC0415 - it registers its own answer when it is imported

        def opened(comm: Any, message: dict[str, Any]) -> None:
            Widget.handle_control_comm_opened(_Control(comm, self), message)  # type: ignore[no-untyped-call]

        get_comm_manager().register_target(_TARGET, opened)


class _Control:
    """A page's comm, as ipywidgets uses it."""

    def __init__(self, comm: Any, remote: RemoteStates) -> None:
        self._comm = comm
        self._remote = remote
        self.on_msg = comm.on_msg

    def send(self, data: dict[str, Any], buffers: Sequence[bytes] = ()) -> None:
        if data.get("method") == "update_states":
            data, buffers = self._remote.added_to(data, buffers or ())
        self._comm.send(data, buffers=list(buffers))
