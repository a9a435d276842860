"""JSON-RPC 2.0: envelope, parameters, answers, methods."""
