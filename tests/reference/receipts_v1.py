"""Receipts of version 1: the story of receipts.py told on a chain whose blocks can be shown.

Each event of the story stands in a block of its own, as log 1 of transaction 1 among others; the
state of the status contract stands in the trie of blocks 79 and 82. Four test keys seal the headers
in the QBFT form, or nobody does. Shares no code with ledger_node.
"""

import eth_abi
import rlp
from eth_hash.auto import keccak

from tests.reference import blocks as b
from tests.reference import exchange as x
from tests.reference import formats as f
from tests.reference import receipts as r
from tests.reference import tree, tries

V1 = "tongban/receipt/v1"
STATUS = "0x" + "2d" * 20
STATUS_CODE = f.sha256(b"status")
CREDENTIALS, MATERIAL, RECORDED, CONSUMED, STATE, RELIANCE = 19, 20, 79, 81, 82, 84
TIMES = {
    CREDENTIALS: r.AT_CREDENTIALS["block_timestamp"],
    MATERIAL: r.AT_MATERIAL["block_timestamp"],
    RECORDED: r.AT_RECORDED["block_timestamp"],
    CONSUMED: r.AT_CONSUMED["block_timestamp"],
    STATE: r.STATE_BLOCK["timestamp"],
    RELIANCE: r.AT_RELIANCE["block_timestamp"],
}
TRANSACTION, LOG = 1, 1
HEAD = "CheckpointAnchored(uint32,uint32,uint64,bytes32)"
GRANT = "GrantRecorded(bytes32,uint32,uint32,uint32,uint64,uint64,uint32,uint8,bytes32)"
USED = "GrantConsumed(bytes32,bytes32,uint32)"
QUESTIONS = ("unchanged", "issuer_entitled", "valid_as_of", "right_person")
SEEN = [{"question": question, "state": "holds", "code": None} for question in QUESTIONS]
SEEN[0] |= {"state": "pending", "code": "receipt_pending"}


def flags_slot(city, leaf):
    """Slot of `_flags[city][leaf]`, the second variable of the status contract."""
    return keccak(leaf + keccak(int(city).to_bytes(32, "big") + (1).to_bytes(32, "big")))


def log_of(contract, signature, indexed, types, values):
    """A log in its JSON form."""
    words = [eth_abi.encode([kind], [value]) for kind, value in zip(types, values, strict=True)]
    topics = [keccak(signature.encode()), *words[:indexed]]
    return {
        "address": contract,
        "topics": ["0x" + topic.hex() for topic in topics],
        "data": "0x" + b"".join(words[indexed:]).hex(),
    }


NOISE = log_of("0x" + "aa" * 20, "Noise(uint256)", 0, ["uint256"], [7])


def receipt(index, *logs):
    """A transaction receipt in its JSON form."""
    return {
        "transactionIndex": hex(index),
        "status": "0x1",
        "cumulativeGasUsed": hex(21_000 * (index + 1)),
        "logsBloom": "0x" + "00" * 256,
        "type": hex(2 * (index % 2)),
        "logs": list(logs),
    }


class StoryV1(r.Story):
    """The story with receipts of version 1; further steps can be edited:

    engine (how headers are sealed), receipts (of one block, by number), flags (words by leaf),
    account, registration_chain, reliance_chain, verdicts, trust_v1.
    """

    version = V1

    def __init__(self, *, sealed=True, **edit):
        self.sealed = sealed
        self.blocks = {}
        self.engine = None
        super().__init__(**edit)

    # --- the chain -----------------------------------------------------------------------------

    def log_in(self, number):
        """The one log of the story in a block."""
        if number in (CREDENTIALS, MATERIAL, RELIANCE):
            city = x.RECEIVING if number == RELIANCE else x.RELEASING
            entries = {
                CREDENTIALS: x.ENTRIES,
                MATERIAL: self.entries,
                RELIANCE: getattr(self, "receiving_entries", []),
            }[number]
            values = (int(city), 0, len(entries), tree.mth(entries))
            return log_of(r.CITY_LOG, HEAD, 2, ["uint32", "uint32", "uint64", "bytes32"], values)
        if number == RECORDED:
            fact = self.grant_fact
            names = ("releasing", "receiving", "recorder")
            values = (
                bytes.fromhex(fact["terms"]),
                *(int(fact[name]) for name in names),
                *(fact["not_before"], fact["not_after"], fact["uses"], fact["basis"]),
                bytes.fromhex(fact["evidence"]),
            )
            types = ["bytes32", *["uint32"] * 3, *["uint64"] * 2, "uint32", "uint8", "bytes32"]
            return log_of(x.GRANTS, GRANT, 3, types, values)
        values = (x.grant_id(self.terms), bytes.fromhex(self.release), 0)
        return log_of(x.GRANTS, USED, 2, ["bytes32", "bytes32", "uint32"], values)

    def leaf(self):
        return tree.leaf_hash(x.entry(1, self.commitment))

    def block(self, number):
        """Header fields, receipts trie, state trie and storage trie of a block."""
        if number not in self.blocks:
            self.blocks[number] = self._make_block(number)
        return self.blocks[number]

    def _make_block(self, number):
        receipts = [receipt(0, NOISE), receipt(1, NOISE), receipt(2)]
        if number != STATE:
            receipts[TRANSACTION]["logs"].append(self.log_in(number))
        receipts = self.step(f"receipts_{number}", receipts)
        storage = tries.build({keccak(bytes([n]) * 32): rlp.encode(b"\x01") for n in range(1, 9)})
        words = self.step(f"flags_{number}", {})
        for leaf, word in words.items():
            storage[keccak(flags_slot(x.RELEASING, leaf))] = rlp.encode(b.scalar(word))
        account = self.step(f"account_{number}", [b"\x01", b"", storage.root_hash, STATUS_CODE])
        state = tries.build(
            {
                keccak(bytes([n]) * 20): rlp.encode([b"", b"\x01", bytes(32), bytes(32)])
                for n in range(1, 20)
            }
        )
        if account is not None:
            state[keccak(b.unhex(STATUS))] = rlp.encode(account)
        trie = tries.receipts_trie(receipts)
        fields = [
            *(f.sha256(b"parent %d" % number), bytes(32), bytes(20), state.root_hash),
            *(bytes(32), trie.root_hash, bytes(256), b"\x01", b.scalar(number)),
            *(b.scalar(30_000_000), b.scalar(63_000), b.scalar(TIMES[number])),
            *(rlp.encode([bytes(32), [], [], b"", []]), bytes(32), bytes(8)),
        ]
        if self.sealed:
            if self.engine is None:
                self.engine = self.step("engine", {"signers": (0, 1, 2)})
            fields = b.reseal(fields, **self.engine)
        fields = self.step(f"header_{number}", fields)
        return {"fields": fields, "receipts": trie, "state": state, "storage": storage}

    def hash_of(self, number):
        return b.block_hash(self.block(number)["fields"]).hex()

    def place(self, value):
        """A value with every position in it turned into a place of this chain."""
        if isinstance(value, list):
            return [self.place(item) for item in value]
        if not isinstance(value, dict):
            return value
        if "tx_hash" in value:
            number = value["block_number"]
            kept = {name: value[name] for name in ("contract", "block_number", "block_timestamp")}
            if number not in TIMES:
                return kept | {"block_hash": value["block_hash"], "transaction": 0, "log": 0}
            block_hash = self.hash_of(number)
            return kept | {"block_hash": block_hash, "transaction": TRANSACTION, "log": LOG}
        if value.keys() == {"number", "hash", "timestamp"} and value["number"] in TIMES:
            return value | {"hash": self.hash_of(value["number"])}
        return {name: self.place(item) for name, item in value.items()}

    def rehash(self, value):
        """Facts with the block hashes of this chain; positions stay positions."""
        if isinstance(value, list):
            return [self.rehash(item) for item in value]
        if not isinstance(value, dict):
            return value
        if "block_hash" in value and value["block_number"] in TIMES:
            return value | {"block_hash": self.hash_of(value["block_number"])}
        return {name: self.rehash(item) for name, item in value.items()}

    # --- what a receipt carries of it ----------------------------------------------------------

    def carried_log(self, number):
        nodes = tries.prove(self.block(number)["receipts"], rlp.encode(b.scalar(TRANSACTION)))
        return {
            "block_number": number,
            "transaction": TRANSACTION,
            "log": LOG,
            "proof": [node.hex() for node in nodes],
        }

    def carried_account(self, number, leaves):
        block, address = self.block(number), b.unhex(STATUS)
        slots = sorted(flags_slot(x.RELEASING, leaf) for leaf in leaves)
        return {
            "block_number": number,
            "address": STATUS,
            "proof": [node.hex() for node in tries.prove(block["state"], keccak(address))],
            "slots": [
                {
                    "slot": slot.hex(),
                    "proof": [node.hex() for node in tries.prove(block["storage"], keccak(slot))],
                }
                for slot in slots
            ],
        }

    def credential_leaves(self):
        """Leaves of the credentials behind the evidence."""
        proofs = [officer["credential"] for officer in self.evidence.get("officers", [])]
        proofs += [self.evidence["credential"]] if "credential" in self.evidence else []
        salted = [(bytes.fromhex(proof["salt"]), proof["body"]) for proof in proofs]
        made = {f.commitment("credential", x.ORIGIN, salt, body) for salt, body in salted}
        return [tree.leaf_hash(x.entry(2, commitment)) for commitment in made]

    def carried(self, logs, accounts):
        numbers = sorted({*logs, *accounts})
        return {
            "headers": [rlp.encode(self.block(number)["fields"]).hex() for number in numbers],
            "logs": [self.carried_log(number) for number in logs],
            "accounts": [self.carried_account(*item) for item in accounts.items()],
        }

    # --- the story -----------------------------------------------------------------------------

    def step(self, name, value):
        if name in ("registration_seal", "body", "reliance_seal"):
            value = self.place(value)
        if name == "body":
            value |= {"verdicts": SEEN}
        if name == "registration_file":
            accounts = {STATE: [self.leaf()]} if self.sealed else {}
            chain = self.carried([MATERIAL], accounts)
            value |= {"chain": self.step("registration_chain", chain)}
        if name == "reliance_file":
            logs = [MATERIAL, RECORDED, CONSUMED, RELIANCE]
            accounts = {STATE: [self.leaf()]}
            if self.sealed:
                logs.insert(0, CREDENTIALS)
                accounts = {RECORDED: self.credential_leaves(), **accounts}
            value |= {"chain": self.step("reliance_chain", self.carried(logs, accounts))}
        return super().step(name, value)

    def _trust(self):
        super()._trust()
        sealers = [{"from_block": 0, "to_block": None, "addresses": []}]
        sealers[0]["addresses"] = sorted("0x" + each.hex() for each in b.SET)
        if self.sealed:
            trust = self.trust | {"facts": None, "validators": sealers}
        else:
            trust = self.trust | {"facts": self.rehash(self.trust["facts"])}
        self.trust = self.step("trust_v1", trust)
