"""State machines for reading and writing channels without sockets, event loop or clock (docs/protocol.md section 5)."""
