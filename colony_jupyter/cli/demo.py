"""``colony-jupyter demo``: the tutorial's streaming and chat examples, played in the terminal."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Any, Final

from colony_jupyter import __version__
from colony_jupyter.cli.arguments import Command, no_arguments, write
from colony_jupyter.errors import ColonyError, UsageError

if TYPE_CHECKING:
    import argparse

    from colony_jupyter.client.blocking import Colony
    from colony_jupyter.executor.context import Context
    from colony_jupyter.executor.executor import Executor

_TYPE: Final = "colony-jupyter-demo"
_STEPS: Final = 10
_STEP_SECONDS: Final = 0.3
_LIMIT: Final = 30.0
"""Seconds for each reply and each result."""
_OUTPUT: Final = "Task completed!"
_OTHERWISE: Final = "I received your message!"
_ANSWERS: Final = {"Hello": "Hello! How can I help you?", "Goodbye": "Goodbye! Have a great day!"}
_MESSAGES: Final = ("Hello", "How are you?", "Goodbye")
_BAR: Final = "   {percentage:3.0f}%|{bar:30}| {unit}"
_NEXT: Final = """
Everything works. Next:
  colony-jupyter lab      the tutorial in JupyterLab (`make lab` in a checkout)
  colony-jupyter doctor   check a connection to a ColonyOS server
  colony-jupyter --help   all commands
In a notebook, start with `%load_ext colony_jupyter` and `%colony --help`."""


def _run(_: argparse.Namespace) -> int:
    from colony_jupyter.client.blocking import Colony  # noqa: PLC0415 - see the package's docstring
    from colony_jupyter.executor.executor import Executor  # noqa: PLC0415
    from colony_jupyter.settings import current  # noqa: PLC0415

    settings = current()
    write(f"colony_jupyter {__version__}: {settings.describe()}")
    if not settings.is_embedded and settings.colony_prvkey is None:
        raise UsageError(
            "The demo adds an executor to the colony and needs the colony's key for it: set COLONIES_COLONY_PRVKEY, or "
            "unset COLONIES_SERVER_HOST to play the demo on the embedded colony."
        )
    executor = Executor(_TYPE, settings=settings)
    executor.function("long-task")(_long_task)
    executor.function("chat")(_chat)
    executor.start()
    try:
        with Colony(settings) as colony:
            _streaming(colony, executor)
            _conversation(colony, executor)
    finally:
        executor.stop()
    write(_NEXT)
    return 0


async def _long_task(context: Context, steps: int) -> str:
    import asyncio  # noqa: PLC0415 - see the package's docstring

    progress = context.channel("progress")
    for step in range(1, steps + 1):
        await asyncio.sleep(_STEP_SECONDS)
        await progress.send(f"Processing step {step}/{steps}")
    await progress.end()
    return _OUTPUT


async def _chat(context: Context) -> None:
    channel = context.channel("chat")
    async for message in channel:
        if message.sequence % 2:  # the even entries are the executor's own
            await channel.send(_ANSWERS.get(message.text, _OTHERWISE), inreplyto=message.sequence)


def _streaming(colony: Colony, executor: Executor) -> None:
    write("\n1. Streaming: the function `long-task` sends an entry for each step on the channel 'progress'.")
    process = colony.submit("long-task", _STEPS, channels=["progress", "sync"], **_assigned_to(executor))
    bar = _Bar(_STEPS)
    try:
        received = [bar.show(entry.text) for entry in process.channel("progress")]
        output = process.result(timeout=_LIMIT)
    finally:
        bar.close()
    _expect("the entries", received, [f"Processing step {step}/{_STEPS}" for step in range(1, _STEPS + 1)])
    _expect("the output", output, _OUTPUT)
    write(f"   SUCCESS: {output}")


def _conversation(colony: Colony, executor: Executor) -> None:
    write("\n2. Chat: the function `chat` answers each message on the channel 'chat'.")
    process = colony.submit("chat", channels=["chat", "sync"], **_assigned_to(executor))
    channel = process.channel("chat")
    for message in _MESSAGES:
        write(f"   you: {message}")
        answer = channel.ask(message, timeout=_LIMIT).text
        write(f"   bot: {answer}")
        _expect("the answer", answer, _ANSWERS.get(message, _OTHERWISE))
    channel.end()
    process.result(timeout=_LIMIT)
    write("   SUCCESS")


def _assigned_to(executor: Executor) -> dict[str, Any]:
    """Return options that prevent the executor of another demo from receiving the process."""
    return {"executortype": _TYPE, "executornames": [executor.name], "maxwaittime": int(_LIMIT)}


def _expect(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise ColonyError(
            f"The demo failed: {what} should be {expected!r}, and {found!r} arrived. Run `colony-jupyter doctor`."
        )


class _Bar:
    """A progress bar that is rewritten in place on a terminal, and a line per step elsewhere."""

    def __init__(self, total: int) -> None:
        from tqdm import tqdm  # noqa: PLC0415 - see the package's docstring

        self._done = 0
        self._total = total
        self._tqdm = tqdm
        self._bar: Any = None
        if sys.stdout.isatty():
            # Without a monitor interval tqdm starts no thread. Where a terminal reports a size of 0, tqdm alone would
            # draw nothing.
            quiet = type("quiet", (tqdm,), {"monitor_interval": 0})
            width, height = shutil.get_terminal_size()
            self._bar = quiet(total=total, file=sys.stdout, bar_format=_BAR, ncols=width - 1, nrows=height)

    def show(self, text: str) -> str:
        """Advance by one step, with its text beside the bar; returns the text."""
        self._done += 1
        if self._bar is None:
            write(self._tqdm.format_meter(self._done, self._total, 0, ascii=True, bar_format=_BAR, unit=text))
        else:
            self._bar.n = self._done
            self._bar.unit = text
            self._bar.refresh()
        return text

    def close(self) -> None:
        """Leave the bar as it is, and continue below it."""
        if self._bar is not None:
            self._bar.close()


COMMAND: Final = Command(
    name="demo",
    help="play the tutorial's examples in this terminal, in less than ten seconds",
    description="Play the tutorial's streaming and chat examples in this terminal, in less than ten seconds and "
    "without a browser: on the embedded colony, or on the server that ColonyOS's environment variables name. The exit "
    "status is 0 only if everything works.",
    add_arguments=no_arguments,
    run=_run,
)
