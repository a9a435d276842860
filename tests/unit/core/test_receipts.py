"""Receipts and trust files: every vector, every flipped bit, builders against the reference."""

import json
import random
import re

import pytest

from ledger_node.core import receipt as receipts
from ledger_node.core.chain_facts import BlockFact, FactSource, build_chain_facts
from ledger_node.core.chain_facts_format import encode_chain_facts, read_chain_facts
from ledger_node.core.errors import LedgerError
from ledger_node.core.event_types import ContractRole, KeyRole
from ledger_node.core.receipt import NotAReceiptError, ReceiptKind, Seal
from ledger_node.core.receipt_registration import encode_registration_body, read_registration_body
from ledger_node.core.receipt_reliance_format import encode_reliance_body, read_reliance_body
from ledger_node.core.replay import replay
from ledger_node.core.replay_state import ReplayState
from ledger_node.core.trust import build_trust
from ledger_node.core.trust_format import encode_trust, parse_trust
from ledger_node.core.verdict import LineState, Question, RestsOn
from ledger_node.core.verdict_codes import VerdictCode
from ledger_node.core.verdict_sentences import SENTENCES
from ledger_node.core.verify import (
    verify_receipt,
    verify_registration_receipt,
    verify_reliance_receipt,
)
from tests.reference import exchange as x
from tests.reference import formats as f
from tests.unit.core.chain_histories import CITY_LOG, GRANTS, MEMBERSHIP, STATUS, History, digest
from tests.vector_runner import VECTORS, load_vectors, run_vector

FLIPS = 300
SEMANTIC = [*load_vectors("receipt/registration"), *load_vectors("receipt/reliance")]


def load(kind, name="happy"):
    path = VECTORS / "receipt" / kind / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))


def judge(vector, **changes):
    return verify_receipt(
        vector["receipt"].encode(),
        parse_trust(vector["trust"].encode()),
        document=bytes.fromhex(vector["document"]) or None,
        sensitive_types=frozenset(vector["sensitive_types"]),
        **changes,
    )


@pytest.mark.parametrize("vector", SEMANTIC)
def test_verify_receipt_vector_has_named_verdict(vector):
    verdict = judge(vector)
    assert (verdict.state.value, [code.value for code in verdict.codes]) == (
        vector["state"],
        vector["codes"],
    )
    assert [line.question for line in verdict.lines] == list(Question)
    for line in verdict.lines:
        assert (line.code is None) == (line.state in (LineState.HOLDS, LineState.NOT_STATED))


def test_verify_receipt_vectors_break_every_code_and_each_has_both_sentences():
    carried = [*load_vectors("receipt_v1/reliance"), *load_vectors("receipt_v1/registration")]
    seen = {code for vector in [*SEMANTIC, *carried] for code in vector.values[0]["codes"]}
    assert seen == {code.value for code in VerdictCode}
    assert SENTENCES.keys() == set(VerdictCode)
    for zh, en in SENTENCES.values():
        assert re.search(r"[\u4e00-\u9fff]", zh)
        assert zh.endswith("。")
        assert en.isascii()
        assert en.endswith(".")
    assert len({en for _, en in SENTENCES.values()}) == len(SENTENCES)


@pytest.mark.parametrize("vector", load_vectors("receipt/spelling"))
def test_parse_receipt_vector_has_named_outcome(vector):
    data = bytes.fromhex(vector["bytes"])

    def action():
        receipt = receipts.parse_receipt(data)
        if receipt.kind is ReceiptKind.REGISTRATION:
            read_registration_body(receipt.body)
        else:
            read_reliance_body(receipt.body)
        assert receipts.encode_receipt(receipt) == data

    run_vector(vector, action)


@pytest.mark.parametrize("vector", load_vectors("receipt/trust"))
def test_parse_trust_vector_has_named_outcome(vector):
    data = bytes.fromhex(vector["bytes"])
    run_vector(vector, lambda: _same(encode_trust(parse_trust(data)), data))


def _same(written, given):
    assert written == given


@pytest.mark.parametrize("kind", list(ReceiptKind))
def test_verify_receipt_any_flipped_bit_is_refused(kind):
    """T5, receipts: refused with a typed error, or by a verdict that does not hold."""
    vector, rng = load(kind), random.Random(f"flip/{kind}")
    data, trust = vector["receipt"].encode(), parse_trust(vector["trust"].encode())
    assert verify_receipt(data, trust).state is LineState.HOLDS
    refused = {"unreadable": 0, "fails": 0, "pending": 0}
    for bit in rng.sample(range(8 * len(data)), FLIPS):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        refused[_refusal(bytes(flipped), trust)] += 1
    assert sum(refused.values()) == FLIPS
    assert refused["unreadable"]
    assert refused["fails"]


def _refusal(data, trust):
    try:
        verdict = verify_receipt(data, trust)
    except LedgerError:
        return "unreadable"
    assert verdict.state is not LineState.HOLDS
    return verdict.state.value


@pytest.mark.parametrize("kind", list(ReceiptKind))
def test_verify_receipt_every_bit_of_the_seal_is_refused(kind):
    """The seal is not signed: every bit of it must be held by proof, chain facts or commitment."""
    vector = load(kind)
    trust = parse_trust(vector["trust"].encode())
    data = vector["receipt"].encode()
    begin, end = data.index(b'"seal":'), data.index(b',"signature":')
    for bit in range(8 * begin, 8 * end, 23):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        _refusal(bytes(flipped), trust)


def test_verify_receipt_facts_of_the_verifier_win_over_those_of_the_trust_file():
    vector = load("reliance")
    own = read_chain_facts(json.loads(vector["trust"])["facts"], FactSource.CHAIN)
    lines = {line.question: line for line in judge(vector, facts=own).lines}
    assert RestsOn.CHAIN in lines[Question.UNCHANGED].rests_on
    lines = {line.question: line for line in judge(vector).lines}
    assert RestsOn.TRUST_FILE in lines[Question.UNCHANGED].rests_on
    assert RestsOn.RECORDING_CITY in lines[Question.RIGHT_PERSON].rests_on
    assert RestsOn.TRUSTED_KEYS in lines[Question.ISSUER_ENTITLED].rests_on
    hidden = load("reliance", "happy-subjects-not-shown")
    lines = {line.question: line for line in judge(hidden).lines}
    assert RestsOn.ISSUING_CITY in lines[Question.RIGHT_PERSON].rests_on


def test_verify_receipt_says_which_block_it_reaches_to():
    assert judge(load("registration")).as_of_block == 90
    assert judge(load("registration", "pending-without-facts")).as_of_block is None
    assert judge(load("reliance", "pending-without-facts")).as_of_block is None
    verdict = judge(load("reliance"))
    assert (verdict.kind, verdict.city) == (ReceiptKind.RELIANCE, "510700")
    assert verdict.receipt_id == "r-2026-0042-1"


@pytest.mark.parametrize(
    ("verify", "kind", "other"),
    [
        (verify_registration_receipt, "registration", "reliance"),
        (verify_reliance_receipt, "reliance", "registration"),
    ],
)
def test_verify_receipt_of_one_kind_refuses_the_other(verify, kind, other):
    trust = parse_trust(load(kind)["trust"].encode())
    assert verify(load(kind)["receipt"].encode(), trust).state is LineState.HOLDS
    with pytest.raises(NotAReceiptError):
        verify(load(other)["receipt"].encode(), trust)


@pytest.mark.parametrize("kind", list(ReceiptKind))
def test_build_receipt_makes_the_bytes_of_the_reference(kind):
    data = load(kind)["receipt"].encode()
    parsed = receipts.parse_receipt(data)
    if kind is ReceiptKind.REGISTRATION:
        body = encode_registration_body(read_registration_body(parsed.body))
    else:
        body = encode_reliance_body(read_reliance_body(parsed.body))
    seed = x.MESSAGE_SEEDS[parsed.key_id.city]
    seal = Seal(parsed.seal.placement, parsed.seal.anchored, parsed.seal.salt)
    made = receipts.build_receipt(
        kind, body, parsed.key_id, lambda message: f.ed25519_sign(seed, message), seal
    )
    assert receipts.encode_receipt(made) == data
    receipts.verify_receipt_signature(made)


def test_registration_body_entry_is_the_material_entry():
    body = read_registration_body(
        receipts.parse_receipt(load("registration")["receipt"].encode()).body
    )
    assert body.entry == b"\x01\x01" + body.commitment


def facts_of(history):
    state = replay(ReplayState(membership=MEMBERSHIP), history.events)
    assert state.discrepancies == []
    as_of = BlockFact(history.block, digest("block", history.block), history.time_s)
    return state, build_chain_facts(state, as_of, FactSource.CHAIN)


def test_build_trust_of_a_replayed_chain_round_trips():
    history = History(21).found().run(120)
    state, facts = facts_of(history)
    addresses = (MEMBERSHIP, CITY_LOG, STATUS, GRANTS)
    trust = build_trust(
        state.consortium,
        domain="tongban.example",
        chain_id=7,
        genesis=digest("genesis"),
        membership=MEMBERSHIP,
        code_hashes={address: digest("code", address) for address in addresses},
        names={"510107": "武侯区"},
        facts=facts,
    )
    data = encode_trust(trust)
    parsed = parse_trust(data)
    assert encode_trust(parsed) == data
    assert parsed.facts.source is FactSource.TRUST_FILE
    assert (parsed.facts.heads, parsed.facts.grants) == (facts.heads, facts.grants)
    assert parsed.facts.statuses == facts.statuses
    assert parsed.facts.consumptions == facts.consumptions
    assert parsed.members["510107"].name == "武侯区"
    assert parsed.members["510700"].name == "510700"
    assert parsed.contract_at(ContractRole.GRANTS, history.block) == GRANTS
    assert parsed.contract_at(ContractRole.GRANTS, 0) is None
    for city in state.consortium.members:
        for role in KeyRole:
            for time_s in (0, history.time_s, history.time_s + 10**6):
                ours = state.consortium.key_at(city, role, time_s)
                theirs = parsed.key_at(city, role, time_s)
                assert (ours and ours.key) == (theirs and theirs.key)
    key = parsed.key_at("510107", KeyRole.MESSAGE, history.time_s)
    at = (history.block, history.time_s)
    assert parsed.is_trusted_key("510107", KeyRole.MESSAGE, key.key, *at)
    assert not parsed.is_trusted_key("510107", KeyRole.MESSAGE, digest("no"), *at)
    assert not parsed.is_trusted_key("999999", KeyRole.MESSAGE, key.key, *at)


def test_build_chain_facts_head_no_file_can_show_is_left_out():
    history = History().found()
    honest = history.anchor("510700")
    history.sizes["510107"] = 2**60
    history.anchor("510107")
    _, facts = facts_of(history)
    assert [city for city, _, _ in facts.heads] == ["510700"]
    assert next(iter(facts.heads))[2].size == honest.size
    assert read_chain_facts(encode_chain_facts(facts), FactSource.CHAIN) == facts


def test_build_chain_facts_burnt_terms_are_no_grant_and_revoked_ones_say_where():
    history = History().found()
    grant = history.record()
    history.emit(type(history.revoke(grant.grant_id)), digest("burnt"), "510107", address=GRANTS)
    _, facts = facts_of(history)
    assert facts.grants.keys() == {(GRANTS, grant.grant_id)}
    assert facts.grants[GRANTS, grant.grant_id].revoked == history.events[-2].position
