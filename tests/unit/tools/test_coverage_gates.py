"""Coverage of folders, compared with what each must have."""

import json

from tools import coverage_gates
from tools.coverage_gates import below, per_folder


def file(covered, statements, branches_covered=0, branches=0):
    summary = {"covered_lines": covered, "num_statements": statements}
    return {"summary": summary | {"covered_branches": branches_covered, "num_branches": branches}}


FILES = {
    "colony_jupyter/__init__.py": file(1, 1),
    "colony_jupyter/client/colony.py": file(8, 10, 1, 5),
    "colony_jupyter/client/streams/stream.py": file(5, 5),
    "colony_jupyter/channels/inbox.py": file(0, 0),
}


def test_statements_and_branches_of_a_folder_count_together():
    assert per_folder(FILES) == {".": 100.0, "client": 70.0}


def test_what_is_below_its_gate_is_named():
    [first, second] = below({"client": 70.0, "server": 90.0}, {"client": 95.0, "server": 90.0, "channels": 1.0})
    assert first.startswith("colony_jupyter/client/ is covered by 70.0 %, and must be by 95 %")
    assert second.startswith("colony_jupyter/channels/ is covered by 0.0 %")


def test_the_exit_status(tmp_path, capsys, monkeypatch):
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"files": FILES}), "utf-8")
    monkeypatch.setattr(coverage_gates, "GATES", {"client": 70.0})
    assert coverage_gates.main(str(report)) == 0
    monkeypatch.setattr(coverage_gates, "GATES", {"client": 71.0})
    assert coverage_gates.main(str(report)) == 1
    assert "client        70.0 %  (at least 71)" in capsys.readouterr().out
