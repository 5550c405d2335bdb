"""Attributes and log lines: who may add them, what is found, what is refused."""

from __future__ import annotations

import pytest

from colony_jupyter.server.errors import Refused
from colony_jupyter.wire import messages as m
from colony_jupyter.wire.models import Attribute, AttributeType


async def test_order_of_checks_in_lists_of_log_lines(world):
    message = m.GetLogs(colonyname="dev", processid="0" * 64, count=501)
    assert await world.refusal(message, "ann") == (500, "Failed to get logs, process does not exist")
    message = m.GetLogs(colonyname="dev", processid=await world.submit("ann"), count=501)
    assert await world.refusal(message, "ann") == (403, "Count exceeds max log count (500)")


async def test_attributes_are_for_the_executor_to_add_and_while_it_runs(world):
    for name in ("one", "two"):
        await world.executor(name)
    pid = await world.submit()

    async def add(who, key="k"):
        attribute = Attribute(targetid=pid, attributetype=AttributeType.OUT, key=key, value="v")
        return await world.call(m.AddAttribute(attribute=attribute), who)

    with pytest.raises(Refused, match="Failed to add attribute, process is not running"):
        await add("one")
    assigned = (await world.assign("one"))["assignedexecutorid"]
    for who in ("two", "ann"):
        with pytest.raises(Refused, match=f"only executor with id <{assigned}> is allowed to set attributes"):
            await add(who)
    assert (await add("one"))["value"] == "v"
    with pytest.raises(Refused, match="there already"):
        await add("one")
    await world.call(m.CloseSuccessful(processid=pid), "one")
    with pytest.raises(Refused, match="Failed to add attribute, process is not running"):
        await add("one", "another")


async def test_environment_that_is_added_later_is_seen_in_the_spec(world):
    await world.executor("one")
    processid = await world.submit("ann", env={"OLD": "1"})
    await world.assign("one")
    for kind, key in ((AttributeType.ENV, "NEW"), (AttributeType.OUT, "OTHER")):
        attribute = Attribute(targetid=processid, targetcolonyname="dev", attributetype=kind, key=key, value="2")
        await world.call(m.AddAttribute(attribute=attribute), "one")
    await world.restart()
    assert (await world.get(processid))["spec"]["env"] == {"OLD": "1", "NEW": "2"}


async def test_search_of_logs(world):
    await world.executor("one")
    pid = await world.submit()
    await world.assign("one")
    lines = ["step 1 of 2", "Step 2 of 2", "50% done", "a*b[c]?", "line\nbreak"]
    for line in lines:
        await world.call(m.AddLog(processid=pid, message=line), "one")

    async def search(text: str) -> list[str]:
        found = await world.call(m.SearchLogs(colonyname="dev", text=text, days=1, count=100), "ann")
        return [each["message"] for each in found or []]

    assert await search("step") == lines[:1]
    assert await search("tep _ of") == lines[:2]
    assert await search("s%2") == lines[:1]
    assert await search("") == lines
    assert await search("*b[c]?") == lines[3:4]
    assert await search("line%break") == lines[4:]
    assert await search("2%1") == []


async def test_log_lines_of_a_process_and_of_an_executor_are_separate(world):
    await world.executor("one")
    pid = await world.submit()
    await world.assign("one")
    await world.call(m.AddLog(processid=pid, message="of the process"), "one")
    await world.call(m.AddExecutorLog(colonyname="dev", executorname="one", message="of the executor"), "one")

    async def lines(**members):
        return [line["message"] for line in await world.call(m.GetLogs(colonyname="dev", count=9, **members), "ann")]

    assert await lines(processid=pid) == ["of the process"]
    assert await lines(executorname="one") == ["of the process", "of the executor"]


async def test_the_latest_or_the_oldest_lines_are_given_oldest_first(world):
    await world.executor("one")
    pid = await world.submit()
    await world.assign("one")
    for number in range(5):
        await world.call(m.AddLog(processid=pid, message=str(number)), "one")

    async def lines(**members):
        message = m.GetLogs(colonyname="dev", processid=pid, **members)
        return await world.call(message, "ann")

    assert [line["message"] for line in await lines(count=2)] == ["0", "1"]
    assert [line["message"] for line in await lines(count=2, latest=True)] == ["3", "4"]
    since = (await lines(count=5))[2]["timestamp"]
    assert [line["message"] for line in await lines(count=5, since=since)] == ["3", "4"]
    assert await lines(count=5, since=since + 10**12) is None
    assert await lines(count=0) is None


async def test_who_may_not_add_log_lines(world):
    for name in ("one", "two"):
        await world.executor(name)
    pid = await world.submit()
    line = m.AddLog(processid=pid, message="x")
    assert await world.refusal(line, "one") == (403, "Failed to set output, process is not running")  # trap 32
    await world.assign("one")
    only = (403, "Failed to add log, not allowed to add log, only the assigned Executor may att logs")
    for who in ("two", "ann"):
        assert await world.refusal(line, who) == only
    absent = m.AddLog(processid="0" * 64, message="x")
    assert await world.refusal(absent, "one") == (500, "Failed to add log, process is nil")
    another = m.AddExecutorLog(colonyname="dev", executorname="two", message="x")
    assert await world.refusal(another, "one") == (403, "Failed to add executor log, executor name mismatch")
    assert await world.refusal(another, "ann") == (403, "Failed to add executor log, executor not found")
    assert (await world.refusal(m.AddLog(processid=pid, message="\0"), "one"))[0] == 400


@pytest.mark.parametrize(
    ("message", "refusal"),
    [
        (
            m.GetLogs(colonyname="dev", executorname="none", count=1),
            (500, "Failed to get logs, executor does not exist"),
        ),
        (m.SearchLogs(colonyname="dev", text="x", days=1, count=101), (400, "Count exceeds max log count (100)")),
        (m.SearchLogs(colonyname="dev", text="x", days=31, count=1), (400, "Count exceeds max day count (30)")),
        (m.GetAttribute(attributeid="0" * 64), (400, "Attribute does not exists")),
        (m.AddAttribute(), (400, "Failed to add attribute, attribute is nil")),
        (m.AddAttribute(attribute=Attribute(targetid="0")), (404, "Failed to add attribute, process not found")),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_what_cannot_be_found_or_added_is_refused(world, message, refusal):
    assert await world.refusal(message, "ann") == refusal


async def test_an_attribute_of_an_unknown_type_is_refused(world):
    await world.executor("one")
    pid = await world.submit()
    await world.assign("one")
    message = m.AddAttribute(attribute=Attribute(targetid=pid, attributetype=9, key="k"))
    assert await world.refusal(message, "one") == (400, "Failed to add attribute, invalid attributetype")


async def test_an_attribute_is_found_by_its_id_also_once_its_process_has_closed(world):
    await world.executor("one")
    pid = await world.submit()
    await world.assign("one")
    given = Attribute(targetid=pid, attributetype=AttributeType.OUT, key="k", value="v")
    attributeid = (await world.call(m.AddAttribute(attribute=given), "one"))["attributeid"]
    for _ in range(2):
        found = await world.call(m.GetAttribute(attributeid=attributeid), "ann")
        assert (found["targetid"], found["key"], found["value"]) == (pid, "k", "v")
        await world.call(m.CloseSuccessful(processid=pid), "one")


async def test_a_search_without_a_count_finds_nothing(world):
    assert await world.call(m.SearchLogs(colonyname="dev", text="", days=1, count=0), "ann") is None
