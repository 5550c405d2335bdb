"""The form in which a server returns a spec, and which executors may run it (docs/protocol.md section 3)."""

from __future__ import annotations

import pytest

from colony_jupyter.server.errors import Refused
from colony_jupyter.server.state.spec_rules import fits, normal
from colony_jupyter.wire.models import Conditions, FunctionSpec, Gpu


def spec(**conditions):
    return FunctionSpec(funcname="f", conditions=Conditions(executortype="cli", **conditions))


def test_quantities_are_returned_in_one_unit():
    made = normal(spec(cpu="2000m", mem="1Gi", storage="", gpu=Gpu(mem="2Gi", count=1, nodecount=3)))
    conditions = made.conditions
    assert (conditions.cpu, conditions.mem, conditions.storage) == ("2000m", "1024Mi", "0Mi")
    assert (conditions.gpu.mem, conditions.gpu.count, conditions.gpu.nodecount) == ("2048Mi", 1, 0)


@pytest.mark.parametrize(("priority", "accepted"), [(50_000, True), (-50_000, True), (50_001, False), (-50_001, False)])
def test_the_priority_has_bounds(priority, accepted):
    made = FunctionSpec(funcname="f", priority=priority)
    if accepted:
        assert normal(made).priority == priority
    else:
        with pytest.raises(Refused, match="priority outside range"):
            normal(made)


@pytest.mark.parametrize("field", ["funcname", "label", "nodename"])
def test_a_text_with_nul_is_refused(field):
    made = FunctionSpec(funcname="f")
    setattr(made, field, "a\0b")
    with pytest.raises(Refused):
        normal(made)


@pytest.mark.parametrize(
    ("conditions", "cpu", "memory", "expected"),
    [
        ({}, None, None, True),
        ({"executornames": ["me", "you"]}, None, None, True),
        ({"executornames": ["you"]}, None, None, False),
        ({"cpu": "500m"}, 500, None, True),
        ({"cpu": "501m"}, 500, None, False),
        ({"cpu": "501m"}, None, None, True),
        ({"mem": "1Gi"}, None, 1024, True),
        ({"mem": "1025Mi"}, None, 1024, False),
        ({"nodes": 127}, None, None, True),
        ({"nodes": 128}, None, None, False),
        ({"processes": 128}, None, None, False),
        ({"processespernode": 128}, None, None, False),
        ({"storage": "1Gi"}, None, None, False),
    ],
)
def test_which_executor_may_run_it(conditions, cpu, memory, expected):
    assert fits(spec(**conditions), "me", cpu, memory) is expected


@pytest.mark.parametrize(
    ("wanted", "location", "expected"),
    [("", "", True), ("", "here", True), ("here", "", False), ("here", "there", False), ("Here", "heRE", True)],
)
def test_a_location_is_compared_in_any_letter_case(wanted, location, expected):
    assert fits(spec(locationname=wanted), "me", None, None, location) is expected
