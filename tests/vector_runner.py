"""Loading vector files and demanding the outcome they name."""

import json
from pathlib import Path

import pytest

from ledger_node.core.errors import LedgerError

VECTORS = Path(__file__).parent / "vectors"


def load_vectors(folder):
    """One pytest parameter per file below tests/vectors/<folder>, named case/damage."""
    files = sorted((VECTORS / folder).rglob("*.json"))
    assert files, f"no vectors in {folder}"
    return [
        pytest.param(
            json.loads(file.read_text(encoding="utf-8")), id=f"{file.parent.name}/{file.stem}"
        )
        for file in files
    ]


def unhex(texts):
    """Bytes of each hex text."""
    return [bytes.fromhex(text) for text in texts]


def run_vector(vector, action):
    """Call `action`; it must raise exactly the error class the vector names, or nothing."""
    if vector["want_error"] is None:
        action()
        return
    with pytest.raises(LedgerError) as caught:
        action()
    assert type(caught.value).__name__ == vector["want_error"]
