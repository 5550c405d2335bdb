"""What each call does, grouped as docs/protocol.md section 4 groups them."""

from __future__ import annotations

from colony_jupyter.server.calls import channels, colonies, executors, info, logs, processes, workflows
from colony_jupyter.server.calls.registry import HANDLERS

__all__ = ["HANDLERS", "channels", "colonies", "executors", "info", "logs", "processes", "workflows"]
