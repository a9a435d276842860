"""The few seams that have a real edge and a fake; one conformance suite runs against both.

A package, one module per seam, because the seams together would pass the size at which a module
is split. Flows depend on these protocols only; `ledger_node/wiring.py` alone builds edges.
"""
