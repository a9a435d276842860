"""The exchange between two cities in plain dicts, as docs/spec describes it: the oracle's side.

Wuhou (510107) records and releases, Mianyang (510700) receives. Shares no code with ledger_node.
"""

from functools import cache

from tests.fakes.software_authenticator import SoftwareAuthenticator, b64url
from tests.reference import formats as f
from tests.reference import tree
from tests.reference.topics.statements import DOCUMENT, make_statement

DOMAIN = "tongban.example"
RELEASING, RECEIVING, OTHER = "510107", "510700", "610113"
ORIGIN = f"{DOMAIN}/{RELEASING}/0"
CHAIN_ID = 20261
NOW = 1_790_000_000
ANCHORED_AT = NOW - 3600
MADE_AT = NOW - 60
GRANTS = "0x" + "5a" * 20
RP_ID, PAGE = "wuhou.example", "https://banshi.wuhou.example"
SUBJECT = {"scheme": "cn-resident-id", "number": "11010519491231002X", "name": "张三"}
ITEM = {"scheme": "demo", "code": "hpf-loan-remote"}
CASE = {"city": RECEIVING, "number": "2026-0042"}
SEEDS = {
    name: f.sha256(b"seed " + name.encode()) for name in ("wang", "li", "wang-2", "zhao", "foreign")
}
MESSAGE_SEEDS = {RELEASING: f.sha256(b"message 510107"), RECEIVING: f.sha256(b"message 510700")}


def salt(label):
    return f.sha256(b"exchange " + label.encode())


@cache
def public(seed):
    return f.ed25519_public(seed)


@cache
def sign(seed, message):
    return f.ed25519_sign(seed, message)


# --- Terms -------------------------------------------------------------------------------------


def commit(kind, body, label=None):
    return f.commitment(kind, ORIGIN, salt(label or kind), body)


def terms(**changes):
    """Terms as a JSON object."""
    return {
        "v": "tongban/terms/v1",
        "salt": salt("terms").hex(),
        "chain_id": CHAIN_ID,
        "grants": GRANTS,
        "recording": RELEASING,
        "releasing": RELEASING,
        "receiving": RECEIVING,
        "subject": commit("subject", SUBJECT).hex(),
        "grantor": {"kind": "self", "mandate": None},
        "materials": None,
        "types": [
            {"code": "marriage-cert", "fields": ["number", "valid_from"], "documents": True},
            {"code": "income-cert", "fields": ["issuer"], "documents": False},
        ],
        "item": commit("item", ITEM).hex(),
        "case": commit("case", CASE).hex(),
        "not_before": NOW - 600,
        "not_after": NOW + 30 * 24 * 3600,
        "uses": 2,
        "basis": "counter",
        "text": "consent/2026-1",
    } | changes


def grant_id(terms_object):
    return f.sha256(b"tongban/terms/v1\n", f.jcs(terms_object))


def challenge(*grant_ids):
    return f.sha256(b"tongban/bundle/v1\n", *sorted(grant_ids))


# --- Credentials and the log they stand in -----------------------------------------------------


def officer_body(name, *, officer=None, city=RELEASING, role="registrar"):
    return {
        "v": "tongban/credential/officer/v1",
        "city": city,
        "officer": officer or f"w-{name}",
        "role": role,
        "key": public(SEEDS[name]).hex(),
        "from": "2026-01-01T00:00:00Z",
    }


AUTHENTICATOR_SECRET = 20261


def authenticator(sign_count=6):
    return SoftwareAuthenticator(AUTHENTICATOR_SECRET, RP_ID, sign_count)


def passkey_body(**changes):
    passkey = authenticator()
    return {
        "v": "tongban/credential/passkey/v1",
        "city": RELEASING,
        "credential_id": b64url(passkey.credential_id),
        "public_key": b64url(passkey.public_key),
        "rp_id": RP_ID,
        "subject": terms()["subject"],
    } | changes


BODIES = {
    "wang": officer_body("wang"),
    "li": officer_body("li", role="supervisor"),
    "wang-2": officer_body("wang-2", officer="w-wang"),  # the same person, enrolled twice
    "wang-key": officer_body("wang", officer="w-chen"),  # another person, the same key
    "foreign": officer_body("foreign", city=OTHER),
    "passkey": passkey_body(),
    "passkey-other-subject": passkey_body(subject=salt("another subject").hex()),
    "passkey-other-city": passkey_body(city=OTHER),
}
TEXTS, DIGESTS, COMMITMENT = make_statement([DOCUMENT, DOCUMENT])


def entry(kind, commitment):
    return bytes([1, kind]) + commitment


ENTRIES = [
    *(entry(2, f.commitment("credential", ORIGIN, salt(name), BODIES[name])) for name in BODIES),
    entry(1, COMMITMENT),
]
HEAD = (len(ENTRIES), tree.mth(ENTRIES))


def placement(index):
    return {
        "generation": 0,
        "leaf_index": index,
        "tree_size": HEAD[0],
        "root": HEAD[1].hex(),
        "proof": [each.hex() for each in tree.path(index, ENTRIES)],
    }


def credential(name):
    index = list(BODIES).index(name)
    return {"salt": salt(name).hex(), "body": BODIES[name], **placement(index)}


def credential_leaf(name):
    return tree.leaf_hash(ENTRIES[list(BODIES).index(name)])


# --- Evidence ----------------------------------------------------------------------------------


def with_officers(unsigned, names):
    """Evidence signed by officers; the key of `wang-key` is that of `wang`."""
    unsigned = unsigned | {"officers": [{"credential": credential(name)} for name in names]}
    message = b"tongban/evidence/v1\n" + f.sha256(f.jcs(unsigned))
    officers = [
        {
            "credential": credential(name),
            "signature": f.b64(sign(SEEDS[name.removesuffix("-key")], message)),
        }
        for name in names
    ]
    return unsigned | {"officers": officers}


def counter(challenge_bytes, names=("wang",), *, read_by_device=True, made_at=MADE_AT):
    unsigned = {
        "v": "tongban/evidence/v1",
        "kind": "counter",
        "challenge": challenge_bytes.hex(),
        "made_at": made_at,
        "identity_document": {"scheme": "cn-resident-id", "read_by_device": read_by_device},
        "signature": {"digest": "sha-256:" + salt("pad").hex(), "how": "pad"},
    }
    return with_officers(unsigned, names)


def statutory(challenge_bytes, names=("wang", "li")):
    unsigned = {
        "v": "tongban/evidence/v1",
        "kind": "statutory",
        "challenge": challenge_bytes.hex(),
        "made_at": MADE_AT,
        "duty": {"law": "国务院令第716号", "article": "第七条"},
    }
    return with_officers(unsigned, names)


def passkey(challenge_bytes, *, name="passkey", origin=PAGE, rp_id=RP_ID, parts=None, **ceremony):
    made = authenticator().get_assertion(challenge_bytes, origin, **ceremony)
    return {
        "v": "tongban/evidence/v1",
        "kind": "passkey",
        "challenge": challenge_bytes.hex(),
        "made_at": MADE_AT,
        "credential": credential(name),
        "assertion": {part: b64url(data) for part, data in (made | (parts or {})).items()},
        "rp_id": rp_id,
        "origin": origin,
    }


# --- Find and release --------------------------------------------------------------------------

SEALED = f.b64(salt("sealed") * 4)
MATERIAL_INDEX = len(ENTRIES) - 1
POSITIONS, DOCUMENTS = [3, 5], [0]  # number, valid_from; first document
DOCUMENT_POSITION = 12


def find_request(**changes):
    made = terms()
    return {
        "v": "tongban/find-request/v1",
        "terms": made,
        "bundle": [],
        "evidence": counter(challenge(grant_id(made))),
        "generation": 0,
        "basis": "counter",
        "types": ["marriage-cert"],
        "sealed": SEALED,
        "officer": "m-zhou",
        "requested_at": NOW,
    } | changes


def candidate(**changes):
    return {
        "commitment": COMMITMENT.hex(),
        "type": "marriage-cert",
        "version": 1,
        "grade": "B",
        "standing": "active",
        "valid_from": "2025-05-20",
        "valid_until": None,
        "leaf_index": MATERIAL_INDEX,
        "documents": 2,
    } | changes


def find_answer(*candidates):
    return {
        "v": "tongban/find-answer/v1",
        "request": f.sha256(f.jcs(find_request())).hex(),
        "materials": list(candidates),
        "answered_at": NOW + 1,
    }


def release_request(**changes):
    made = terms()
    return {
        "v": "tongban/release-request/v1",
        "terms": made,
        "bundle": [],
        "evidence": counter(challenge(grant_id(made))),
        "evidence_salt": salt("evidence").hex(),
        "generation": 0,
        "sealed": SEALED,
        "materials": [
            {"commitment": COMMITMENT.hex(), "positions": POSITIONS, "documents": DOCUMENTS}
        ],
        "encryption_key": salt("encryption key").hex(),
        "officer": "m-zhou",
        "requested_at": NOW,
    } | changes


def released_material(**changes):
    return {
        "commitment": COMMITMENT.hex(),
        **placement(MATERIAL_INDEX),
        "standing": "active",
        "digests": [each.hex() for each in DIGESTS],
        "documents": [
            {"index": 0, "address": "sha-256:" + salt("sealed 0").hex(), "sealed_bytes": 220}
        ],
    } | changes


def release_answer(**changes):
    return {
        "v": "tongban/release-answer/v1",
        "request": f.sha256(f.jcs(release_request())).hex(),
        "materials": [released_material()],
        "refused": [],
        "sealed": SEALED,
        "answered_at": NOW + 2,
    } | changes


def disclosures(positions=(0, *POSITIONS, DOCUMENT_POSITION)):
    return [{"position": position, "text": TEXTS[position]} for position in positions]


def release_secrets(**changes):
    material = {
        "commitment": COMMITMENT.hex(),
        "disclosures": disclosures(),
        "identities": [{"index": 0, "secret": salt("identity 0").hex()}],
    } | changes
    return {"salt": salt("release").hex(), "materials": [material]}


def release_commitment(request, answer, secrets):
    return f.sha256(
        b"tongban/release/v1\n",
        bytes.fromhex(secrets["salt"]),
        f.sha256(f.jcs(request)),
        f.sha256(f.jcs(answer)),
    )


def signed_file(version, body, city=RECEIVING, seed=None):
    """A small file signed by a message key."""
    seed = seed or MESSAGE_SEEDS[city]
    unsigned = body | {"v": version, "keyid": f"{city}/message/{public(seed).hex()}"}
    message = f"{version}\n".encode() + f.sha256(f.jcs(unsigned))
    return unsigned | {"signature": f.b64(sign(seed, message))}


def acknowledgement(**changes):
    request, answer, secrets = release_request(), release_answer(), release_secrets()
    return {
        "terms": grant_id(terms()).hex(),
        "release": release_commitment(request, answer, secrets).hex(),
        "request": f.sha256(f.jcs(request)).hex(),
        "answer": f.sha256(f.jcs(answer)).hex(),
        "received_at": NOW + 30,
    } | changes


def destruction(**changes):
    return {
        "issuer": RELEASING,
        "commitment": COMMITMENT.hex(),
        "releases": [acknowledgement()["release"]],
        "destroyed_at": NOW + 3600,
    } | changes


# --- Messages (RFC 9421 by hand) ---------------------------------------------------------------

ADDRESSES = {RELEASING: "http://127.0.0.1:8101", RECEIVING: "http://127.0.0.1:8102"}
REQUEST_COMPONENTS = ["@method", "@authority", "@path", "@query", "content-digest"]


def key_id(city, seed=None):
    return f"{city}/message/{public(seed or MESSAGE_SEEDS[city]).hex()}"


def parameters(created_at, city, nonce_label, **changes):
    values = {
        "created": created_at,
        "keyid": key_id(city),
        "expires": created_at + 300,
        "nonce": b64url(salt(nonce_label)[:16]),
        "tag": "tongban-v1",
    } | changes
    return "".join(
        f";{name}={value}" if isinstance(value, int) else f';{name}="{value}"'
        for name, value in values.items()
        if value is not None
    )


def signature_headers(values, line, seed, label="tongban"):
    """Signature headers over [(component, value)] with the given parameter line."""
    listed = "(" + " ".join(component for component, _ in values) + ")" + line
    base = "\n".join(f"{component}: {value}" for component, value in values)
    base += f'\n"@signature-params": {listed}'
    signature = f.b64(sign(seed, base.encode()))
    return {"signature-input": f"{label}={listed}", "signature": f"{label}=:{signature}:"}


def content_digest(body):
    return f"sha-256=:{f.b64(f.sha256(body))}:"


def message_request(body, path="/peer/v1/find", *, components=None, label="tongban", **changes):
    """Headers of a request from Mianyang to Wuhou."""
    digest = content_digest(body)
    known = {
        "@method": "POST",
        "@authority": "127.0.0.1:8101",
        "@path": path,
        "@query": "?",
        "@scheme": "http",
        "content-digest": digest,
    }
    values = [(f'"{name}"', known[name]) for name in components or REQUEST_COMPONENTS]
    line = parameters(NOW, RECEIVING, "request", **changes)
    headers = signature_headers(values, line, MESSAGE_SEEDS[RECEIVING], label)
    return {"content-digest": digest, **headers}


def message_answer(request, body, *, status=200, city=RELEASING, leave_out=None, **changes):
    """Headers of Wuhou's answer to `request` (its headers)."""
    digest = content_digest(body)
    values = [
        ('"@status"', str(status)),
        ('"content-digest"', digest),
        ('"@method";req', "POST"),
        ('"@path";req', "/peer/v1/find"),
        ('"content-digest";req', request["content-digest"]),
        ('"signature";req', request["signature"]),
    ]
    values = [pair for pair in values if pair[0] != leave_out]
    line = parameters(NOW + 1, city, "answer", **changes)
    return {
        "content-digest": digest,
        **signature_headers(values, line, MESSAGE_SEEDS[city]),
    }
