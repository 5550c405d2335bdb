"""Moves variables between a program and its kernel on an executor."""

from __future__ import annotations

import asyncio
import inspect
import uuid
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter.errors import UsageError
from colony_jupyter.kernels import transfer

if TYPE_CHECKING:
    from collections.abc import Callable

    from colony_jupyter.kernels.remote import Message, RemoteKernel

_SETUP: Final = """
import sys as _sys, types as _types
_module = _sys.modules["_colony_values"] = _types.ModuleType("_colony_values")
exec(compile({source!r}, "<colony_jupyter values>", "exec"), vars(_module))
_module.serve(get_ipython(), __import__("comm").get_comm_manager())
del _sys, _types, _module
"""
_SECONDS: Final = 1.0
"""Seconds after which it is checked whether the kernel still runs."""
_AHEAD: Final = 4
"""Messages that are sent before the first of them is confirmed."""


class Values:
    """The variables of a kernel.

    Args:
        kernel: the kernel; one of IPython's.
    """

    def __init__(self, kernel: RemoteKernel) -> None:
        self._kernel = kernel
        self._is_set_up = False
        self._comms: dict[str, asyncio.Queue[Message]] = {}

    def hear(self, message: Message) -> bool:
        """Accept a message of the kernel, if it is about a variable."""
        queue = self._comms.get(str(message.content.get("comm_id")))
        if queue is not None:
            queue.put_nowait(message)
        return queue is not None

    async def push(self, name: str, value: Any, progress: Callable[[int, int], None]) -> int:
        """Set a variable of the kernel; returns the bytes that were sent.

        Args:
            name: its name.
            value: its value.
            progress: called with the bytes that have arrived, and all of them.

        Raises:
            UsageError: if the value cannot be moved.
            KernelGone: if the kernel ends.
        """
        try:
            kind, data = transfer.encode(value, name)
        except TypeError as error:
            raise UsageError(str(error)) from None
        number, heard = await self._open({"push": name, "kind": kind, "size": len(data)})
        try:
            await self._next(heard, name)
            sent = confirmed = 0
            for piece in transfer.pieces(data) or [b""]:
                self._kernel.send("comm_msg", {"comm_id": number, "data": {}}, {}, [piece])
                sent += 1
                if sent - confirmed >= _AHEAD:
                    progress((await self._next(heard, name))["received"], len(data))
                    confirmed += 1
            while confirmed < sent:
                progress((await self._next(heard, name))["received"], len(data))
                confirmed += 1
        finally:
            self._close(number)
        return len(data)

    async def pull(self, name: str, progress: Callable[[int, int], None]) -> Any:
        """Return the value of a variable of the kernel.

        Args:
            name: its name.
            progress: called with the bytes that have arrived, and all of them.

        Raises:
            UsageError: if there is none, or its value cannot be moved.
            KernelGone: if the kernel ends.
        """
        number, heard = await self._open({"pull": name})
        try:
            about = await self._next(heard, name)
            receiving = transfer.Receiving(str(about["kind"]), int(about["size"]))
            while receiving.received < receiving.size:
                message = await self._message(heard)
                for buffer in message.buffers:
                    receiving.feed(buffer)
                progress(receiving.received, receiving.size)
        finally:
            self._close(number)
        try:
            return receiving.value()
        except TypeError as error:
            raise UsageError(f"'{name}' cannot be received: {error}.") from None

    async def _open(self, data: dict[str, Any]) -> tuple[str, asyncio.Queue[Message]]:
        if not self._is_set_up:
            source = inspect.getsource(transfer)
            reply = await self._kernel.execute(_SETUP.format(source=source), lambda _: None, silent=True)
            if reply.content.get("status") != "ok":
                raise UsageError(
                    f"Variables can be moved to and from Python kernels only: {reply.content.get('evalue')}"
                )
            self._is_set_up = True
        number = uuid.uuid4().hex
        queue = self._comms[number] = asyncio.Queue()
        self._kernel.send("comm_open", {"comm_id": number, "target_name": transfer.TARGET, "data": data}, {}, [])
        return number, queue

    def _close(self, number: str) -> None:
        del self._comms[number]
        self._kernel.send("comm_close", {"comm_id": number, "data": {}}, {}, [])

    async def _next(self, heard: asyncio.Queue[Message], name: str) -> dict[str, Any]:
        data: dict[str, Any] = (await self._message(heard)).content.get("data", {})
        if "error" in data:
            raise UsageError(f"'{name}' cannot be moved: {str(data['error']).removesuffix('.')}.")
        return data

    async def _message(self, heard: asyncio.Queue[Message]) -> Message:
        """Wait for the next message; as long as the kernel lives, since it may be executing something."""
        while True:
            try:
                async with asyncio.timeout(_SECONDS):
                    return await heard.get()
            except TimeoutError:
                if self._kernel.gone is not None:
                    raise self._kernel.gone.with_traceback(None) from None
