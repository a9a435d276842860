"""Receipts of version 1: every vector, every flipped bit, the damages of version 0 once more."""

import json
import random

import pytest

from ledger_node.core.chain_facts import FactSource
from ledger_node.core.chain_facts_format import read_chain_facts
from ledger_node.core.errors import LedgerError
from ledger_node.core.receipt import (
    RECEIPT_VERSION,
    RECEIPT_VERSION_1,
    NotAReceiptError,
    ReceiptKind,
    encode_receipt,
    parse_receipt,
    verify_receipt_signature,
)
from ledger_node.core.receipt_registration import encode_registration_body, read_registration_body
from ledger_node.core.receipt_reliance_format import encode_reliance_body, read_reliance_body
from ledger_node.core.receipt_v1 import (
    build_receipt_v1,
    encode_receipt_v1,
    parse_receipt_of_any_version,
    parse_receipt_v1,
)
from ledger_node.core.trust_format import parse_trust
from ledger_node.core.verdict import LineState, Question, RestsOn
from ledger_node.core.verify import verify_receipt
from tests.reference import exchange as x
from tests.reference import formats as f
from tests.reference.receipt_cases_reliance import RELIANCE
from tests.reference.receipts_v1 import StoryV1
from tests.vector_runner import VECTORS, load_vectors, run_vector

FLIPS = 60
SEMANTIC = [
    *load_vectors("receipt_v1/registration"),
    *load_vectors("receipt_v1/reliance"),
    *load_vectors("receipt_v1/unsealed"),
]
HAPPY = [
    ("registration", "happy"),
    ("reliance", "happy"),
    ("unsealed", "happy-on-a-chain-without-seals"),
]


def load(folder, name="happy"):
    path = VECTORS / "receipt_v1" / folder / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))


def judge(vector, **changes):
    trust = parse_trust(vector["trust"].encode())
    return verify_receipt(vector["receipt"].encode(), trust, **changes)


def rests(verdict):
    return {line.question: set(line.rests_on) for line in verdict.lines}


@pytest.mark.parametrize("vector", SEMANTIC)
def test_verify_receipt_v1_vector_has_named_verdict(vector):
    verdict = judge(vector)
    codes = [code.value for code in verdict.codes]
    assert (verdict.state.value, codes) == (vector["state"], vector["codes"])


def test_vectors_of_version_1_are_as_many_as_were_written():
    assert len(SEMANTIC) >= 65
    assert sum(each.values[0]["state"] == "fails" for each in SEMANTIC) >= 40


@pytest.mark.parametrize("vector", load_vectors("receipt_v1/spelling"))
def test_parse_receipt_v1_vector_has_named_outcome(vector):
    data = bytes.fromhex(vector["bytes"])

    def action():
        receipt = parse_receipt_v1(data)
        if receipt.kind is ReceiptKind.REGISTRATION:
            read_registration_body(receipt.body)
        else:
            read_reliance_body(receipt.body, receipt.version)
        assert encode_receipt_v1(receipt) == data

    run_vector(vector, action)


def _flip_and_judge(data, trust, bits):
    refused = {"unreadable": 0, "fails": 0, "pending": 0}
    for bit in bits:
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            state = verify_receipt(bytes(flipped), trust).state
        except LedgerError:
            refused["unreadable"] += 1
            continue
        assert state is not LineState.HOLDS, f"bit {bit}"
        refused[state.value] += 1
    assert refused["unreadable"]
    assert refused["fails"]


@pytest.mark.parametrize(("folder", "name"), HAPPY)
def test_verify_receipt_v1_any_flipped_bit_is_refused(folder, name):
    """T5: body, seal and chain alike; every place of the file, spread evenly and at random."""
    vector, rng = load(folder, name), random.Random(f"flip/v1/{folder}")
    data, trust = vector["receipt"].encode(), parse_trust(vector["trust"].encode())
    assert verify_receipt(data, trust).state is LineState.HOLDS
    _flip_and_judge(data, trust, rng.sample(range(8 * len(data)), FLIPS))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("folder", "name"), HAPPY)
def test_verify_receipt_v1_ten_thousand_flipped_bits_are_refused(folder, name):
    vector, rng = load(folder, name), random.Random(f"long flip/v1/{folder}")
    data, trust = vector["receipt"].encode(), parse_trust(vector["trust"].encode())
    bits = [rng.randrange(8 * len(data)) for _ in range(10_000)]
    _flip_and_judge(data, trust, bits)


# Edits of version 0 that change what the cities wrote, not what the chain or the trust file says:
# with the same lie in a receipt of version 1, the verdict has to name the same links.
BODY_STEPS = {
    *("body", "request_head", "request_seed", "request_keyid", "request", "released", "answer"),
    *("answer_seed", "answer_keyid", "acknowledgement", "acknowledgement_file", "reliance_seed"),
    *("relied_shown", "document", "fields", "evidence", "officers", "terms", "reliance_file"),
}
OTHERWISE = {  # version 1 says more: the block named is not that of its header
    "state-read-before-the-permit",
    "state-read-after-the-decision",
    "decided-before-the-permit",
    "happy-clock-thirty-seconds-behind",
    "permit-elsewhere",  # positions have other members
    "grant-elsewhere",
    "material-not-in-answer",  # the status carried is of another material: said first
}
AGAIN = sorted(
    name for name, (edits, _, _) in RELIANCE.items() if edits and edits.keys() <= BODY_STEPS
)


@pytest.mark.parametrize("name", [name for name in AGAIN if name not in OTHERWISE])
def test_verify_receipt_v1_lie_of_version_0_has_the_same_codes(name):
    edits, codes, arguments = RELIANCE[name]
    story = StoryV1(**edits)
    verdict = verify_receipt(
        f.jcs(story.reliance),
        parse_trust(f.jcs(story.trust)),
        sensitive_types=frozenset(arguments.get("sensitive_types", [])),
    )
    assert [code.value for code in verdict.codes] == codes


def test_lies_of_version_0_told_again_are_nearly_all_of_them():
    assert len(AGAIN) >= 45
    assert set(AGAIN) >= OTHERWISE


def test_verify_receipt_v1_says_whether_seals_or_the_trust_file_carry_a_line():
    sealed = rests(judge(load("reliance")))
    unsealed = rests(judge(load("unsealed", "happy-on-a-chain-without-seals")))
    for question in (Question.UNCHANGED, Question.VALID_AS_OF, Question.RIGHT_PERSON):
        assert RestsOn.SEALS in sealed[question]
        assert RestsOn.TRUST_FILE not in sealed[question]
        assert RestsOn.TRUST_FILE in unsealed[question]
        assert RestsOn.SEALS not in unsealed[question]


def test_verify_receipt_v1_sealed_and_read_facts_together_name_both():
    vector = load("reliance")
    facts = load("unsealed", "happy-on-a-chain-without-seals")["trust"]
    early = json.loads(facts)["facts"]
    early["as_of"]["number"] = 20
    early |= {"heads": early["heads"][:2], "grants": [], "consumptions": []}
    for head in early["heads"]:
        hashes = json.loads(vector["receipt"])["body"]["materials"][0]["anchored"]
        if head["at"]["block_number"] == 20:
            head["at"]["block_hash"] = hashes["block_hash"]
    verdict = judge(vector, facts=read_chain_facts(early, FactSource.CHAIN))
    assert verdict.state is LineState.HOLDS
    assert verdict.as_of_block == 84


def test_verify_receipt_v1_reaches_to_the_newest_block_that_is_sealed():
    assert judge(load("registration")).as_of_block == 82
    assert judge(load("reliance")).as_of_block == 84
    assert judge(load("reliance", "pending-without-chain")).as_of_block is None


def test_parse_receipt_of_any_version_reads_both_and_neither_passes_for_the_other():
    new = load("registration")["receipt"].encode()
    path = VECTORS / "receipt" / "registration" / "happy.json"
    old = json.loads(path.read_text(encoding="utf-8"))["receipt"].encode()
    assert parse_receipt_of_any_version(new).version == RECEIPT_VERSION_1
    assert parse_receipt_of_any_version(old).version == RECEIPT_VERSION
    assert encode_receipt(parse_receipt_of_any_version(old)) == old
    with pytest.raises(NotAReceiptError):
        parse_receipt(new)
    with pytest.raises(NotAReceiptError):
        parse_receipt_v1(old)


@pytest.mark.parametrize("kind", list(ReceiptKind))
def test_build_receipt_v1_makes_the_bytes_of_the_reference(kind):
    data = load(kind)["receipt"].encode()
    parsed = parse_receipt_v1(data)
    if kind is ReceiptKind.REGISTRATION:
        body = encode_registration_body(read_registration_body(parsed.body))
    else:
        seen = read_reliance_body(parsed.body, RECEIPT_VERSION_1)
        assert [line.question for line in seen.verdicts] == list(Question)
        body = encode_reliance_body(seen, RECEIPT_VERSION_1)
    seed = x.MESSAGE_SEEDS[parsed.key_id.city]
    made = build_receipt_v1(
        kind,
        body,
        parsed.key_id,
        lambda message: f.ed25519_sign(seed, message),
        parsed.seal,
        parsed.chain,
    )
    assert encode_receipt_v1(made) == data
    verify_receipt_signature(made)
