"""Every type of docs/values.md goes through a real server, and arrives as it does from the embedded colony."""

from __future__ import annotations

import uuid

import pytest
from value_cases import check_round_trips, offer_values

import colony_jupyter as cj

pytestmark = pytest.mark.live


def test_every_documented_type_goes_both_ways():
    executor = cj.Executor(f"values-{uuid.uuid4().hex[:10]}-x")
    offer_values(executor)
    executor.start()
    with cj.Colony() as colony:

        def submit(name, *args, **options):
            return colony.submit(name, *args, executortype=executor.executortype, **options)

        try:
            check_round_trips(submit)
        finally:
            name = executor.name
            executor.stop()
            colony.remove_executor(name)
