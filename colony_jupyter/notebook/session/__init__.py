"""State of the kernel's session: connection, current cell and request."""
