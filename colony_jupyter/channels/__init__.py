"""How channels behave, as pure state machines: no socket, no loop, no clock of their own (PROTOCOL.md section 5)."""
