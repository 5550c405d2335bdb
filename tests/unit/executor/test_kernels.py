"""The function `jupyter-kernel` of an executor: who may run kernels, and how it fails."""

from __future__ import annotations

import secrets

import pytest

import colony_jupyter as cj
from colony_jupyter.errors import ExecutorError, UsageError
from colony_jupyter.kernels import names


@pytest.fixture
def member(settings, colony):
    """Return another member of the colony."""
    key = cj.PrivateKey(secrets.token_hex(32))
    colony.add_user(f"mallory-{key.id[:8]}", key.id)
    with cj.Colony(settings, prvkey=key) as member:
        yield member


def failure(process):
    with pytest.raises(cj.ProcessFailed) as raised:
        process.result(timeout=20)
    return raised.value.errors


def submit_kernel(colony, executortype):
    return colony.submit(names.FUNCTION, executortype=executortype)


def test_an_executor_without_it_refuses(make_executor, colony):
    executor = make_executor("no-kernels")
    executor.function("other")(lambda context: 1)
    executor.start()
    assert "has no function 'jupyter-kernel'" in failure(submit_kernel(colony, "no-kernels"))[0]


def test_a_kernel_that_is_not_installed_is_refused_at_once(make_executor):
    with pytest.raises(ExecutorError, match="no-such-kernel"):
        make_executor("kernels").kernels(kernel="no-such-kernel")
    with pytest.raises(UsageError):
        make_executor("kernels").kernels("alice")


def test_anyone_may_be_allowed_with_a_warning(make_executor, capsys):
    make_executor("kernels").kernels("anyone")
    assert "Every member of the colony may now run any code on this machine" in capsys.readouterr().out


def test_a_member_that_is_not_allowed_is_refused_with_a_sentence(make_executor, member):
    executor = make_executor("kernels-own")
    executor.kernels()
    executor.start()
    (error,) = failure(submit_kernel(member, "kernels-own"))
    assert error.startswith(f"Executor '{executor.name}' does not run kernels for 'mallory-")
    assert error.endswith("Its owner allows more with colony-jupyter kernel serve --allow USER.")


def test_a_process_without_the_channels_of_a_kernel_fails_with_what_to_do(make_executor, colony):
    executor = make_executor("kernels-channels")
    executor.kernels()
    executor.start()
    for _ in range(2):
        assert failure(submit_kernel(colony, "kernels-channels")) == (
            "The process does not have the channels of a kernel: start it with `colony-jupyter kernel`.",
        )
    assert [each.funcname for each in colony.functions(executor.name)] == [names.FUNCTION]


def test_offering_it_while_the_executor_runs_lists_it(make_executor, colony, until):
    executor = make_executor("kernels-late")
    executor.start()
    executor.kernels()
    until(lambda: [each.funcname for each in colony.functions(executor.name)] == [names.FUNCTION])
