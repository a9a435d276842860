"""Revocation codes and messages against the vectors of the reference."""

import pytest

from ledger_node.core import revocation_messages as messages
from ledger_node.core.revocation_code import compute_verifier, parse_code
from tests.vector_runner import load_vectors, run_vector


@pytest.mark.parametrize("vector", load_vectors("revocation/code"))
def test_parse_code_vector(vector):
    def action():
        code = parse_code(vector["code"])
        assert (code.city, code.selector) == (vector["city"], vector["selector"])
        assert code.secret == vector["secret"]
        verifier = compute_verifier(code.secret, bytes.fromhex(vector["salt"]))
        assert verifier.hex() == vector["verifier"]

    run_vector(vector, action)


@pytest.mark.parametrize("kind", ["request", "secret", "answer"])
def test_revocation_message_vectors(kind):
    parse = getattr(messages, f"parse_revocation_{kind}")
    encode = getattr(messages, f"encode_revocation_{kind}")
    for vector in (parameter.values[0] for parameter in load_vectors(f"revocation/{kind}")):
        data = bytes.fromhex(vector["bytes"])
        run_vector(vector, lambda data=data: parse(data))
        if vector["want_error"] is None:
            read = parse(data)
            assert (encode(*read) if isinstance(read, tuple) else encode(read)) == data
