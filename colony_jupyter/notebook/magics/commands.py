"""Operands and options of each magic. The parser, the help and the completion all use these tables."""

from __future__ import annotations

import argparse
import keyword
from typing import Final

from colony_jupyter.notebook.magics.parser import Command, Operand

PID: Final = Operand("PID", "a variable that holds a process, an id, or the beginning of an id")
CHANNEL: Final = Operand("CHANNEL", "name of a channel of the process")


def seconds(text: str) -> float:
    """Read a time in seconds."""
    number = float(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"'{text}' must not be negative")
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
        "Connect to a server. With no arguments: the server in ColonyOS's environment variables, otherwise the "
        "embedded colony. Colony() without settings, and executors started afterwards, use the same connection.",
        [Operand("HOST:PORT", "address of the server", required=False)],
    )
    command.option("--colony", metavar="NAME", help="name of the colony")
    command.option("--tls", action=argparse.BooleanOptionalAction, default=None, help="use TLS, or do not")
    command.option("--embedded", action="store_true", help="use the embedded colony and ignore the environment")
    command.option("--ask", action="store_true", help="ask for the keys, without displaying them")
    return command


def _submit(name: str, *, cell: bool) -> Command:
    operands = [
        Operand("FUNCNAME", "name of the function"),
        Operand(
            "ARG",
            "an argument: JSON, which may hold blanks, otherwise text; $name passes the object of a variable",
            required=False,
            many=True,
        ),
    ]
    command = Command(
        name,
        "Submit a function. The cell holds its spec, in JSON."
        if cell
        else "Submit a function and show its progress live. Returns the process.",
        [] if cell else operands,
    )
    several = {"nargs": "+", "action": "extend"}
    command.option(
        "--kw",
        wire="kwargs",
        metavar="KEY=VALUE",
        help="named arguments; values are read like ARG",
        type=_as_it_is,
        **several,
    )
    command.option("--channel", metavar="NAME", help="channels of the process", **several)
    command.option(
        "--type",
        wire="executortype",
        metavar="EXECUTORTYPE",
        help="type of executor (default: the only type that offers FUNCNAME)",
    )
    command.option(
        "--executor", wire="executornames", metavar="NAME", help="assign the process to these executors only", **several
    )
    command.option("--wait", action="store_true", help="wait until the process ends; raise an error if it fails")
    command.option("--quiet", action="store_true", help="show no pane")
    command.option("--no-sync", action="store_true", help="the executor does not wait until the pane has read all")
    command.option("--maxexectime", metavar="S", type=int, help="seconds the process may run; -1 for no limit")
    command.option(
        "--maxwaittime", metavar="S", type=int, help="seconds the process may wait for an executor; -1 for no limit"
    )
    command.option("--maxretries", metavar="N", type=int, help="number of new attempts after maxexectime has passed")
    command.option("--priority", metavar="N", type=int, help="processes with a higher priority are assigned first")
    command.option("--label", metavar="TEXT", help="text by which the process can be found")
    command.option("--env", metavar="K=V", help="environment variables for the executor", **several)
    command.option("-o", metavar="VAR", dest="variable", type=variable, help="also assign the process to a variable")
    return command


def _chat() -> Command:
    command = Command(
        "%%colony_chat",
        "Send the cell as a message and wait for the answer. Without FUNCNAME: in the latest conversation.",
        [Operand("FUNCNAME", "name of the chat function", required=False)],
    )
    command.option(
        "--type",
        wire="executortype",
        metavar="EXECUTORTYPE",
        help="type of executor (default: the only type that offers FUNCNAME)",
    )
    command.option("--channel", metavar="NAME", default="chat", help="channel of the conversation (default: chat)")
    command.option("--pid", wire="processid", metavar="PID", help="continue with this running process")
    command.option("--new", action="store_true", help="start a new conversation")
    command.option("--timeout", metavar="S", type=seconds, help="seconds to wait for the answer")
    command.option("--no-pane", action="store_true", help="show plain text, without a text box")
    command.option(
        "-o", metavar="VAR", dest="variable", type=variable, help="assign the text of the answer to a variable"
    )
    return command


def _of_process(name: str, summary: str, *more: Operand, text: Operand | None = None) -> Command:
    return Command(f"%colony {name}", summary, [PID, *more], text=text)


def _table(command: Command) -> Command:
    """Add the option of commands whose value is a table."""
    command.option("-o", metavar="VAR", dest="table", type=variable, help="also assign the table to a variable")
    return command


SUBMIT: Final = _submit("%colony submit", cell=False)
SUBMIT_CELL: Final = _submit("%%colony submit", cell=True)
CHAT: Final = _chat()

LINES: Final[dict[str, Command]] = {
    "status": Command("%colony status", "Show the connection, the identity, and the activity of the colony."),
    "connect": _connect(),
    "submit": SUBMIT,
    "ps": _table(Command("%colony ps", "List the newest processes.")),
    "executors": _table(Command("%colony executors", "List the colony's executors.")),
    "functions": _table(Command("%colony functions", "List the functions that executors offer.")),
    "workflows": _table(Command("%colony workflows", "List the newest workflows.")),
    "get": _table(_of_process("get", "Show the details of a process.")),
    "log": _table(_of_process("log", "List the log lines of a process.")),
    "read": _table(_of_process("read", "List the entries of a channel of a process.", CHANNEL)),
    "watch": _of_process(
        "watch",
        "Show a process live, with a text box for its channels. Without CHANNEL: all channels.",
        Operand("CHANNEL", CHANNEL.help, required=False, many=True),
    ),
    "send": _of_process(
        "send",
        "Send an entry on a channel of a process.",
        CHANNEL,
        text=Operand("TEXT", "text to send, exactly as typed"),
    ),
    "cancel": _of_process("cancel", "Cancel a process."),
    "doctor": Command(
        "%colony doctor", "Check settings, server, keys and channels, and report each problem with its remedy."
    ),
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
            "       %%colony_chat [FUNCNAME]  (the cell holds the message)",
            "",
            *lines,
            "",
            "Each command has --help.",
        ]
    )
