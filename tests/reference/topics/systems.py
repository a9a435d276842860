"""Vectors of what case systems hand in and get: cases, folder files, state maps, signed events.

Shares no code with ledger_node.
"""

from tests.reference import exchange as x
from tests.reference import formats as f
from tests.reference.vector_files import vector

PERSON = {"scheme": "cn-resident-id", "number": "510107199003070049", "name": "何雨晴"}
AGENT = {"scheme": "passport", "number": "E12345678", "name": "WANG Dahai"}
CASE = {
    "v": "tongban/case/v1",
    "item": "hpf-loan-remote",
    "applicant": PERSON,
    "agent": None,
    "officer": "my-registrar",
    "outlet": "hall",
    "window": "03",
    "queue_number": "A042",
    "state": "已收件",
}
FILE = {"v": "tongban/case-file/v1", "number": "MY20260302001", "case": CASE}
STATE_MAP = {
    "v": "tongban/state-map/v1",
    "system": "zongchuang",
    "states": {"已收件": "received", "已受理": "accepted", "已办结": "granted"},
}
EVENT = {
    "v": "tongban/case-event/v1",
    "id": "5a0f2c64-3b7e-4f0e-9d53-0c1f2a7b8e90",
    "city": x.RECEIVING,
    "system": "zongchuang",
    "case": "MY20260302001",
    "event": "accept",
    "stage": "accepted",
    "revision": 1,
    "at": "2026-03-02T01:23:45Z",
}
FILED = EVENT | {"event": "receipt_filed", "receipt": "ab" * 32}
CALLBACK = "/tongban/events"
SHAPE, VERSION = "UnexpectedShapeError", "UnknownVersionError"


def without(value, name):
    return {key: each for key, each in value.items() if key != name}


def _drafts():
    nobody = CASE | {"officer": None, "outlet": None, "window": None, "queue_number": None}
    cases = {
        "happy": (None, CASE),
        "happy-with-agent": (None, CASE | {"agent": AGENT}),
        "happy-nobody-yet": (None, nobody),
        "happy-longest": (
            None,
            CASE | {"outlet": "o" * 32, "window": "w" * 16, "state": "态" * 64},
        ),
        "other-version": (VERSION, CASE | {"v": "tongban/case/v2"}),
        "no-agent-member": (SHAPE, without(CASE, "agent")),
        "unknown-member": (SHAPE, CASE | {"phone": "13900000000"}),
        "applicant-without-name": (SHAPE, CASE | {"applicant": without(PERSON, "name")}),
        "applicant-null": (SHAPE, CASE | {"applicant": None}),
        "officer-with-a-space": (SHAPE, CASE | {"officer": "my registrar"}),
        "window-too-long": (SHAPE, CASE | {"window": "w" * 17}),
        "outlet-too-long": (SHAPE, CASE | {"outlet": "o" * 33}),
        "queue-number-too-long": (SHAPE, CASE | {"queue_number": "q" * 33}),
        "state-too-long": (SHAPE, CASE | {"state": "态" * 65}),
        "state-empty": (SHAPE, CASE | {"state": ""}),
        "state-with-a-line-end": (SHAPE, CASE | {"state": "已\n收件"}),
    }
    for name, (error, value) in cases.items():
        yield vector("cases/draft", name, f"case handed in: {name}", error, bytes=f.jcs(value))
    loose = b" " + f.jcs(CASE)
    yield vector("cases/draft", "not-canonical", "a blank", "NotCanonicalError", bytes=loose)


def _files():
    cases = {
        "happy": (None, FILE),
        "other-version": (VERSION, FILE | {"v": "tongban/case/v1"}),
        "no-number": (SHAPE, without(FILE, "number")),
        "number-with-a-slash-first": (SHAPE, FILE | {"number": "/etc/passwd"}),
        "number-of-digits-only-as-integer": (SHAPE, FILE | {"number": 7}),
        "unknown-member": (SHAPE, FILE | {"name": "a.json"}),
        "case-broken": (SHAPE, FILE | {"case": without(CASE, "state")}),
    }
    for name, (error, value) in cases.items():
        yield vector(
            "cases/file", name, f"file of a watched folder: {name}", error,
            bytes=f.jcs(value), number=FILE["number"],
        )  # fmt: skip


def _state_maps():
    many = {f"状态{n}": "received" for n in range(64)}
    cases = {
        "happy": (None, STATE_MAP, "已受理", "accepted"),
        "happy-64-rows": (None, STATE_MAP | {"states": many}, "状态63", "received"),
        "state-without-a-row": ("UnmappedStateError", STATE_MAP, "已归档", ""),
        "state-with-a-blank-behind": ("UnmappedStateError", STATE_MAP, "已受理 ", ""),
        "no-rows": ("UnmappedStateError", STATE_MAP | {"states": {}}, "已受理", ""),
        "rows-as-a-list": ("UnmappedStateError", STATE_MAP | {"states": []}, "已受理", ""),
        "65-rows": (
            "UnmappedStateError",
            STATE_MAP | {"states": many | {"再多": "received"}},
            "再多",
            "",
        ),
        "stage-that-does-not-exist": (
            SHAPE,
            STATE_MAP | {"states": {"已受理": "done"}},
            "已受理",
            "",
        ),
        "stage-null": (SHAPE, STATE_MAP | {"states": {"已受理": None}}, "已受理", ""),
        "name-too-long": (SHAPE, STATE_MAP | {"states": {"态" * 65: "received"}}, "已受理", ""),
        "name-empty": (SHAPE, STATE_MAP | {"states": {"": "received"}}, "", ""),
        "other-version": (VERSION, STATE_MAP | {"v": "tongban/state-map/v2"}, "已受理", ""),
        "no-system": (SHAPE, without(STATE_MAP, "system"), "已受理", ""),
    }
    for name, (error, value, state, stage) in cases.items():
        yield vector(
            "cases/state-map", name, f"state map: {name}", error,
            bytes=f.jcs(value), state=state, stage=stage,
        )  # fmt: skip


def _signed(value, **changes):
    body = f.jcs(value)
    return {
        "method": "POST",
        "url": x.ADDRESSES[x.RELEASING],
        "path": CALLBACK,
        "headers": list(x.message_request(body, CALLBACK).items()),
        "body": body,
        "keys": [x.key_id(x.RECEIVING)],
        "now_s": x.NOW + 2,
    } | changes


def _events():
    good = _signed(EVENT)
    other = EVENT | {"stage": "granted", "event": "grant"}
    cases = {
        "happy": (None, good),
        "happy-receipt-filed": (None, _signed(FILED)),
        "happy-recall": (None, _signed(EVENT | {"event": "recall"})),
        "other-body": ("MessageBodyMismatchError", good | {"body": f.jcs(other)}),
        "other-path": ("MessageSignatureError", good | {"path": "/elsewhere"}),
        "other-key": ("MessageKeyUnknownError", good | {"keys": [x.key_id(x.RELEASING)]}),
        "an-hour-later": ("MessageNotCurrentError", good | {"now_s": x.NOW + 3600}),
        "not-signed": ("MessageUnsignedError", good | {"headers": []}),
        "other-version": (VERSION, _signed(EVENT | {"v": "tongban/case-event/v2"})),
        "unknown-event": (SHAPE, _signed(EVENT | {"event": "celebrate"})),
        "unknown-stage": (SHAPE, _signed(EVENT | {"stage": "done"})),
        "receipt-with-another-event": (SHAPE, _signed(EVENT | {"receipt": "ab" * 32})),
        "receipt-filed-without-one": (SHAPE, _signed(without(FILED, "receipt"))),
        "id-in-capitals": (SHAPE, _signed(EVENT | {"id": EVENT["id"].upper()})),
        "time-without-zone": (SHAPE, _signed(EVENT | {"at": "2026-03-02T01:23:45"})),
        "time-that-is-none": (SHAPE, _signed(EVENT | {"at": "2026-02-30T01:23:45Z"})),
        "revision-below-zero": (SHAPE, _signed(EVENT | {"revision": -1})),
        "unknown-member": (SHAPE, _signed(EVENT | {"applicant": "何雨晴"})),
    }
    for name, (error, case) in cases.items():
        yield vector("cases/event", name, f"event for a case system: {name}", error, **case)


def build_vectors():
    yield from _drafts()
    yield from _files()
    yield from _state_maps()
    yield from _events()
