"""Functions that callers send: who may send them, and the processes they run in."""
