"""HTTP surface of a city node: the log for everybody, peer routes for member cities."""
