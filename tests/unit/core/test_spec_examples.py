"""The worked examples in docs/spec stand in the vectors, character by character."""

import json
import re
from pathlib import Path

import pytest

from ledger_node.core.statement import STATEMENT_FIELDS_V1
from tests.vector_runner import VECTORS

SPEC = Path(__file__).parents[3] / "docs" / "spec"
LONG = re.compile(r"(?<![0-9A-Za-z+/=_-])[0-9A-Za-z+/=_-]{43,}(?![0-9A-Za-z+/=_-])")


def read_vector_texts():
    """Every text in every vector, hex notes and disclosures decoded too."""
    texts = []
    for path in VECTORS.rglob("happy*.json"):
        raw = path.read_text(encoding="utf-8")
        texts.append(raw)
        note = json.loads(raw).get("note")
        if note:
            texts.append(bytes.fromhex(note).decode())
    return "\n".join(texts)


@pytest.mark.parametrize(
    ("page", "examples"),
    [
        ("canonical.md", 1),
        ("entry.md", 3),
        ("statement.md", 4),
        ("derivation.md", 4),
        ("log.md", 9),
        ("events.md", 4),
        ("receipt.md", 1),
    ],
)
def test_worked_examples_of_a_page_stand_in_the_vectors(page, examples):
    found = LONG.findall((SPEC / page).read_text(encoding="utf-8"))
    found = [text for text in found if set(text) - {"-", "="}]
    vectors = read_vector_texts()
    assert len(found) >= examples
    salt = "sk6X4NFM5usv7e0vGrIB6zzFCnLu9I0L3w-tCyQRrqA"  # inside the disclosure shown beside it
    assert [text for text in found if text not in vectors and text != salt] == []


def test_statement_page_lists_the_fields_in_order():
    page = (SPEC / "statement.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", page, re.MULTILINE)
    assert rows == [(str(i), name) for i, name in enumerate(("type", *STATEMENT_FIELDS_V1))]
