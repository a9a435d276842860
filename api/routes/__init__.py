"""Routes of a city node, one module per audience."""
