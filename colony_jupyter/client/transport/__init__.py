"""One request and its reply: the server's address, HTTP, gateways, WebSocket connections, RPC calls."""
