"""Jupyter kernels on executors, relayed through the channels of a process.

`relay/` is the protocol, as state machines over bytes and times. `host/` runs kernels on an executor, `link.py` is the
caller's side, and `proxy/` is the process that a Jupyter front end starts as its kernel.
"""
