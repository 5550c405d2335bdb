"""What each magic takes: its words and options. Reading, help and completion all go by these tables."""

from __future__ import annotations

import argparse
import keyword
from typing import Final

from colony_jupyter.notebook.magics.parser import Command, Operand

PID: Final = Operand("PID", "a variable that holds a process, an id, or the beginning of an id")
CHANNEL: Final = Operand("CHANNEL", "name of one of its channels")


def seconds(text: str) -> float:
    """Read a time in seconds."""
    number = float(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"'{text}' is less than nothing")
    return number


def variable(text: str) -> str:
    """Read the name of a variable."""
    if not text.isidentifier() or keyword.iskeyword(text):
        raise argparse.ArgumentTypeError(f"'{text}' cannot be the name of a variable")
    return text


def _as_it_is(word: str) -> str:
    """Keep whether a word was quoted: ``$name`` in quotes is no variable."""
    return word


seconds.__name__ = "number of seconds"  # argparse names the function in its messages


def _connect() -> Command:
    command = Command(
        "%colony connect",
        "Connect to a server; without words to the one that ColonyOS's environment variables name, else to the "
        "embedded colony. Colony() and the like without settings, and executors started from now on, go there too.",
        [Operand("HOST:PORT", "address of the server", required=False)],
    )
    command.option("--colony", metavar="NAME", help="name of the colony")
    command.option("--tls", action=argparse.BooleanOptionalAction, default=None, help="whether to speak TLS")
    command.option("--embedded", action="store_true", help="the embedded colony, whatever the environment says")
    command.option("--ask", action="store_true", help="ask for the keys, without showing them")
    return command


def _submit(name: str, *, cell: bool) -> Command:
    operands = [
        Operand("FUNCNAME", "name of the function"),
        Operand("ARG", "argument: JSON, else text; $name passes the object of a variable", required=False, many=True),
    ]
    command = Command(
        name,
        "Submit a function whose spec is the cell's body, in JSON."
        if cell
        else "Submit a function and show it as it goes on; the value is its process.",
        [] if cell else operands,
    )
    several = {"nargs": "+", "action": "extend"}
    command.option("--kw", metavar="KEY=VALUE", help="named arguments, read as ARG", type=_as_it_is, **several)
    command.option("--channel", metavar="NAME", help="channels the process has", **several)
    command.option("--type", metavar="EXECUTORTYPE", help="type of executor; else the one that offers FUNCNAME")
    command.option("--executor", metavar="NAME", help="only these executors may take it", **several)
    command.option("--wait", action="store_true", help="wait for its end; an error if it fails")
    command.option("--quiet", action="store_true", help="no pane")
    command.option("--maxexectime", metavar="S", type=int, help="seconds it may run; -1 for no limit")
    command.option("--maxwaittime", metavar="S", type=int, help="seconds it may wait for an executor; -1 for no limit")
    command.option("--maxretries", metavar="N", type=int, help="how often it is started anew when it ran too long")
    command.option("--priority", metavar="N", type=int, help="the higher the sooner")
    command.option("--label", metavar="TEXT", help="a word to find it by")
    command.option("--env", metavar="K=V", help="variables for the executor", **several)
    command.option("-o", metavar="VAR", dest="variable", type=variable, help="keep the process in a variable, too")
    return command


def _chat() -> Command:
    command = Command(
        "%%colony_chat",
        "Say what the cell holds and wait for the answer; without FUNCNAME the latest conversation goes on.",
        [Operand("FUNCNAME", "name of the function to talk to", required=False)],
    )
    command.option("--type", metavar="EXECUTORTYPE", help="type of executor; else the one that offers FUNCNAME")
    command.option("--channel", metavar="NAME", default="chat", help="channel to talk on (chat)")
    command.option("--pid", metavar="PID", help="talk to this running process")
    command.option("--new", action="store_true", help="begin a new conversation")
    command.option("--timeout", metavar="S", type=seconds, help="seconds to wait for the answer")
    command.option("--no-pane", action="store_true", help="plain text, and no text box")
    command.option("-o", metavar="VAR", dest="variable", type=variable, help="keep the answer's text in a variable")
    return command


def _of_process(name: str, summary: str, *more: Operand, text: Operand | None = None) -> Command:
    return Command(f"%colony {name}", summary, [PID, *more], text=text)


SUBMIT: Final = _submit("%colony submit", cell=False)
SUBMIT_CELL: Final = _submit("%%colony submit", cell=True)
CHAT: Final = _chat()

LINES: Final[dict[str, Command]] = {
    "status": Command("%colony status", "Say where this is connected, as whom, and what goes on there."),
    "connect": _connect(),
    "submit": SUBMIT,
    "ps": Command("%colony ps", "List the newest processes."),
    "executors": Command("%colony executors", "List the colony's executors."),
    "functions": Command("%colony functions", "List the functions that executors offer."),
    "workflows": Command("%colony workflows", "List the newest workflows."),
    "get": _of_process("get", "Show what is known of a process."),
    "log": _of_process("log", "List the log lines of a process."),
    "read": _of_process("read", "List what is in a channel of a process now.", CHANNEL),
    "watch": _of_process(
        "watch",
        "Show a process as it goes on, with a text box for its channels; without CHANNEL all of them.",
        Operand("CHANNEL", CHANNEL.help, required=False, many=True),
    ),
    "send": _of_process(
        "send",
        "Send an entry on a channel of a process.",
        CHANNEL,
        text=Operand("TEXT", "what to send, as typed"),
    ),
    "cancel": _of_process("cancel", "Cancel a process."),
    "doctor": Command("%colony doctor", "Check settings, server, keys and channels; say what is wrong and what to do."),
}
"""The subcommands of ``%colony``."""


def overview() -> str:
    """Give the help of ``%colony`` itself."""
    width = max(map(len, LINES))
    lines = [f"  {name.ljust(width)}  {command.summary}" for name, command in LINES.items()]
    return "\n".join(
        [
            "usage: %colony [COMMAND] ...     (without a command: status)",
            "       %%colony submit [options] (the cell holds a function spec in JSON)",
            "       %%colony_chat [FUNCNAME]  (the cell holds what to say)",
            "",
            *lines,
            "",
            "Each has --help.",
        ]
    )
