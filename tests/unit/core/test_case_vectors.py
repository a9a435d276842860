"""Vectors of case systems: each body is read and written back, or refused by name."""

import pytest

from ledger_node.core.canonical import encode_canonical, parse_canonical
from ledger_node.core.case import (
    encode_case_draft,
    read_case_draft,
    read_case_file,
    read_state_map,
)
from ledger_node.core.case_event import encode_case_event, parse_case_event
from ledger_node.core.message import verify_request
from ledger_node.core.message_key import encode_key_id
from ledger_node.core.message_parts import HttpRequest
from tests.vector_runner import load_vectors, run_vector


@pytest.mark.parametrize("vector", load_vectors("cases/draft"))
def test_case_draft_vector(vector):
    data = bytes.fromhex(vector["bytes"])

    def action():
        draft = read_case_draft(parse_canonical(data, what="vector"))
        assert encode_canonical(encode_case_draft(draft)) == data

    run_vector(vector, action)


@pytest.mark.parametrize("vector", load_vectors("cases/file"))
def test_case_file_vector(vector):
    def action():
        value = parse_canonical(bytes.fromhex(vector["bytes"]), what="vector")
        number, case = read_case_file(value)
        read_case_draft(case)
        assert number == vector["number"]

    run_vector(vector, action)


@pytest.mark.parametrize("vector", load_vectors("cases/state-map"))
def test_state_map_vector(vector):
    def action():
        states = read_state_map(parse_canonical(bytes.fromhex(vector["bytes"]), what="vector"))
        assert states.system == "zongchuang"
        assert states.stage_of(vector["state"]) == vector["stage"]

    run_vector(vector, action)


@pytest.mark.parametrize("vector", load_vectors("cases/event"))
def test_case_event_vector(vector):
    body = bytes.fromhex(vector["body"])

    def action():
        headers = [(name, value) for name, value in vector["headers"]]
        request = HttpRequest(vector["method"], vector["url"], vector["path"], headers)
        verify_request(
            request, body, lambda key: encode_key_id(key) in vector["keys"], vector["now_s"]
        )
        assert encode_case_event(parse_case_event(body)) == body

    run_vector(vector, action)
