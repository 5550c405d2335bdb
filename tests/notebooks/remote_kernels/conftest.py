"""Fixtures of tests with kernels on executors: a server, and Jupyter folders of their own."""

from __future__ import annotations

import pytest
from remote_kernel import Front, Serving, install
from servers import SERVERS, open_server


@pytest.fixture(scope="module", params=SERVERS)
def server(request, tmp_path_factory, real_server):
    with open_server(request.param, tmp_path_factory.mktemp("colony"), real_server) as running:
        yield running


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory):
    return str(tmp_path_factory.mktemp("jupyter"))


@pytest.fixture(scope="module")
def environ(server, jupyter):
    return {**server.environ(), "JUPYTER_DATA_DIR": jupyter}


@pytest.fixture(autouse=True)
def own_kernelspecs(jupyter, monkeypatch):
    """Let this process see the kernelspecs of the module."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", jupyter)


@pytest.fixture(scope="module")
def serving(request, environ, tmp_path_factory):
    """Serve kernels of the module's ``TYPE``."""
    executortype = request.module.TYPE
    serving = Serving(environ, executortype, tmp_path_factory.mktemp("serving")).start()
    install(environ, executortype)
    yield serving
    serving.stop()


@pytest.fixture
def front(request, environ, serving):
    """Start a kernel of the module's ``TYPE``."""
    front = Front(environ, f"colony-{request.module.TYPE}").start()
    yield front
    front.stop()
