"""Vectors of revocation codes and of their messages. Shares no code with ledger_node."""

import hashlib

from tests.reference import formats as f
from tests.reference.vector_files import vector

SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CITY = "510700"


def digits(value, count):
    made = ""
    for _ in range(count):
        made = SIGNS[value % 32] + made
        value //= 32
    return made


def check(body):
    value = 0
    for sign in body:
        value = 32 * value + SIGNS.index(sign)
    return value % 37


def make_code(secret=0):
    """The first code from this secret on whose check is a sign of the alphabet."""
    while True:
        body = digits(int(CITY), 4) + "7K3Q" + digits(secret, 11)
        if check(body) < 32:
            return body + SIGNS[check(body)]
        secret += 1


CODE = make_code(987654321012345)
SECRET = {
    "v": "tongban/revocation-secret/v1",
    "code": CODE,
    "shown": {"kind": "card", "scheme": "cn-resident-id", "number": "11010519491231002X"},
}
TOLD = SECRET | {"shown": {"kind": "facts", "born_on": "1949-12-31", "last_four": "002X"}}
REQUEST = {
    "v": "tongban/revocation-request/v1",
    "salt": "5a" * 32,
    "at": 1_790_000_000,
    "sealed": f.b64(bytes(80)),
}
ANSWER = {
    "v": "tongban/revocation-answer/v1",
    "request": f.sha256(b"tongban/revocation-request/v1\n", f.jcs(REQUEST)).hex(),
    "outcome": "revoked",
    "grants": 2,
}


def build_vectors():
    salt = bytes(range(16))
    verifier = hashlib.scrypt(CODE[8:19].encode(), salt=salt, n=16384, r=8, p=1, dklen=32)
    groups = "-".join(CODE[at : at + 4] for at in range(0, 20, 4))
    typed = groups.lower().replace("0", "o").replace("1", "l")
    fields = {"city": CITY, "selector": CODE[4:8], "secret": CODE[8:19]}
    for name, text in (("happy", groups), ("happy-as-typed", typed)):
        yield vector(
            "revocation/code", name, name, code=text, salt=salt, verifier=verifier, **fields
        )
    other = SIGNS[(SIGNS.index(CODE[12]) + 1) % 32]
    for name, text in (
        ("one-sign-wrong", CODE[:12] + other + CODE[13:]),
        ("one-sign-short", CODE[:-1]),
        ("one-sign-more", CODE + "0"),
        ("unknown-sign", CODE[:12] + "U" + CODE[13:]),
    ):
        yield vector("revocation/code", name, name, "RevocationCodeError", code=text)
    shape = "UnexpectedShapeError"
    for kind, name, error, value in (
        ("request", "happy", None, REQUEST),
        ("request", "no-seal", shape, REQUEST | {"sealed": ""}),
        ("request", "other-version", "UnknownVersionError", REQUEST | {"v": ANSWER["v"]}),
        ("secret", "happy-card", None, SECRET),
        ("secret", "happy-facts", None, TOLD),
        ("secret", "code-in-groups", "RevocationCodeError", SECRET | {"code": groups}),
        ("secret", "told-hearsay", shape, SECRET | {"shown": {"kind": "hearsay"}}),
        ("secret", "short-number", shape, TOLD | {"shown": TOLD["shown"] | {"last_four": "02X"}}),
        ("answer", "happy", None, ANSWER),
        ("answer", "other-outcome", shape, ANSWER | {"outcome": "unknown"}),
    ):
        yield vector(f"revocation/{kind}", name, f"{kind}: {name}", error, bytes=f.jcs(value))
