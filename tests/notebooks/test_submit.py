"""``%colony submit`` and what looks at processes, typed in the cells of a live kernel."""

from __future__ import annotations

import time

import pytest

from colony_jupyter.notebook.magics import commands

WIDGET = "application/vnd.jupyter.widget-view+json"


def test_the_first_line_states_where(notebook):
    cell = notebook.run("%reload_ext colony_jupyter")
    assert cell.text.count("\n") == 1
    assert "embedded colony 'dev'" in cell.text


def test_status(notebook):
    cell = notebook.run("%colony")
    assert cell.status == "ok"
    assert "embedded colony 'dev'" in cell.value["text/plain"]
    assert "user '" in cell.value["text/plain"]
    assert "1 approved" in cell.value["text/plain"]


def test_a_live_pane_and_nothing_else(notebook):
    cell = notebook.run("%colony submit steps 3 --channel progress --type magics-test")
    assert cell.value is None
    assert WIDGET in cell.shown[0]
    notebook.until(lambda: "SUCCESS" in cell.transcript)
    assert [f"step {step}/3" in cell.transcript for step in (1, 2, 3)] == [True] * 3
    assert 'Output: "Task completed!"' in cell.transcript
    later = notebook.run("_")
    assert later.value["text/plain"].startswith("<Process steps ")
    assert notebook.evaluate("_.result(5)") == "Task completed!"


def test_the_value_is_the_process(notebook):
    notebook.run("process = %colony submit steps 2 1 --channel progress --type magics-test")
    assert notebook.evaluate("[entry.text for entry in process.channel('progress')]") == [
        "Processing step 1/2",
        "Processing step 2/2",
    ]
    assert notebook.run("process").value["text/plain"].startswith("<Process steps ")


def test_the_type_is_found_by_the_function(notebook):
    assert notebook.run("%colony submit gives-back --wait -o found").status == "ok"
    assert notebook.evaluate("found.spec.conditions.executortype") == "magics-test"


def test_arguments_arrive_as_they_were_meant(notebook):
    notebook.run("data = {'a': [1, None]}")
    words = """10 ten '"10"' $data {data} '$data' '{"x": 1}' -5 --kw k=1 s=x o=$data"""
    cell = notebook.run(f"%colony submit gives-back {words} --wait -o p")
    assert cell.status == "ok", cell.error
    data = {"a": [1, None]}
    assert notebook.evaluate("p.result()") == [
        [10, "ten", "10", data, data, "$data", {"x": 1}, -5],
        {"k": 1, "s": "x", "o": data},
    ]


def test_json_and_paths_need_no_quotes_and_constants_of_python_are_noted_once(notebook):
    words = r"""{"lr": 0.1} ["a", "b c"] D:\data\new.csv 007 True"""
    cell = notebook.run(f"%colony submit gives-back {words} --kw on=False c={{'a': 1}} --wait")
    assert cell.status == "error"
    assert "marked ▸: {▸'a': 1}" in cell.error
    cell = notebook.run(f'%colony submit gives-back {words} --kw on=False c={{"a": [1, 2]}} --wait -o p')
    assert cell.status == "ok", cell.error
    assert cell.text.count("True was passed as the JSON value true, not as text.") == 1
    assert "False was passed" not in cell.text
    assert notebook.evaluate("p.result()") == [
        [{"lr": 0.1}, ["a", "b c"], r"D:\data\new.csv", "007", True],
        {"on": False, "c": {"a": [1, 2]}},
    ]
    assert "was passed" not in notebook.run("%colony submit gives-back None --wait").text


def test_a_spec_in_json(notebook):
    cell = notebook.run(
        "%%colony submit --wait -o p\n"
        '{"funcname": "gives-back", "args": [1], "conditions": {"executortype": "magics-test"}}'
    )
    assert cell.status == "ok", cell.error
    assert notebook.evaluate("(p.result(), p.spec.maxexectime)") == ([[1], {}], -1)


OPTIONS = (
    "--channel progress log --type absent-type --executor one 'the other' --maxexectime 30 --maxwaittime 20 "
    "--maxretries 2 --priority 7 --label 'a word' --env A=1 B='two words' --no-sync --quiet -o p "
    "--nodes 2 --processes 4 --processes-per-node 2 --cpu 500m --mem 2Gi --gpu 1 --gpu-name A100 "
    "--walltime 60 --location x"
)


def test_every_option_arrives(notebook):
    options = commands.SUBMIT.options
    assert sorted(word for word in OPTIONS.split() if word.startswith("-")) == sorted(
        {*options} - {"-h", "--help", "--kw", "--wait"}
    )
    cell = notebook.run(f"%colony submit work 1 --kw a=1 b=text {OPTIONS}")
    check_spec(notebook, cell)
    cell = notebook.run(
        f"%%colony submit --kw a=1 b=text {OPTIONS}\n"
        '{"funcname": "work", "args": [1], "maxexectime": 5, "priority": 1}'
    )
    check_spec(notebook, cell)


def check_spec(notebook, cell):
    assert cell.status == "ok", cell.error
    found = notebook.evaluate(
        "(p.spec.funcname, p.spec.args, p.spec.kwargs, p.spec.channels, p.spec.conditions.executortype, "
        "p.spec.conditions.executornames)"
    )
    assert found == ("work", [1], {"a": 1, "b": "text"}, ["progress", "log"], "absent-type", ["one", "the other"])
    found = notebook.evaluate(
        "(p.spec.maxexectime, p.spec.maxwaittime, p.spec.maxretries, p.spec.priority, p.spec.label, p.spec.env)"
    )
    assert found == (30, 20, 2, 7, "a word", {"A": "1", "B": "two words"})
    notebook.run("%colony cancel p")


def test_wait_raises_the_executors_own_story(notebook):
    cell = notebook.run("%colony submit breaks --wait")
    assert cell.status == "error"
    assert cell.error.startswith("ProcessFailed: breaks (")
    assert "the disk is full" in cell.error
    assert "colony_jupyter/" not in cell.error.replace("-----", "")
    assert "Traceback" not in cell.error
    assert "FAILED" in cell.transcript


def test_a_failure_shows_in_the_pane(notebook):
    cell = notebook.run("%colony submit breaks")
    assert cell.status == "ok"
    notebook.until(lambda: "the disk is full" in cell.transcript)


def test_quiet(notebook):
    cell = notebook.run("%colony submit steps 1 --channel progress --quiet")
    assert cell.shown == []
    assert cell.value["text/plain"].startswith("<Process steps ")


def test_a_headless_run_waits_by_itself(notebook):
    cell = notebook.run("%colony submit steps 3 --channel progress", headless=True)
    assert cell.status == "ok"
    assert all(WIDGET not in shown for shown in cell.shown)
    assert "SUCCESS" in cell.transcript
    assert "step 3/3" in cell.transcript


def test_the_pane_shows_what_a_process_waits_for(notebook):
    cell = notebook.run("waiting = %colony submit x --type absent-type")
    notebook.until(lambda: "waiting for an executor of type 'absent-type': none is registered" in cell.transcript)
    cancelled = notebook.run("%colony cancel $waiting")
    assert "is cancelled" in cancelled.text
    notebook.until(lambda: "CANCELLED" in cell.transcript)
    assert "has ended already: CANCELLED" in notebook.run("%colony cancel waiting").text


def test_an_unknown_function_fails_with_a_sentence(notebook):
    cell = notebook.run("%colony submit no-such --type magics-test --wait")
    assert cell.status == "error"
    assert "no-such" in cell.error
    assert "\n" not in cell.error.strip()


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            "%colony submit nosuch",
            "No executor offers a function 'nosuch'. Offered: at-once (magics-test), ",
        ),
        ("%colony stauts", "Did you mean 'status'?"),
        ("%colony submit f --chanel x", "There is no option --chanel. Did you mean '--channel'?"),
        ("%colony submit f $nothing", "There is no variable 'nothing'"),
        ("%colony submit f --kw x", "--kw needs KEY=VALUE, not 'x'"),
        ("%colony get zz", "'zz' is no process"),
        ("%colony get " + "0" * 64, "is not known to the server"),
        ("%colony connect localhost", "COLONIES_COLONY_NAME is not set"),
        ("%colony connect 'x:y'", "The address is 'x:y': the port must be a number from 1 to 65535."),
        ("%colony connect host:99999", "The address is 'host:99999': the port must be a number from 1 to 65535."),
        ("%colony connect ::1", "COLONIES_COLONY_NAME is not set: it names the colony to use on ::1."),
        ("%colony connect --ask", "--ask asks for keys only: name the server by"),
        ("%colony_chat simple-bot", "write your message below that line"),
        ("%colony connect --colony other", "The embedded colony is named 'dev', not 'other'"),
        ("%%colony submit\n{", "The function spec is no JSON"),
        ("%%colony_chat\nhello", "There is no conversation to go on with yet"),
        ("%%colony_chat simple-bot\n ", "The cell is empty"),
        ("%%colony ps\nx", "These need a cell: `%%colony submit`"),
    ],
)
def test_a_mistake_is_one_sentence(notebook, line, sentence):
    cell = notebook.run(line)
    assert cell.status == "error"
    assert sentence in cell.error
    assert "\n" not in cell.error
    assert cell.text == ""


@pytest.mark.parametrize("line", ["%colony --help", "%colony submit --help", "%colony watch -h", "%colony_chat --help"])
def test_help(notebook, line):
    cell = notebook.run(line)
    assert cell.status == "ok"
    assert cell.text.lstrip().startswith(("usage: %colony", "usage: %%colony_chat"))


def test_one_process_and_its_channel(notebook):
    notebook.run("process = %colony submit steps 1 60 --channel progress --quiet")
    notebook.run("process.running(10)")
    notebook.run("next(iter(process.channel('progress')))")
    assert "steps" in notebook.run("%colony get process").value["text/plain"]
    short = notebook.evaluate("process.processid[:12]")
    table = notebook.run(f"%colony read {short} progress").value
    assert "Processing step 1/1" in table["text/plain"]
    wrong = notebook.run(f"%colony read {short} progres")
    assert wrong.error == "ChannelNotFound: Channel 'progres' not found. This process has: progress."
    sent = notebook.run(f"%colony send {short} progress it's {{x}} $5 --wait")
    assert "as entry 1" in sent.text
    assert "it's {x} $5 --wait" in notebook.run(f"%colony read {short} progress").value["text/plain"]
    watched = notebook.run(f"%colony watch {short}")
    notebook.until(lambda: "it's {x} $5 --wait" in watched.transcript)
    assert "is cancelled" in notebook.run(f"%colony cancel {short}").text
    notebook.until(lambda: "CANCELLED" in watched.transcript)
    gone = notebook.run("%colony read process progress")
    assert gone.error.startswith("ChannelNotFound: Channel 'progress' is gone")


@pytest.mark.parametrize("name", ["ps", "executors", "functions", "workflows"])
def test_lists(notebook, name):
    cell = notebook.run(f"%colony {name}")
    assert cell.status == "ok", cell.error
    assert "text/html" in cell.value


def test_lists_are_assigned_to_variables_and_converted(notebook):
    notebook.run("process = %colony submit gives-back --quiet --wait")
    notebook.run("%colony ps -o newest")
    cell = notebook.run(
        "print(newest.to_pandas()[['funcname', 'state']].iloc[0].to_list(), newest.to_dicts()[0]['state'])"
    )
    assert cell.text.strip() == "['gives-back', 'SUCCESS'] SUCCESS"
    notebook.run("%colony log process -o lines")
    assert notebook.run("print(type(lines.to_polars()).__name__)").text.strip() == "DataFrame"
    wrong = notebook.run("%colony ps -o 1a")
    assert "'1a' cannot be the name of a variable" in wrong.error


def test_a_workflow_is_drawn_with_its_states(notebook):
    notebook.run(
        "import colony_jupyter as cj\n"
        "def step(name, *after):\n"
        "    conditions = cj.wire.models.Conditions(executortype='absent', dependencies=list(after))\n"
        "    return cj.FunctionSpec(funcname='f', nodename=name, conditions=conditions, maxexectime=-1)\n"
        "with cj.Colony() as colony:\n"
        "    colony.submit_workflow([step('first'), step('second', 'first')])"
    )
    cell = notebook.run("%colony workflows")
    assert "<svg" in cell.value["text/html"]
    assert "second  WAITING  after first" in cell.value["text/plain"]


def test_processes_and_lists_of_them_are_tables(notebook):
    notebook.run("process = %colony submit gives-back --quiet --wait")
    for value in ("process", "[process]"):
        cell = notebook.run(value)
        assert cell.value["text/html"].startswith("<table"), value
        assert "gives-back" in cell.value["text/plain"]


def test_a_log(notebook):
    notebook.run("process = %colony submit gives-back --quiet --wait")
    assert notebook.run("%colony log process").status == "ok"


def test_connecting_elsewhere_leaves_all_as_it_was_when_it_fails(notebook):
    notebook.run("import os; os.environ['COLONIES_PRVKEY'] = 'ab' * 32")
    cell = notebook.run("%colony connect localhost:1 --colony dev")
    notebook.run("del os.environ['COLONIES_PRVKEY']")
    assert cell.error.startswith("ServerUnreachable: No ColonyOS server answers at localhost:1: ")
    assert "abab" not in cell.error
    assert "embedded colony" in notebook.run("%colony").value["text/plain"]


def test_an_error_of_a_call_shows_the_cells_line_and_nothing_of_ours(notebook):
    cell = notebook.run("import colony_jupyter as cj\ncolony = cj.Colony()\ncolony.submit('nosuch')")
    first, *places = cell.error.splitlines()
    assert first.startswith("UsageError: No executor offers a function 'nosuch'")
    assert places == ["  the cell, line 3: colony.submit('nosuch')"]


def test_an_executors_failure_reaches_a_blocking_call(notebook):
    cell = notebook.run("colony.submit('breaks', executortype='magics-test').result(10)")
    assert cell.error.startswith("ProcessFailed: breaks (")
    assert "the disk is full" in cell.error
    assert "client/" not in cell.error


def test_unloading_removes_everything(notebook):
    assert notebook.run("%unload_ext colony_jupyter").status == "ok"
    assert "not found" in notebook.run("%colony").text
    assert notebook.complete("%colony subm") == []
    assert "ColonyMagics" not in notebook.run("%config").text
    assert notebook.run("%load_ext colony_jupyter").status == "ok"
    assert "ColonyMagics" in notebook.run("%config").text
    assert notebook.run("%colony ps").status == "ok"


def test_the_process_of_another_user(notebook):
    notebook.run(
        "import os\n"
        "from colony_jupyter.wire.identity import PrivateKey\n"
        "key = PrivateKey.generate(os.urandom)\n"
        "colony.add_user('alice', key.id)\n"
        "alice = cj.Colony(prvkey=key)\n"
        "theirs = alice.submit('x', executortype='absent-type', channels=['talk'])"
    )
    cell = notebook.run("%colony watch theirs")
    assert cell.status == "ok", cell.error
    notebook.until(lambda: "submitted by 'alice': only its submitter and its executor" in cell.transcript)
    assert "Not authorized" in notebook.run("%colony read theirs talk").error
    notebook.run("%colony cancel theirs")
    notebook.until(lambda: "CANCELLED" in cell.transcript)


def test_keys_can_be_asked_for(notebook, colony_server):
    key = colony_server.prvkey.reveal()
    line = f"%colony connect {colony_server.host}:{colony_server.port} --colony {colony_server.colonyname} --ask"
    cell = notebook.start(line)
    assert "COLONIES_PRVKEY" in (asked := notebook.answer(key))
    assert "hidden: True" in asked
    assert "hidden: True" in notebook.answer("")
    notebook.finish(cell)
    assert cell.text == f"Connected to colony 'dev' at {colony_server.host}:{colony_server.port} (no TLS).\n"
    status = notebook.run("%colony")
    assert f"{colony_server.host}:{colony_server.port}" in status.value["text/plain"]
    assert key[:8] not in repr(cell.outputs) + repr(status.outputs)
    again = notebook.run(line, headless=True)
    assert again.error == ("UsageError: This front end cannot ask for a key: set COLONIES_PRVKEY in the environment.")
    assert "embedded" in notebook.run("%colony connect").text


@pytest.mark.parametrize("wrong", ["ab" * 31, "", "g" * 64])
def test_a_wrong_key_is_refused_and_not_repeated(notebook, wrong):
    cell = notebook.start("%colony connect localhost:1 --colony dev --ask")
    notebook.answer(wrong)
    if wrong:
        notebook.answer("")
    notebook.finish(cell)
    assert cell.error.startswith("SettingsError: ")
    assert not wrong or wrong[:8] not in cell.error


def test_the_acknowledged_ending_loses_nothing(notebook):
    """The function is over before a reader can have subscribed; its channel `sync` keeps the process open."""
    begun = time.monotonic()
    cell = notebook.run("%colony submit at-once --channel progress sync --type magics-test --wait")
    assert cell.status == "ok", cell.error
    assert [cell.transcript.count(f"entry {step}.") for step in range(50)] == [1] * 50
    assert time.monotonic() - begun < 5


def test_the_latest_value_counts_as_a_process(notebook):
    notebook.run("%colony submit nothing --type absent-type --quiet")
    assert "is cancelled" in notebook.run("%colony cancel _").text


def test_a_channel_that_was_not_declared(notebook):
    cell = notebook.run("%colony submit at-once --channel progres --type magics-test --wait")
    assert "Channel 'progress' not found. This process has: progres." in cell.error


def test_the_beginning_of_an_id(notebook):
    notebook.run("process = %colony submit gives-back --quiet --wait")
    whole = notebook.evaluate("process.processid")
    assert whole in notebook.run(f"%colony get {whole[:10]}").value["text/plain"]
    assert whole in notebook.run(f"%colony get {whole}").value["text/plain"]
    notebook.run("name = process.processid")
    assert whole in notebook.run("%colony get name").value["text/plain"]
    typo = "0" if whole[3] != "0" else "1"
    assert f"Did you mean '{whole[:8]}'?" in notebook.run(f"%colony get {whole[:3]}{typo}{whole[4:8]}").error


def test_a_plot_of_one_channel(notebook):
    notebook.run("process = %colony submit trains --type magics-test --channel losses --quiet")
    cell = notebook.run("%colony plot process losses --x step --y loss")
    assert cell.status == "ok", cell.error
    assert WIDGET in cell.shown[0]
    notebook.until(lambda: "2 to 1 (lowest 1, highest 2, 5 points)" in cell.transcript)
    notebook.run("%colony send process losses enough")
    notebook.until(lambda: "SUCCESS" in cell.transcript)
    assert "{" not in cell.transcript  # no rows: a plot alone


def test_a_plot_that_is_not_possible(notebook):
    notebook.run("process = %colony submit steps 1 --channel progress --type magics-test --quiet --wait")
    assert (
        "Channel 'losses' not found. This process has: progress." in notebook.run("%colony plot process losses").error
    )
    assert "is gone" in notebook.run("%colony plot process progress").error
    assert "CHANNEL" in notebook.run("%colony plot process").error
