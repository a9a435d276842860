"""Bodies of the HTTP API v1, one module per resource."""
