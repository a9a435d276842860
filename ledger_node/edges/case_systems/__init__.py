"""Edges of `ports.case_systems` and `ports.case_folder`: HTTP and watched folders."""

from ledger_node.edges.case_systems.client import HttpCaseSystems
from ledger_node.edges.case_systems.folder import FileCaseFolders

__all__ = ["FileCaseFolders", "HttpCaseSystems"]
