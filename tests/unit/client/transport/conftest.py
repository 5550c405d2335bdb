"""What the tests of transports share."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from colony_jupyter.server.process import certificate


@pytest.fixture
def issued(tmp_path):
    """Return a certificate of this machine, with its authority."""
    return certificate.ensure(tmp_path / "tls", ["127.0.0.1"], datetime.now(UTC))
