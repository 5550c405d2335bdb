"""The request that a kernel executes, and whether a person can read and type."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from colony_jupyter.notebook.session.request import current_request, is_headless, kernel_shell


@pytest.fixture
def kernel(monkeypatch):
    """Return a function that makes this process a kernel which executes a request."""

    def execute(request):
        shell = SimpleNamespace(kernel=SimpleNamespace(get_parent=lambda: request))
        monkeypatch.setattr("IPython.core.getipython.get_ipython", lambda: shell)
        return shell

    return execute


def test_outside_of_a_kernel_there_is_no_request_and_no_person():
    assert (kernel_shell(), current_request(), is_headless()) == (None, {}, True)


def test_ipython_in_a_terminal_is_no_kernel(monkeypatch):
    monkeypatch.setattr("IPython.core.getipython.get_ipython", SimpleNamespace)
    assert kernel_shell() is None
    assert is_headless()


@pytest.mark.parametrize(
    ("request_", "headless"),
    [
        ({"content": {"allow_stdin": True}}, False),
        ({"content": {"allow_stdin": False}}, True),
        ({"content": {}}, True),
        ({}, True),
        (None, True),
    ],
)
def test_a_person_is_there_if_the_request_allows_standard_input(kernel, request_, headless):
    shell = kernel(request_)
    assert kernel_shell() is shell
    assert current_request() == (request_ or {})
    assert is_headless() is headless


def test_plain_python_without_ipython_is_no_kernel(monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython.core.getipython", None)
    assert kernel_shell() is None
