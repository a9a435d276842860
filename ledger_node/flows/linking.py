"""Linking staff accounts to somebody at an identity provider; done by a system administrator."""

from __future__ import annotations

from dataclasses import replace

from ledger_node.core.errors import ConflictError
from ledger_node.flows.identity import compute_external_tag
from ledger_node.flows.node import Node
from ledger_node.ports.database import RowConflictError
from ledger_node.ports.database_accounts import AccountRow


class AlreadyLinkedError(ConflictError):
    """That person at that provider has another account here."""

    code = "already_linked"


def link_account(node: Node, account_id: str, issuer: str, subject: str) -> AccountRow:
    """Let an account be signed in to at a provider; its sessions end. An empty subject unlinks.

    Args:
        issuer: Issuer identifier, as the settings have it.
        subject: The person's `sub` there.

    Raises:
        AccountNotFoundError: There is no such account.
        AlreadyLinkedError: The person has another account here.
    """
    tag = compute_external_tag(node, issuer, subject) if subject else None
    try:
        with node.database.transaction() as tx:
            row = replace(tx.accounts.load_account(account_id), external_tag=tag)
            tx.accounts.update_account(row)
            tx.accounts.end_sessions_of(account_id)
    except RowConflictError as error:
        raise AlreadyLinkedError(
            "此人已关联另一个账号。请先解除原有关联。",
            "That person is linked to another account; unlink that one first.",
        ) from error
    return row
