"""The real edges behind the ports; edges never import each other."""
