"""Operands and options of each magic. The parser, the help and the completion all use these tables."""

from __future__ import annotations

import argparse
import keyword
import math
from typing import Any, Final

from colony_jupyter.notebook.magics.parser import Command, Operand

_SEVERAL: Final[dict[str, Any]] = {"nargs": "+", "action": "extend"}
PID: Final = Operand("PID", "a variable that holds a process, an id, or the beginning of an id")
CHANNEL: Final = Operand("CHANNEL", "name of a channel of the process")


def seconds(text: str) -> float:
    """Read a time in seconds."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"'{text}' must not be negative")
    return number


def variable(text: str) -> str:
    """Read the name of a variable."""
    if not text.isidentifier() or keyword.iskeyword(text):
        raise argparse.ArgumentTypeError(f"'{text}' cannot be the name of a variable")
    return text


def _as_it_is(word: str) -> str:
    """Record whether a word was quoted: ``$name`` in quotes is no variable."""
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
    command.option("--tls", action=argparse.BooleanOptionalAction, default=None, help="whether to use TLS")
    command.option("--embedded", action="store_true", help="use the embedded colony and ignore the environment")
    command.option("--ask", action="store_true", help="ask for the keys, without showing them")
    return command


def _submit(name: str, *, cell: bool) -> Command:
    operands = [
        Operand("FUNCNAME", "name of the function"),
        Operand(
            "ARG",
            "an argument: JSON (which may contain spaces), otherwise text; $name passes the value of a variable",
            required=False,
            many=True,
        ),
    ]
    command = Command(
        name,
        "Submit a function. The cell holds its function spec, in the JSON of ColonyOS's command line."
        if cell
        else "Submit a function and show its progress live. Returns the process.",
        [] if cell else operands,
    )
    _add_submission(command)
    return command


def _execute() -> Command:
    command = Command(
        "%%colony execute",
        "Run the cell, a shell script, in a container, on executors that offer the function execute, such as those of "
        "ColonyOS for Docker, Kubernetes and Slurm. Its output is in the log of the process.",
        [Operand("IMAGE", "container image, such as ubuntu:24.04")],
    )
    command.option("--rebuild-image", action="store_true", help="let the executor build the image again")
    _add_submission(command)
    return command


def _add_submission(command: Command) -> None:
    """Add the options of all commands that submit one process and show it."""
    _add_kwargs(command)
    command.option("--channel", metavar="NAME", help="channels of the process", **_SEVERAL)
    _add_type(command)
    _add_conditions(command)
    command.option("--wait", action="store_true", help="wait until the process ends; raise an error if it fails")
    command.option("--quiet", action="store_true", help="show no pane")
    command.option("--no-sync", action="store_true", help="let the process end before the pane has read all entries")
    command.option("--maxexectime", metavar="S", type=int, help="seconds the process may run; -1 for no limit")
    command.option(
        "--maxwaittime", metavar="S", type=int, help="seconds the process may wait for an executor; -1 for no limit"
    )
    command.option("--maxretries", metavar="N", type=int, help="how often to run it again when maxexectime has passed")
    command.option("--priority", metavar="N", type=int, help="processes with a higher priority are assigned first")
    command.option("--label", metavar="TEXT", help="text by which the process can be found")
    command.option("--env", metavar="K=V", help="environment variables for the executor", **_SEVERAL)
    command.option("-o", metavar="VAR", dest="variable", type=variable, help="also assign the process to a variable")


def _add_kwargs(command: Command) -> None:
    command.option(
        "--kw",
        wire="kwargs",
        metavar="KEY=VALUE",
        help="named arguments: JSON, otherwise text; $name passes the value of a variable",
        type=_as_it_is,
        **_SEVERAL,
    )


def _add_type(command: Command) -> None:
    command.option(
        "--type",
        wire="executortype",
        metavar="EXECUTORTYPE",
        help="type of executor (default: the only type that offers the function)",
    )
    command.option(
        "--executor",
        wire="executornames",
        metavar="NAME",
        help="assign the process to these executors only",
        **_SEVERAL,
    )


def _add_conditions(command: Command) -> None:
    """Add ColonyOS's conditions: what a process asks of its executor."""
    command.option("--nodes", metavar="N", type=int, help="number of nodes")
    command.option("--processes", metavar="N", type=int, help="number of operating-system processes")
    command.option(
        "--processes-per-node", wire="processespernode", metavar="N", type=int, help="number of processes on each node"
    )
    command.option("--cpu", metavar="AMOUNT", help="processor, in thousandths of a core: 500m is half a core")
    command.option("--mem", metavar="AMOUNT", help="memory, such as 512Mi or 2Gi")
    command.option("--gpu", metavar="N", type=int, help="number of GPUs")
    command.option("--gpu-name", metavar="NAME", help="model of the GPUs")
    command.option("--walltime", metavar="S", type=int, help="seconds to reserve in a batch system")
    command.option("--location", wire="locationname", metavar="NAME", help="only executors at this location")


def _workflow(name: str, *, cell: bool) -> Command:
    command = Command(
        name,
        "Submit a workflow. The cell holds it in JSON: a list of function specs, as for ColonyOS's command line."
        if cell
        else "Show a workflow live, as a graph. Returns its run.",
        []
        if cell
        else [Operand("WORKFLOW", "a variable that holds a workflow's run, an id, or the beginning of an id")],
    )
    command.option("--wait", action="store_true", help="wait until it ends; raise an error if it fails")
    if cell:
        command.option("--quiet", action="store_true", help="show no pane")
    command.option("-o", metavar="VAR", dest="variable", type=variable, help="also assign the run to a variable")
    return command


def _chat() -> Command:
    command = Command(
        "%%colony_chat",
        "Send the cell as a message and wait for the answer. Without FUNCNAME: in the latest conversation.",
        [Operand("FUNCNAME", "name of the chat function", required=False)],
    )
    _add_kwargs(command)
    _add_type(command)
    _add_conditions(command)
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


def _ps() -> Command:
    command = Command("%colony ps", "List the newest processes.")
    command.option(
        "--state", metavar="STATE", help="only those in this state: waiting, running, success, failed or cancelled"
    )
    command.option("--label", metavar="TEXT", help="only those with this label")
    command.option("--function", wire="funcname", metavar="FUNCNAME", help="only those of this function")
    command.option("--type", wire="executortype", metavar="EXECUTORTYPE", help="only those for this type of executor")
    command.option("--mine", action="store_true", help="only those that this user or executor submitted")
    command.option("--count", metavar="N", type=int, default=100, help="list at most so many (default: 100)")
    return command


def _plot() -> Command:
    command = _of_process("plot", "Plot the numbers of a channel live.", CHANNEL)
    command.option(
        "--x",
        metavar="KEY",
        help="x axis: a key of the entries, entry (number of the entry) or time (default: step, epoch or entry)",
    )
    command.option("--y", metavar="KEY", help="keys to plot (default: all)", **_SEVERAL)
    return command


def _log() -> Command:
    command = Command(
        "%colony log",
        "List log lines: of a process, of an executor, or all that contain a text.",
        [Operand("PID", PID.help, required=False)],
    )
    command.option("--follow", action="store_true", help="show the lines of the process live, until it ends")
    command.option("--search", metavar="TEXT", help="list the lines that contain a text; %% and _ are wildcards")
    command.option("--days", metavar="N", type=int, help="with --search: days to search, up to 30 (default: 1)")
    command.option(
        "--executor", metavar="NAME", help="list the lines of this executor, with --search those that contain the text"
    )
    return command


def _top() -> Command:
    command = Command(
        "%colony top",
        "Show the colony live: executors, processes by state, new and waiting ones, workflows.",
    )
    command.option("--follow", action="store_true", help="in a terminal: print it every 2 s, until an interrupt")
    return command


def _kernel(name: str, summary: str, *operands: Operand) -> Command:
    """Make a command about a kernel on an executor."""
    command = Command(name, summary, operands)
    command.option(
        "--type",
        wire="executortype",
        metavar="EXECUTORTYPE",
        help="type of executor (default: that of the kernel used last, otherwise the only type with kernels)",
    )
    command.option("--executor", wire="executornames", metavar="NAME", help="only these executors", **_SEVERAL)
    return command


def _kernels() -> Command:
    command = _kernel("%colony kernels", "List the kernels on executors; start, choose or end one for %%colony run.")
    command.option("--new", action="store_true", help="start a new kernel, and use it from now on")
    command.option("--attach", metavar="PID", help="use the kernel of this process from now on")
    command.option("--stop", metavar="PID", help="end the kernel of this process")
    return command


NAMES: Final = Operand("NAME", "name of a variable", many=True)


def _table(command: Command) -> Command:
    """Add the option of commands whose value is a table."""
    command.option("-o", metavar="VAR", dest="table", type=variable, help="also assign the table to a variable")
    return command


SUBMIT: Final = _submit("%colony submit", cell=False)
SUBMIT_CELL: Final = _submit("%%colony submit", cell=True)
WORKFLOW_CELL: Final = _workflow("%%colony workflow", cell=True)
EXECUTE: Final = _execute()
RUN_CELL: Final = _kernel(
    "%%colony run", "Run the cell in a kernel on an executor. Its variables stay there for the next cells."
)
CHAT: Final = _chat()

LINES: Final[dict[str, Command]] = {
    "status": Command("%colony status", "Show the connection, the identity, and the activity of the colony."),
    "connect": _connect(),
    "submit": SUBMIT,
    "ps": _table(_ps()),
    "top": _top(),
    "executors": _table(Command("%colony executors", "List the colony's executors.")),
    "functions": _table(Command("%colony functions", "List the functions that executors offer.")),
    "workflows": _table(Command("%colony workflows", "List the newest workflows.")),
    "workflow": _workflow("%colony workflow", cell=False),
    "get": _table(_of_process("get", "Show the details of a process.")),
    "log": _table(_log()),
    "read": _table(_of_process("read", "List the entries of a channel of a process.", CHANNEL)),
    "watch": _of_process(
        "watch",
        "Show a process live, with a text box for its channels. Without CHANNEL: all channels, and its log.",
        Operand("CHANNEL", CHANNEL.help, required=False, many=True),
    ),
    "plot": _plot(),
    "send": _of_process(
        "send",
        "Send an entry on a channel of a process.",
        CHANNEL,
        text=Operand("TEXT", "text to send, exactly as typed"),
    ),
    "cancel": _of_process("cancel", "Cancel a process or a workflow."),
    "push": _kernel("%colony push", "Copy variables of the notebook to the kernel on an executor.", NAMES),
    "pull": _kernel("%colony pull", "Copy variables of the kernel on an executor to the notebook.", NAMES),
    "kernels": _table(_kernels()),
    "doctor": Command(
        "%colony doctor", "Check settings, server, keys and channels, and report each problem with its remedy."
    ),
}
"""The subcommands of ``%colony``."""

CELLS: Final[dict[str, Command]] = {
    "submit": SUBMIT_CELL,
    "execute": EXECUTE,
    "workflow": WORKFLOW_CELL,
    "run": RUN_CELL,
}
"""The subcommands of ``%%colony``."""


def overview() -> str:
    """Return the help of ``%colony`` itself."""
    width = max(map(len, LINES))
    lines = [f"  {name.ljust(width)}  {command.summary}" for name, command in LINES.items()]
    return "\n".join(
        [
            "usage: %colony [COMMAND] ...     (without a command: status)",
            "       %%colony submit [options] (the cell holds a function spec in JSON)",
            "       %%colony workflow         (the cell holds a list of function specs in JSON)",
            "       %%colony execute IMAGE    (the cell holds a shell script that runs in a container)",
            "       %%colony run [options]    (the cell runs in a kernel on an executor)",
            "       %%colony_chat [FUNCNAME]  (the cell holds the message)",
            "",
            *lines,
            "",
            "Each command has --help.",
        ]
    )
