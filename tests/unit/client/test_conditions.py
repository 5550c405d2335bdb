"""What a process asks of its executors: refused where a server would misread it, and compared with what they have."""

from __future__ import annotations

import pytest

from colony_jupyter.client.conditions import check_conditions, missing
from colony_jupyter.client.function_spec import make_spec
from colony_jupyter.errors import InvalidSpec
from colony_jupyter.wire.models import Capabilities, Conditions, ExecutorRecord, FunctionSpec, Gpu, Hardware


@pytest.mark.parametrize(
    "conditions",
    [
        {},
        {"cpu": "", "mem": "", "storage": ""},
        {"cpu": "500m", "mem": "2Gi", "storage": "0Mi", "gpu": Gpu(name="A100", mem="40Gi", count=2)},
        *({"mem": f"4{unit}"} for unit in ("MiB", "Gi", "GiB", "TiB", "G", "Gb")),
        {"nodes": 127, "processes": 127, "processespernode": 127, "walltime": 10**6},
        {"locationname": "Luleå"},
    ],
)
def test_what_a_server_reads_as_meant_is_accepted(conditions):
    check_conditions(Conditions(**conditions))


@pytest.mark.parametrize(
    ("conditions", "sentence"),
    [
        ({"cpu": "2"}, "cpu is '2': a server reads thousandths of a core followed by m, .* Write it as '2000m'."),
        ({"cpu": 1.5}, "Write it as '1500m'."),
        ({"cpu": "0.25"}, "Write it as '250m'."),
        ({"cpu": "many"}, "Write it as '500m'."),
        ({"cpu": "-500m"}, "cpu is '-500m'"),
        ({"cpu": "9" * 30 + "m"}, "cpu is '999"),
        ({"mem": "2"}, "mem is '2': a whole number and a unit are needed, as '512Mi' or '2Gi'."),
        ({"mem": "1.5Gi"}, "a whole number and a unit are needed"),
        ({"mem": "5mi"}, "a whole number and a unit are needed"),
        ({"mem": "-5Mi"}, "a whole number and a unit are needed"),
        ({"mem": 2**31}, "a whole number and a unit are needed"),
        ({"mem": "500MB"}, "a server accepts the unit MB only at times. Use Ki, Mi or Gi."),
        ({"mem": "500Ki"}, "a server rounds down to whole Mi, which leaves none"),
        ({"gpu": Gpu(count=1, mem="40")}, "gpu.mem is '40'"),
        ({"storage": "1Gi"}, "storage is '1Gi': leave it out"),
        ({"nodes": 128}, "nodes is 128: a server assigns a process that asks for more than 127 to no executor."),
        ({"processes": 128}, "processes is 128"),
        ({"processespernode": -1}, "processespernode is -1: it must not be negative."),
        ({"nodes": "2"}, "nodes is '2': a whole number is needed."),
        ({"walltime": 1.5}, "walltime is 1.5: a whole number of seconds is needed."),
        ({"gpu": 1}, r"gpu is 1: cj.Gpu\(...\) is needed, as cj.Gpu\(count=1\)."),
        ({"gpu": Gpu(count=-1)}, "gpu.count is -1"),
        ({"gpu": Gpu(name=4090, count=1)}, "gpu.name is 4090: a text is needed."),
        ({"walltime": 2**40}, "walltime is 1099511627776: it must not be more than 2,147,483,647."),
        ({"locationname": 3}, "locationname is 3: a text is needed."),
    ],
)  # fmt: skip
def test_what_a_server_would_misread_is_refused(conditions, sentence):
    with pytest.raises(InvalidSpec, match=sentence):
        check_conditions(Conditions(**conditions))


def test_what_is_not_stored_is_warned_about():
    with pytest.warns(UserWarning, match=r"gpu.nodecount is not stored"):
        check_conditions(Conditions(gpu=Gpu(count=1, nodecount=2)))


def make(function="f", **options):
    return make_spec(
        function,
        (),
        kwargs=None,
        channels=(),
        executortype=options.pop("executortype", ""),
        executornames=options.pop("executornames", ()),
        colonyname="dev",
        options=options,
    )


def test_conditions_are_an_option_of_submit_and_stay_as_given():
    given = Conditions(executortype="hpc", cpu="500m", gpu=Gpu(count=1))
    spec = make(conditions=given, executornames=["one"])
    assert (spec.conditions.executortype, spec.conditions.cpu, spec.conditions.gpu.count) == ("hpc", "500m", 1)
    assert (spec.conditions.colonyname, spec.conditions.executornames) == ("dev", ["one"])
    assert given == Conditions(executortype="hpc", cpu="500m", gpu=Gpu(count=1))
    assert make(conditions=given, executortype="kube").conditions.executortype == "kube"


def test_conditions_of_another_type_and_those_of_a_whole_spec_are_checked():
    with pytest.raises(InvalidSpec, match=r"conditions is {'cpu': '500m'}: cj.Conditions\(...\) is needed"):
        make(conditions={"cpu": "500m"})
    with pytest.raises(InvalidSpec, match="cpu is '2'"):
        make(FunctionSpec(funcname="f", conditions=Conditions(cpu="2")))


def executor(name, *hardware, locationname=""):
    return ExecutorRecord(
        executorid=name * 8,
        executortype="hpc",
        executorname=name,
        colonyname="dev",
        locationname=locationname,
        capabilities=Capabilities(hardware=list(hardware) or None),
    )


def gpus(count, name="A100"):
    return Hardware(gpu=Gpu(name=name, count=count))


TWO_GPUS = {"gpu": Gpu(count=2)}


@pytest.mark.parametrize(
    ("conditions", "executors", "clause"),
    [
        ({}, [executor("hpc-1")], ""),
        (TWO_GPUS, [executor("hpc-1", gpus(1))], "no executor of type 'hpc' offers 2 GPUs; hpc-1 has 1"),
        (TWO_GPUS, [executor("hpc-1", gpus(0, ""))], "no executor of type 'hpc' offers 2 GPUs; hpc-1 has none"),
        (TWO_GPUS, [executor("hpc-1", gpus(1)), executor("hpc-2", gpus(2))], ""),
        (TWO_GPUS, [executor("hpc-1", gpus(1)), executor("unknown")], ""),
        (
            {"gpu": Gpu(name="H100", count=1)},
            [executor("hpc-1", gpus(4))],
            "no executor of type 'hpc' offers 1 H100 GPU; hpc-1 has 4 A100",
        ),
        ({"gpu": Gpu(name="a100", count=1)}, [executor("hpc-1", gpus(1, "NVIDIA A100-40GB"))], ""),
        (
            {"locationname": "Luleå"},
            [executor("hpc-1", locationname="Umeå"), executor("hpc-2")],
            "no executor of type 'hpc' is at location 'Luleå'; hpc-1 is at 'Umeå', hpc-2 has no location",
        ),
        ({"locationname": "luleå"}, [executor("hpc-1", locationname="Luleå")], ""),
        (
            {"cpu": "8000m"},
            [executor("hpc-1", Hardware(cores=4))],
            "no executor of type 'hpc' offers 8000m of CPU; hpc-1 has 4000m of CPU",
        ),
        (
            {"mem": "64Gi"},
            [executor("hpc-1", Hardware(mem="32Gi"), Hardware(mem="16Gi"))],
            "no executor of type 'hpc' offers 64Gi of memory; hpc-1 has 32Gi of memory",
        ),
        ({"mem": "64Gi"}, [executor("hpc-1", Hardware(mem="65536Mi"))], ""),
        ({"mem": "64Gi", "cpu": "8000m", "nodes": 3}, [executor("hpc-1", Hardware(model="x"))], ""),
        (
            {"nodes": 3},
            [executor("hpc-1", Hardware(nodes=2))],
            "no executor of type 'hpc' offers 3 nodes; hpc-1 has 2 nodes",
        ),
        (
            {"gpu": Gpu(count=2), "mem": "64Gi"},
            [
                executor("hpc-1", Hardware(mem="128Gi", gpu=Gpu(count=1))),
                executor("hpc-2", Hardware(mem="32Gi", gpu=Gpu(count=4))),
            ],
            "no executor of type 'hpc' offers all that is asked for; hpc-1 has 1, hpc-2 has 32Gi of memory",
        ),
        (
            TWO_GPUS,
            [executor(f"hpc-{number}", gpus(1)) for number in range(5)],
            "no executor of type 'hpc' offers 2 GPUs; hpc-0 has 1, hpc-1 has 1, hpc-2 has 1 and 2 more",
        ),
    ],
)
def test_what_no_executor_offers_is_named(conditions, executors, clause):
    assert missing(Conditions(executortype="hpc", **conditions), executors) == clause
