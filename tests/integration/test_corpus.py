"""Real documents and pictures, registered together and opened again byte by byte.

The corpus lies beside the project on developers' machines; where it is missing this file skips.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ledger_node.core.derivation import derive_document_secret
from ledger_node.core.types import Digest
from ledger_node.flows.intake import IntakeQueue, register
from ledger_node.flows.materials import load_material
from ledger_node.flows.node import Node
from tests.integration.city import file_of, submission

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real files is not here"),
]


def test_register_real_files_of_every_kind_open_again_byte_by_byte(
    city: Node, queue: IntakeQueue, tmp_path: Path
) -> None:
    contents = [path.read_bytes() for path in sorted(CORPUS.iterdir()) if path.is_file()]
    assert len(contents) >= 15
    done = register(city, queue, submission(1, *(file_of(content) for content in contents)))
    opened = load_material(city, done.material_id)
    for index, content in enumerate(contents):
        digest = Digest(hashlib.sha256(content).digest())
        assert opened.parts[index].digest == digest
        address = opened.stored.row.documents[index].address
        assert address is not None
        secret = derive_document_secret(opened.key, index)
        target = tmp_path / f"opened-{index}"
        city.sealer.unseal(city.documents, address, secret, digest, target)
        assert target.read_bytes() == content
