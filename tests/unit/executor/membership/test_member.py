"""What an executor's calls show about its membership."""

from __future__ import annotations

import random

import pytest

from colony_jupyter import AsyncColony
from colony_jupyter.errors import AccessDenied
from colony_jupyter.executor.membership.member import MemberColony
from colony_jupyter.wire.identity import PrivateKey
from colony_jupyter.wire.models import ProcessState


@pytest.fixture
async def joined(settings):
    """Return a user, an approved executor's colony, and a list that grows with each call that shows it expelled."""
    key, calls = PrivateKey.generate(random.randbytes), []
    name = f"member-{key.id[:12]}"
    member = MemberColony(settings, key, lambda: calls.append(1))
    async with AsyncColony(settings) as user, member:
        await user.add_executor(name, key.id, name)
        await user.approve_executor(name)
        yield user, member, name, calls


async def test_a_refusal_of_any_call_shows_that_the_executor_is_no_member(joined):
    user, member, name, calls = joined
    await member.processes(ProcessState.RUNNING)
    assert member.expelled is None
    await user.remove_executor(name)
    with pytest.raises(AccessDenied) as refused:
        await member.processes(ProcessState.RUNNING)
    assert (member.expelled, calls) == (refused.value, [1])


async def test_another_refusal_shows_nothing(joined):
    user, member, name, calls = joined
    process = await user.submit("work", executortype=name)
    with pytest.raises(AccessDenied):
        await member.add_log(process.processid, "of another's process")
    assert (member.expelled, calls) == (None, [])
