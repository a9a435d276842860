"""Edge of `ports.case_systems`: signed events over HTTP."""

from ledger_node.edges.case_systems.client import HttpCaseSystems

__all__ = ["HttpCaseSystems"]
