"""The HTTP and WebSocket interface of the embedded colony: decode a request, call, encode the reply."""
