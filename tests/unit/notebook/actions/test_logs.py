"""Log lines of processes and executors, as `%colony log` lists them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from colony_jupyter.errors import UsageError
from colony_jupyter.notebook.actions import logs
from colony_jupyter.notebook.magics import commands
from colony_jupyter.wire.limits import MAX_FOUND_LOGS, MAX_LOGS
from colony_jupyter.wire.models import Log

PID = "424d6828" + "0" * 56
LINE = commands.LINES["log"]


def line(message, timestamp=1, executorname="one"):
    return Log(processid=PID, colonyname="dev", executorname=executorname, message=message, timestamp=timestamp)


class Colony:
    """A colony that has these log lines and the executors one and two."""

    def __init__(self, *lines) -> None:
        self.lines = list(lines)
        self.asked = []

    async def executors(self):
        return [SimpleNamespace(executorname=name) for name in ("one", "two")]

    async def logs(self, *arguments, **options):
        self.asked.append((arguments, options))
        return self.lines

    async def search_logs(self, text, *, days):
        self.asked.append((text, days))
        return self.lines


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("", "What to list"),
        ("p --search x", "A PID cannot be combined"),
        ("p --executor one", "A PID cannot be combined"),
        ("--executor one --follow", "--follow needs a PID"),
        ("--follow", "--follow needs a PID"),
        ("p --days 3", "--days belongs to --search"),
        ('--search ""', "--search needs a text"),
        ("--search x --days 0", "--days must be from 1 to 30, not 0"),
        ("--search x --days 31", "--days must be from 1 to 30, not 31"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(words, sentence):
    with pytest.raises(UsageError, match=sentence):
        logs.check(LINE.read(words))


@pytest.mark.parametrize("words", ["p", "p --follow", "--executor one", "--search x", "--search x --days 30"])
def test_options_that_fit_are_accepted(words):
    logs.check(LINE.read(words))


@pytest.mark.parametrize(("number", "noted"), [(3, False), (MAX_LOGS, True)])
async def test_a_log_that_is_longer_than_a_list_is_named_so(number, noted):
    colony = Colony(*(line(str(each), each) for each in range(number)))
    table = await logs.of_process(SimpleNamespace(colony=colony, processid=PID))
    assert colony.asked == [((PID,), {"latest": True})]
    assert ("`%colony log 424d6828 --follow` shows all." in repr(table)) is noted
    table = await logs.of_executor(colony, "one")
    assert (f"The newest {MAX_LOGS} lines." in repr(table)) is noted


async def test_an_unknown_executor_is_refused_with_the_nearest_name():
    with pytest.raises(UsageError, match=r"no executor 'tow'\. Did you mean 'two'"):
        await logs.of_executor(Colony(), "tow")
    with pytest.raises(UsageError, match="`%colony executors` lists them"):
        await logs.of_executor(Colony(), "something else")


async def test_found_lines_are_listed_oldest_first_and_of_one_executor_where_it_is_named():
    colony = Colony(line("second", 2), line("first", 1), line("other", 3, "two"))
    text = repr(await logs.search(colony, "x", 1, None))
    assert text.index("first") < text.index("second") < text.index("other")
    assert "other" not in repr(await logs.search(colony, "x", 1, "one"))
    assert colony.asked[0] == ("x", 1)


@pytest.mark.parametrize(("days", "words"), [(1, "last day"), (30, "last 30 days")])
async def test_a_search_in_vain_names_the_days(days, words):
    assert f"No log line of the {words} contains the text." in repr(await logs.search(Colony(), "x", days, None))


async def test_a_search_that_is_cut_off_is_named_so():
    colony = Colony(*(line(str(each), each) for each in range(MAX_FOUND_LOGS)))
    assert "search for a longer text" in repr(await logs.search(colony, "x", 1, None))
