"""The client: asyncio and sockets around the pure parts, and the blocking face derived from it."""
