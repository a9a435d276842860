"""Edge to identity providers: discovery, keys, token endpoint."""

from ledger_node.edges.identity.client import HttpIdentityProviders

__all__ = ["HttpIdentityProviders"]
