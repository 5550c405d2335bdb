"""The wire protocol as values: bytes in, values out, and back. No socket, no clock, no loop (docs/protocol.md)."""
