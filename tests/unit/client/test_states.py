"""States of processes, given by name or number."""

from __future__ import annotations

import pytest

from colony_jupyter.client.colony import AsyncColony
from colony_jupyter.errors import UsageError
from colony_jupyter.settings import resolve


@pytest.mark.parametrize("state", ["runing", 9, "", None])
async def test_an_unknown_state_is_refused_with_the_known_ones(state, tmp_path):
    colony = AsyncColony(resolve({}, data=tmp_path))
    for call in (colony.processes(state), colony.subscribe_process("0" * 64, state, 1)):
        with pytest.raises(UsageError, match=r"is not the state of a process\. The states are: waiting \(0\), run"):
            await call
