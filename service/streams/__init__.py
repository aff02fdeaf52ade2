"""Text that arrives in pieces: the state between them, in a token or on a WebSocket."""
