"""Receipts and the trust file in plain dicts, as docs/spec describes them: the oracle's side.

Wuhou (510107) registered, recorded and released; Mianyang (510700) received and relied. Every step
can be edited: what comes after it is then made of the edited step, so that an edit of `body` is a
lie of the relying city re-signed with its real key. Shares no code with ledger_node.
"""

from copy import deepcopy

from tests.reference import exchange as x
from tests.reference import formats as f
from tests.reference import tree

ANSWER_PATH = "/peer/v1/releases/answer"
REQUEST_PATH = "/peer/v1/releases"
CITY_LOG = "0x" + "1c" * 20
GENESIS = f.sha256(b"genesis")
DECIDED_AT = x.NOW + 60
AS_OF = {"number": 90, "hash": f.sha256(b"block 90").hex(), "timestamp": x.NOW + 600}
ROLES = ["anchor", "gate", "govern", "checkpoint", "cosigner", "message", "encryption"]
FIELDS = [
    ("subjects", [x.SUBJECT | {"role": "spouse"}, {"scheme": "passport", "number": "E1"}]),
    ("issuer", {"code": "11510107MB1234567X", "name": "成都市武侯区民政局"}),
    ("number", "J510107-2025-001234"),
    ("issued_on", "2025-05-20"),
    ("valid_from", "2025-05-20"),
    ("valid_until", "2031-05-01"),
    ("grade", "B"),
    ("original_check", None),
    ("retention", "permanent"),
    ("predecessor", None),
    ("attributes", {}),
]
DOCUMENT = {
    "concerns": [],
    "digest": "sha-256:" + f.sha256("结婚证扫描件".encode()).hex(),
    "extent": "complete",
    "media_type": "application/pdf",
    "pages": 2,
    "size_bytes": 18,
}
SHOWN = [0, 1, 3, 5, 6, 12]


def position(block, contract=CITY_LOG, seconds=None, log_index=0):
    """Where an event stands; block 20 is an hour before NOW, 1 block a minute from there."""
    return {
        "contract": contract,
        "block_number": block,
        "block_hash": f.sha256(f"block {block}".encode()).hex(),
        "block_timestamp": seconds or x.ANCHORED_AT + 60 * (block - 20),
        "tx_hash": f.sha256(f"tx {block} {log_index}".encode()).hex(),
        "log_index": log_index,
    }


AT_CREDENTIALS = position(19)
AT_MATERIAL = position(20)
AT_RECORDED = position(79, x.GRANTS, x.NOW - 30)
AT_CONSUMED = position(81, x.GRANTS, x.NOW + 5)
AT_RELIANCE = position(84, seconds=x.NOW + 120)
STATE_BLOCK = {"number": 82, "hash": f.sha256(b"block 82").hex(), "timestamp": x.NOW + 50}


def make_statement(fields, document=DOCUMENT, code="marriage-cert", origin=x.ORIGIN):
    pairs = [("type", {"code": code, "version": 1}), *fields, ("document.0", document)]
    texts = [f.disclosure(x.salt(f"field {name}"), name, value) for name, value in pairs]
    digests = [f.sha256(text.encode()) for text in texts]
    return texts, digests, f.statement_commitment(origin, digests)


def place(index, entries, generation=0):
    return {
        "generation": generation,
        "leaf_index": index,
        "tree_size": len(entries),
        "root": tree.mth(entries).hex(),
        "proof": [each.hex() for each in tree.path(index, entries)],
    }


def head_fact(city, entries, at):
    return {
        "city": city,
        "generation": 0,
        "size": len(entries),
        "root": tree.mth(entries).hex(),
        "at": at,
    }


def shown(texts, positions):
    return [{"position": at, "text": texts[at]} for at in positions]


def request_headers(body, path, seed, key_id):
    """Signature headers of a request from Mianyang to Wuhou."""
    digest = x.content_digest(body)
    values = [
        ('"@method"', "POST"),
        ('"@authority"', "127.0.0.1:8101"),
        ('"@path"', path),
        ('"@query"', "?"),
        ('"content-digest"', digest),
    ]
    line = x.parameters(x.NOW, x.RECEIVING, "request", keyid=key_id)
    return {"content-digest": digest, **x.signature_headers(values, line, seed)}


def signed_receipt(kind, body, city, seal, seed=None, version="tongban/receipt/v0"):
    """The file of a receipt; edits of the body come before."""
    seed = seed or x.MESSAGE_SEEDS[city]
    unsigned = {
        "v": version,
        "kind": kind,
        "body": body,
        "keyid": f"{city}/message/{x.public(seed).hex()}",
    }
    message = f"{version}\n".encode() + f.sha256(f.jcs(unsigned))
    return unsigned | {"signature": f.b64(x.sign(seed, message)), "seal": seal}


class Story:
    """One registration and one reliance, step by step; `edit` maps a step's name to a change."""

    version = "tongban/receipt/v0"

    def __init__(self, **edit):
        self.edit = edit
        self.used = set()
        self._tell()
        assert self.used == edit.keys(), f"edits that changed nothing: {edit.keys() - self.used}"

    def step(self, name, value):
        change = self.edit.get(name)
        if change is None:
            return value
        self.used.add(name)
        changed = change(deepcopy(value))
        assert changed != value, f"the edit of {name} changed nothing"
        return changed

    def _tell(self):
        self._register()
        self._grant()
        self._release()
        self._rely()
        self._trust()

    def _register(self):
        fields = self.step("fields", FIELDS)
        document = self.step("document", DOCUMENT)
        self.texts, self.digests, self.commitment = make_statement(fields, document)
        self.entries = [*x.ENTRIES, x.entry(1, self.commitment)]
        body = {
            "receipt": "0c6ab2ae-9b0e-4a57-8c9e-0d5a1ad0f0aa",
            "city": x.RELEASING,
            "generation": 0,
            "commitment": self.commitment.hex(),
            "digests": [each.hex() for each in self.digests],
            "disclosed": shown(self.texts, self.step("registration_shown", [0, 12])),
            "registered_at": x.ANCHORED_AT - 60,
        }
        body = self.step("registration_body", body)
        placed = place(len(self.entries) - 1, self.entries)
        seal = self.step("registration_seal", placed | {"anchored": AT_MATERIAL})
        seed = self.step("registration_seed", x.MESSAGE_SEEDS[x.RELEASING])
        made = signed_receipt("registration", body, x.RELEASING, seal, seed, self.version)
        self.registration = self.step("registration_file", made)

    def _grant(self):
        self.terms = self.step("terms", x.terms())
        signed = x.challenge(x.grant_id(self.terms))
        names = self.step("officers", ["wang"])
        self.evidence = self.step("evidence", x.counter(signed, names))
        commitment = f.commitment("evidence", x.ORIGIN, x.salt("evidence"), self.evidence)
        self.grant_fact = {
            "terms": x.grant_id(self.terms).hex(),
            "releasing": self.terms["releasing"],
            "receiving": self.terms["receiving"],
            "recorder": self.terms["recording"],
            "not_before": self.terms["not_before"],
            "not_after": self.terms["not_after"],
            "uses": self.terms["uses"],
            "basis": 2,
            "evidence": commitment.hex(),
            "recorded": AT_RECORDED,
            "revoked": None,
        }

    def _release(self):
        asked = {"commitment": self.commitment.hex(), "positions": [1, 3, 5, 6], "documents": [0]}
        request = x.release_request(terms=self.terms, evidence=self.evidence, materials=[asked])
        self.request = self.step("request", request)
        seed = self.step("request_seed", x.MESSAGE_SEEDS[x.RECEIVING])
        key_id = self.step("request_keyid", x.key_id(x.RECEIVING, seed))
        head = request_headers(f.jcs(self.request), REQUEST_PATH, seed, key_id)
        self.request_head = self.step(
            "request_head",
            {"url": x.ADDRESSES[x.RELEASING], "path": REQUEST_PATH, "headers": head},
        )
        material = {
            "commitment": self.commitment.hex(),
            **place(len(self.entries) - 1, self.entries),
            "standing": "active",
            "digests": [each.hex() for each in self.digests],
            "documents": x.released_material()["documents"],
        }
        digest = f.sha256(f.jcs(self.request)).hex()
        answer = x.release_answer(request=digest, materials=[self.step("released", material)])
        self.answer = self.step("answer", answer)
        self.release = x.release_commitment(self.request, self.answer, x.release_secrets()).hex()
        fetch = f.jcs({"request": digest, "v": "tongban/release-fetch/v1"})
        fetched = {
            "url": x.ADDRESSES[x.RELEASING],
            "path": ANSWER_PATH,
            "headers": request_headers(
                fetch, ANSWER_PATH, x.MESSAGE_SEEDS[x.RECEIVING], x.key_id(x.RECEIVING)
            ),
        }
        seed = self.step("answer_seed", x.MESSAGE_SEEDS[x.RELEASING])
        self.answer_head = self.step("answer_head", self._answer_head(fetched, seed))
        acknowledgement = {
            "terms": x.grant_id(self.terms).hex(),
            "release": self.release,
            "request": digest,
            "answer": f.sha256(f.jcs(self.answer)).hex(),
            "received_at": x.NOW + 30,
        }
        acknowledgement = self.step("acknowledgement", acknowledgement)
        made = x.signed_file("tongban/acknowledgement/v1", acknowledgement)
        self.acknowledgement = self.step("acknowledgement_file", made)

    def _answer_head(self, fetched, seed):
        digest = x.content_digest(f.jcs(self.answer))
        values = [
            ('"@status"', "200"),
            ('"content-digest"', digest),
            ('"@method";req', "POST"),
            ('"@path";req', fetched["path"]),
            ('"content-digest";req', fetched["headers"]["content-digest"]),
            ('"signature";req', fetched["headers"]["signature"]),
        ]
        city = x.RELEASING
        key_id = self.step("answer_keyid", x.key_id(city, seed))
        line = x.parameters(x.NOW + 6, city, "answer", keyid=key_id)
        headers = {"content-digest": digest, **x.signature_headers(values, line, seed)}
        return {"request": fetched, "status": 200, "headers": headers}

    def _rely(self):
        material = {
            "commitment": self.commitment.hex(),
            "disclosed": shown(self.texts, self.step("relied_shown", SHOWN)),
            "anchored": AT_MATERIAL,
            "status": 0,
            "open_objections": 0,
        }
        body = {
            "receipt": "r-2026-0042-1",
            "city": x.RECEIVING,
            "generation": 0,
            "decided_at": DECIDED_AT,
            "decision": {"officer": "m-zhou", "role": "reviewer", "outcome": "准予办理"},
            "catalogue": "catalogue/2026-1",
            "request": self.request,
            "request_message": self.request_head,
            "answer": self.answer,
            "answer_message": self.answer_head,
            "acknowledgement": self.acknowledgement,
            "release_salt": x.release_secrets()["salt"],
            "materials": [self.step("relied", material)],
            "openings": {
                name: {"salt": x.salt(name).hex(), "body": value}
                for name, value in (("subject", x.SUBJECT), ("item", x.ITEM), ("case", x.CASE))
            },
            "grant": {"recorded": AT_RECORDED, "consumed": AT_CONSUMED},
            "state_block": STATE_BLOCK,
        }
        body = self.step("body", body)
        origin = f"{x.DOMAIN}/{x.RECEIVING}/0"
        salt = x.salt("reliance")
        entry = x.entry(4, f.commitment("reliance", origin, salt, body))
        self.receiving_entries = [x.entry(3, x.salt("access")), entry, x.entry(3, x.salt("more"))]
        placed = place(1, self.receiving_entries)
        seal = {"salt": salt.hex()} | placed | {"anchored": AT_RELIANCE}
        seed = self.step("reliance_seed", x.MESSAGE_SEEDS[x.RECEIVING])
        seal = self.step("reliance_seal", seal)
        made = signed_receipt("reliance", body, x.RECEIVING, seal, seed, self.version)
        self.reliance = self.step("reliance_file", made)

    def _trust(self):
        consumption = {
            "terms": x.grant_id(self.terms).hex(),
            "release_commitment": self.release,
            "at": AT_CONSUMED,
        }
        facts = {
            "as_of": AS_OF,
            "heads": [
                head_fact(x.RELEASING, x.ENTRIES, AT_CREDENTIALS),
                head_fact(x.RELEASING, self.entries, AT_MATERIAL),
                head_fact(x.RECEIVING, self.receiving_entries, AT_RELIANCE),
            ],
            "statuses": [],
            "grants": [self.step("grant_fact", self.grant_fact)],
            "consumptions": [self.step("consumption", consumption)],
        }
        trust = {
            "v": "tongban/trust/v1",
            "consortium": x.DOMAIN,
            "chain_id": x.CHAIN_ID,
            "genesis": GENESIS.hex(),
            "contracts": [
                {"role": role, "address": address, "from_block": block, "code_hash": code.hex()}
                for role, address, block, code in (
                    ("city_log", CITY_LOG, 3, f.sha256(b"city log")),
                    ("material_status", "0x" + "2d" * 20, 4, f.sha256(b"status")),
                    ("grants", x.GRANTS, 5, f.sha256(b"grants")),
                    ("membership", "0x" + "3e" * 20, 0, f.sha256(b"membership")),
                )
            ],
            "members": [trusted_member(x.RELEASING, "武侯区"), trusted_member(x.RECEIVING, "绵阳")],
            "validators": [],
            "facts": self.step("facts", facts),
        }
        self.trust = self.step("trust", trust)

    def status(self, flag, block, kind=1):
        """A status fact of the material."""
        return {
            "city": x.RELEASING,
            "leaf_hash": tree.leaf_hash(x.entry(kind, self.commitment)).hex(),
            "status": flag,
            "block_number": block,
            "block_timestamp": position(block)["block_timestamp"],
        }


def trusted_member(city, name):
    keys = []
    for role in ROLES:
        key = x.public(x.MESSAGE_SEEDS[city]) if role == "message" else x.salt(f"{city} {role}")
        keys.append(
            {
                "role": role,
                "key": key.hex(),
                "valid_from": x.NOW - 10**6,
                "valid_until": None,
                "distrusted_since_block": None,
            }
        )
    return {"city": city, "name": name, "keys": keys}
