"""Both cities keep a message log: what one noted as sent the other noted as received."""

from __future__ import annotations

import pytest

from ledger_node.ports.database_exchange import LoggedMessage
from tests.integration.way.story import Way

pytestmark = [pytest.mark.integration]


def list_logged(node, direction: str, city: str) -> set[tuple[str, bytes]]:
    with node.database.read() as tx:
        rows: list[LoggedMessage] = tx.messages.list_messages(direction, 10_000)
    return {(row.kind, row.digest) for row in rows if row.city == city}


def test_every_message_of_a_release_stands_in_both_logs(way: Way) -> None:
    sent = list_logged(way.relier, "sent", way.issuer.city)
    received = list_logged(way.issuer, "received", way.relier.city)
    assert {"releases", "answer", "document", "acknowledgement"} <= {kind for kind, _ in sent}
    assert received
    assert received <= sent  # sent is noted first; what never arrived is only there
    digest = way.stock["relied"].digest
    assert ("releases", digest) in sent & received
