"""Parsers of step 10: notices, as a stranger's bytes and as lies a member signs properly."""

import json

from ledger_node.core import notice
from ledger_node.core.message_key import MessageKeyId
from ledger_node.core.types import CityId, PublicKey
from tests.fuzz.parsers import ParserCase
from tests.reference import exchange as x
from tests.reference import formats as f

WITHDRAWN = {
    "issuer": x.RELEASING,
    "generation": 1,
    "commitment": "11" * 32,
    "kind": "withdrawn",
    "reason": "issued-in-error",
    "successor": None,
    "decided_at": x.NOW,
}
SUPERSEDED = WITHDRAWN | {
    "kind": "superseded",
    "reason": "successor",
    "successor": {"salt": "22" * 32, "body": {"commitment": "33" * 32}},
}


def _verify(data):
    return notice.verify_notice(data, x.RELEASING, lambda key: True)


def _sign_and_verify(body):
    body = body if isinstance(body, dict) else {"not an object": body}
    return _verify(f.jcs(x.signed_file(notice.NOTICE_VERSION, body, x.RELEASING)))


def _write(parsed):
    """Members as they were signed."""
    any_key = MessageKeyId(CityId(x.RELEASING), PublicKey(bytes(32)))
    signed = json.loads(notice.encode_notice(parsed, any_key, lambda message: bytes(64)))
    return {name: signed[name] for name in WITHDRAWN}


CASES = [
    ParserCase(
        "notice",
        "json",
        _verify,
        [
            f.jcs(x.signed_file(notice.NOTICE_VERSION, body, x.RELEASING))
            for body in (WITHDRAWN, SUPERSEDED)
        ],
        None,  # the signature is made with a key the parser does not have
    ),
    ParserCase("notice, signed", "value", _sign_and_verify, [WITHDRAWN, SUPERSEDED], _write),
]
