"""How a kernel has ended, as a sentence."""

from __future__ import annotations

import pytest

from colony_jupyter.errors import ExecutorError
from colony_jupyter.kernels.events import KernelGone, ending
from colony_jupyter.wire.models import ProcessRecord, ProcessState


@pytest.mark.parametrize(
    ("state", "errors", "sentence"),
    [
        (ProcessState.FAILED, ["Kernels are not for you.", "again"], "Kernels are not for you.; again"),
        (ProcessState.FAILED, None, "The process of the kernel has failed."),
        (ProcessState.CANCELLED, [], "The process of the kernel was cancelled."),
        (ProcessState.SUCCESS, [], "The kernel has ended."),
    ],
)
def test_the_end_of_its_process_is_the_reason(state, errors, sentence):
    assert ending(ProcessRecord(processid="a" * 64, state=state, errors=errors)) == sentence


def test_a_process_that_was_removed_is_named_so():
    assert ending(None) == "The process of the kernel was removed."


def test_a_kernel_that_died_can_be_started_again():
    assert isinstance(KernelGone("x"), ExecutorError)
    assert (KernelGone("x").died, KernelGone("x", died=True).died) == (False, True)
