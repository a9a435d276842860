"""Vectors of receipts of version 1: every link to the chain broken once, with and without seals.

`registration/`, `reliance/` and `unsealed/` hold semantic damages, `spelling/` bytes that are no
receipt of version 1. Fields as of `receipt/`.
"""

from tests.reference import formats as f
from tests.reference import receipts_v1 as v
from tests.reference.receipt_cases_v1 import PENDING, REGISTRATION, SEALS, UNSEALED
from tests.reference.receipt_edits import happy, put
from tests.reference.vector_files import vector


def _semantic(folder, kind, cases, *, sealed=True):
    for name, (edits, codes) in cases.items():
        story = v.StoryV1(sealed=sealed, **edits)
        waits = name.startswith("pending") or name in PENDING
        yield vector(
            f"receipt_v1/{folder}",
            name,
            f"{kind} receipt of version 1: {name.replace('-', ' ')}",
            receipt=f.jcs(getattr(story, kind)).decode(),
            trust=f.jcs(story.trust).decode(),
            document=b"",
            sensitive_types=[],
            state="holds" if name.startswith("happy") else "pending" if waits else "fails",
            codes=codes,
        )


def _spelling():
    story = v.StoryV1()
    registration, reliance = story.registration, story.reliance

    def edit(value, *path_and_value):
        return f.jcs(put(*path_and_value)(_copy(value)))

    chain = reliance["chain"]
    spellings = {
        "version-0-with-a-chain": f.jcs(registration | {"v": "tongban/receipt/v0"}),
        "version-0-under-the-name-of-1": f.jcs(happy().registration | {"v": v.V1}),
        "version-2": f.jcs(registration | {"v": "tongban/receipt/v2"}),
        "chain-missing": f.jcs({k: each for k, each in registration.items() if k != "chain"}),
        "chain-unknown-member": edit(registration, "chain", "note", 1),
        "chain-a-list": f.jcs(registration | {"chain": []}),
        "header-upper-case": edit(registration, "chain", "headers", 0, "AB"),
        "header-twice": edit(reliance, "chain", "headers", chain["headers"][:1] * 2),
        "header-too-long": edit(registration, "chain", "headers", ["00" * 65_537]),
        "logs-falling": edit(reliance, "chain", "logs", chain["logs"][::-1]),
        "log-twice": edit(reliance, "chain", "logs", chain["logs"][:1] * 2),
        "log-negative": edit(reliance, "chain", "logs", 0, "log", -1),
        "accounts-falling": edit(reliance, "chain", "accounts", chain["accounts"][::-1]),
        "slot-twice": edit(
            reliance, "chain", "accounts", 0, "slots", chain["accounts"][0]["slots"] * 2
        ),
        "slot-short": edit(reliance, "chain", "accounts", 1, "slots", 0, "slot", "00"),
        "proof-too-long": edit(reliance, "chain", "logs", 0, "proof", ["00"] * 66),
        "position-instead-of-a-place": edit(
            registration, "seal", "anchored", happy().registration["seal"]["anchored"]
        ),
        "verdicts-missing": f.jcs(
            reliance | {"body": {k: e for k, e in reliance["body"].items() if k != "verdicts"}}
        ),
        "verdicts-out-of-order": edit(reliance, "body", "verdicts", v.SEEN[::-1]),
        "verdict-unknown-code": edit(reliance, "body", "verdicts", 0, "code", "fine"),
        "verdict-holds-with-a-code": edit(reliance, "body", "verdicts", 0, "state", "holds"),
        "blank-inside": f.jcs(registration).replace(b":", b": ", 1),
        "cut-off": f.jcs(registration)[:-1],
    }
    for name, data in spellings.items():
        words = name.replace("-", " ")
        yield vector("receipt_v1/spelling", name, words, "NotAReceiptError", bytes=data)
    for name, value in (("registration", registration), ("reliance", reliance)):
        words = f"a {name} receipt of version 1"
        yield vector("receipt_v1/spelling", f"happy-{name}", words, bytes=f.jcs(value))


def _copy(value):
    if isinstance(value, dict):
        return {name: _copy(item) for name, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def build_vectors():
    yield from _semantic("registration", "registration", REGISTRATION)
    yield from _semantic("reliance", "reliance", SEALS)
    yield from _semantic("unsealed", "reliance", UNSEALED, sealed=False)
    yield from _spelling()
