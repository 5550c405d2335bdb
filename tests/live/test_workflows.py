"""Workflows on a real server: the tests of `tests/unit/client/workflows/test_run.py`."""

from __future__ import annotations

import flows
import pytest
import real_executors

import colony_jupyter as cj

pytestmark = pytest.mark.live


@pytest.fixture
def executor():
    with real_executors.running(flows.make_executor()) as executor:
        yield executor


def test_twenty_processes_on_three_levels(executor):
    with cj.Colony() as colony:
        flows.check_success(colony, executor.executortype)


def test_a_failure_names_the_process_that_failed_first(executor):
    with cj.Colony() as colony:
        flows.check_failure(colony, executor.executortype)


def test_only_the_whole_is_cancelled():
    with cj.Colony() as colony:
        flows.check_cancel(colony)
