"""Vectors of receipts: every link of the chain of evidence broken once, by whoever could do it.

`registration/` and `reliance/` hold semantic damages: what follows the damaged step is made anew,
so a lie in `body` is signed and logged by the relying city itself. `spelling/` holds bytes that are
no receipt at all, `trust/` trust files.
"""

from tests.reference import exchange as x
from tests.reference import formats as f
from tests.reference import receipts as r
from tests.reference.receipt_cases_registration import REGISTRATION
from tests.reference.receipt_cases_reliance import RELIANCE
from tests.reference.receipt_edits import (
    happy,
    put,
)
from tests.reference.vector_files import vector


def _semantic(kind, cases):
    for name, (edits, codes, arguments) in cases.items():
        story = r.Story(**edits) if edits else happy()
        document = arguments.get("document", b"")
        if document == "own":
            document = f.sha256("结婚证扫描件".encode())
        state = "pending" if name.startswith("pending") else "fails"
        yield vector(
            f"receipt/{kind}",
            name,
            f"{kind} receipt: {name.replace('-', ' ')}",
            receipt=f.jcs(getattr(story, kind)).decode(),
            trust=f.jcs(story.trust).decode(),
            document=document,
            sensitive_types=arguments.get("sensitive_types", []),
            state="holds" if name.startswith("happy") else state,
            codes=codes,
        )


def _spelling():
    registration, reliance = happy().registration, happy().reliance
    text = f.jcs(registration)
    seal = registration["seal"]
    spellings = {
        "blank-inside": text.replace(b":", b": ", 1),
        "members-out-of-order": b'{"v":"tongban/receipt/v0",' + text[1:-28] + b"}",
        "cut-off": text[:-1],
        "empty": b"",
        "not-an-object": b"[]",
        "no-json": b"PK\x03\x04",
        "other-version": f.jcs(registration | {"v": "tongban/receipt/v1"}),
        "unknown-kind": f.jcs(registration | {"kind": "registered"}),
        "kind-of-the-other": f.jcs(registration | {"kind": "reliance", "seal": None}),
        "unknown-member": f.jcs(registration | {"note": "x"}),
        "member-missing": f.jcs({k: v for k, v in registration.items() if k != "seal"}),
        "body-a-list": f.jcs(registration | {"body": []}),
        "upper-case-signature-key": f.jcs(registration | {"keyid": registration["keyid"].upper()}),
        "signature-too-short": f.jcs(registration | {"signature": f.b64(bytes(63))}),
        "signature-unpadded": f.jcs(
            registration | {"signature": registration["signature"].rstrip("=")}
        ),
        "seal-with-salt": f.jcs(registration | {"seal": seal | {"salt": "00" * 32}}),
        "seal-unknown-member": f.jcs(registration | {"seal": seal | {"note": 1}}),
        "upper-case-root": f.jcs(registration | {"seal": seal | {"root": "AB" * 32}}),
        "body-unknown-member": f.jcs(put("body", "note", 1)(_copy(registration))),
        "no-digests": f.jcs(put("body", "digests", [])(_copy(registration))),
        "positions-falling": f.jcs(
            put("body", "disclosed", registration["body"]["disclosed"][::-1])(_copy(registration))
        ),
        "reliance-seal-without-salt": f.jcs(
            reliance | {"seal": {k: v for k, v in reliance["seal"].items() if k != "salt"}}
        ),
        "reliance-no-materials": f.jcs(put("body", "materials", [])(_copy(reliance))),
        "reliance-material-twice": f.jcs(
            put("body", "materials", reliance["body"]["materials"] * 2)(_copy(reliance))
        ),
        "reliance-answer-not-200": f.jcs(
            put("body", "answer_message", "status", 202)(_copy(reliance))
        ),
        "reliance-status-16": f.jcs(put("body", "materials", 0, "status", 16)(_copy(reliance))),
        "reliance-header-missing": f.jcs(
            put("body", "request_message", "headers", {})(_copy(reliance))
        ),
        "reliance-request-of-other-version": f.jcs(
            put("body", "request", "v", "tongban/release-request/v2")(_copy(reliance))
        ),
        "reliance-role-unknown": f.jcs(put("body", "decision", "role", "mayor")(_copy(reliance))),
    }
    for name, data in spellings.items():
        yield vector(
            "receipt/spelling", name, name.replace("-", " "), "NotAReceiptError", bytes=data
        )
    yield vector("receipt/spelling", "happy-registration", "a registration receipt", bytes=text)
    yield vector("receipt/spelling", "happy-reliance", "a reliance receipt", bytes=f.jcs(reliance))


def _copy(value):
    if isinstance(value, dict):
        return {name: _copy(item) for name, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _trust():
    good = happy().trust
    shape, encoding = "UnexpectedShapeError", "MalformedEncodingError"

    def case(name, error=None, **changes):
        data = f.jcs(_copy(good) | changes)
        return vector("receipt/trust", name, name.replace("-", " "), error, bytes=data)

    def facts(*path_and_value):
        return {"facts": put(*path_and_value)(_copy(good["facts"]))}

    def member(*path_and_value):
        return {"members": put(*path_and_value)(_copy(good["members"]))}

    keys = good["members"][0]["keys"]
    first, second = keys[0] | {"valid_until": x.NOW}, keys[0] | {"valid_from": x.NOW}
    yield case("happy")
    yield case("happy-without-facts", facts=None)
    yield case("happy-key-replaced", **member(0, "keys", [first, second, *keys[1:]]))
    yield case("other-version", "UnknownVersionError", v="tongban/trust/v2")
    yield case("unknown-member", shape, note="x")
    yield case("domain-with-blank", "MalformedOriginError", consortium="tongban example")
    yield case("chain-id-zero", shape, chain_id=0)
    yield case("genesis-short", encoding, genesis="00")
    one = {"from_block": 0, "to_block": 9, "addresses": ["0x" + "11" * 20, "0x" + "22" * 20]}
    two = one | {"from_block": 10, "to_block": None}
    yield case("happy-validators", validators=[one, two])
    yield case("validators-no-object", shape, validators=["x"])
    yield case("validators-none-in-a-set", shape, validators=[one | {"addresses": []}])
    twice = one | {"addresses": one["addresses"][:1] * 2}
    yield case("validator-twice", shape, validators=[twice])
    yield case(
        "validators-falling", shape, validators=[one | {"addresses": one["addresses"][::-1]}]
    )
    yield case("validator-ranges-overlap", shape, validators=[one, two | {"from_block": 9}])
    yield case("validator-ranges-falling", shape, validators=[two, one])
    yield case("validator-range-empty", shape, validators=[one | {"from_block": 10}])
    yield case("members-falling", shape, members=good["members"][::-1])
    yield case("member-twice", shape, members=good["members"][:1] * 2)
    yield case("contracts-falling", shape, contracts=good["contracts"][::-1])
    yield case(
        "contract-role-unknown",
        shape,
        contracts=[good["contracts"][0] | {"role": "proxy"}],
    )
    yield case("key-role-unknown", shape, **member(0, "keys", 0, "role", "root"))
    yield case("keys-overlap", shape, **member(0, "keys", [keys[0], second]))
    late = first | {"valid_until": x.NOW + 1}
    yield case("keys-overlap-by-a-second", shape, **member(0, "keys", [late, second]))
    yield case("keys-falling", shape, **member(0, "keys", keys[::-1]))
    yield case("key-short", encoding, **member(0, "keys", 0, "key", "00"))
    yield case("heads-falling", shape, **facts("heads", good["facts"]["heads"][::-1]))
    yield case("head-twice", shape, **facts("heads", good["facts"]["heads"][:1] * 2))
    yield case("head-empty", shape, **facts("heads", 0, "size", 0))
    yield case("grant-twice", shape, **facts("grants", good["facts"]["grants"] * 2))
    yield case("basis-5", shape, **facts("grants", 0, "basis", 5))
    yield case("status-3", shape, **facts("statuses", [happy().status(3, 60)]))
    yield case("happy-status", **facts("statuses", [happy().status(2, 60)]))
    yield case(
        "consumption-twice", shape, **facts("consumptions", good["facts"]["consumptions"] * 2)
    )
    yield case("facts-unknown-member", shape, **facts("note", "x"))


def build_vectors():
    yield from _semantic("registration", REGISTRATION)
    yield from _semantic("reliance", RELIANCE)
    yield from _spelling()
    yield from _trust()
