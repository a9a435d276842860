"""HTTP API v1, one module per resource. Routes call the flows the pages call; no rule is here."""
