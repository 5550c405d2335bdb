"""Which variables of its executor a caller's function gets; `processes/test_caller_keys.py` looks for keys."""

from __future__ import annotations

from colony_jupyter.executor.callers.environment import without_keys


def test_private_variables_are_left_out():
    environ = {
        "PATH": "/bin",
        "COLONIES_SERVER_HOST": "a",
        "AWS_S3_SECRETKEY": "b",
        "GITHUB_TOKEN": "c",
        "DB_PASSWORD": "d",
        "SSH_AUTH_SOCK": "e",
        "OTHER": f"x={'ab' * 32}",
        "CUDA_VISIBLE_DEVICES": "0",
    }
    assert without_keys(environ) == {"PATH": "/bin", "CUDA_VISIBLE_DEVICES": "0"}
