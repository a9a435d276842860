"""Headers and seals: blocks recorded from a real QBFT network, and the same with named damages."""

import pytest
import rlp
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger_node.core.block_header import encode_block_header, parse_block_header
from ledger_node.core.errors import LedgerError
from ledger_node.core.qbft import (
    DuplicatedSealError,
    ForeignSealError,
    SealError,
    TooFewSealsError,
    compute_block_hash,
    compute_sealed_hash,
    count_needed_seals,
    encode_qbft_extra,
    is_qbft_header,
    parse_qbft_extra,
    recover_sealers,
    verify_seals,
)
from ledger_node.core.rlp_items import MalformedRlpError, decode_rlp
from tests.reference import blocks as b

FIELDS, HASHES = b.recorded_fields(), b.recorded_hashes()
SEALED = [number for number in FIELDS if number]  # the genesis block has no seals
ROUND_ONE = 1  # the only recorded block that was agreed on in round 1
TRUSTED = b.recorded_set()


def header_of(fields):
    return parse_block_header(rlp.encode(fields))


def edited(number, change):
    return header_of(b.edit_extra(FIELDS[number], change))


def seals_of(items):
    return list(items[4])


@pytest.mark.parametrize("number", sorted(FIELDS))
def test_compute_block_hash_recorded_block_is_that_of_the_network(number):
    header = header_of(FIELDS[number])
    assert compute_block_hash(header) == HASHES[number]
    assert encode_block_header(header) == rlp.encode(FIELDS[number])
    assert is_qbft_header(header)
    assert encode_qbft_extra(parse_qbft_extra(header.extra_data)) == header.extra_data
    if number:
        assert header.parent_hash == HASHES[number - 1]


@pytest.mark.parametrize("number", SEALED)
def test_recover_sealers_recorded_block_are_those_the_network_names(number):
    header = header_of(FIELDS[number])
    named = [b.unhex(each) for each in b.RECORDED["signers"][hex(number)]["Committers"]]
    assert list(recover_sealers(header)) == named
    verify_seals(header, TRUSTED)


def test_recorded_blocks_are_thirty_and_one_of_them_is_of_round_one():
    rounds = {n: parse_qbft_extra(header_of(FIELDS[n]).extra_data).round for n in FIELDS}
    assert len(rounds) == 30
    assert [number for number, round_ in rounds.items() if round_] == [ROUND_ONE]


def test_block_of_round_one_has_two_hashes_and_each_rule_serves_for_one_of_them():
    header = header_of(FIELDS[ROUND_ONE])
    assert parse_qbft_extra(header.extra_data).round == 1
    assert compute_block_hash(header) == HASHES[ROUND_ONE]
    assert compute_sealed_hash(header) == b.sealed_hash(FIELDS[ROUND_ONE])
    assert compute_sealed_hash(header) != compute_block_hash(header)
    verify_seals(header, TRUSTED)
    other_round = edited(ROUND_ONE, lambda items: items.__setitem__(3, b""))
    assert compute_block_hash(other_round) == HASHES[ROUND_ONE]  # the block is the same
    with pytest.raises(ForeignSealError):  # the seals are not
        verify_seals(other_round, TRUSTED)


def test_verify_seals_two_of_four_are_too_few_and_three_suffice():
    with pytest.raises(TooFewSealsError) as caught:
        verify_seals(edited(5, lambda items: items.__setitem__(4, seals_of(items)[:2])), TRUSTED)
    assert caught.value.fields == {"block_number": 5, "found": 2, "needed": 3}
    verify_seals(header_of(FIELDS[5]), TRUSTED)


def test_verify_seals_duplicated_seal_is_refused_in_both_spellings():
    def double(items):
        items[4] = [*seals_of(items)[:2], seals_of(items)[0]]

    def mirror(items):
        seal = seals_of(items)[0]
        order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
        other_s = (order - int.from_bytes(seal[32:64], "big")).to_bytes(32, "big")
        items[4] = [*seals_of(items)[:2], seal[:32] + other_s + bytes([seal[64] ^ 1])]

    for change in (double, mirror):
        with pytest.raises(SealError) as caught:
            verify_seals(edited(6, change), TRUSTED)
        assert isinstance(caught.value, DuplicatedSealError)


def test_verify_seals_foreign_validator_is_refused_even_beside_enough_others():
    fields = b.reseal(FIELDS[7], (0, 1, 2, 4))
    with pytest.raises(ForeignSealError) as caught:
        verify_seals(header_of(fields), b.SET)
    signer = caught.value.fields["signer"]
    assert signer == b.KEYS[4].public_key.to_canonical_address()
    verify_seals(header_of(b.reseal(FIELDS[7], (0, 1, 2, 3))), b.SET)


def test_verify_seals_set_in_the_header_under_test_counts_for_nothing():
    own = b.reseal(FIELDS[8], (0, 1, 2))  # names and seals itself with keys of its own
    verify_seals(header_of(own), b.SET)
    with pytest.raises(ForeignSealError):
        verify_seals(header_of(own), TRUSTED)
    verify_seals(header_of(b.reseal(FIELDS[8], (0, 1, 2), named=[])), b.SET)


@pytest.mark.parametrize("field", [3, 5, 8, 11], ids=["state", "receipts", "number", "time"])
def test_verify_seals_changed_field_breaks_hash_and_seals(field):
    fields = list(FIELDS[9])
    last = fields[field][-1] ^ 1
    fields[field] = fields[field][:-1] + bytes([last])
    header = header_of(fields)
    assert compute_block_hash(header) != HASHES[9]
    with pytest.raises(SealError):
        verify_seals(header, TRUSTED)


def test_verify_seals_seal_that_is_no_signature_is_refused():
    for bad in (bytes(65), b"\xff" * 64 + b"\x00", b"\x01" * 64 + b"\x1b"):
        header = edited(4, lambda items, bad=bad: items.__setitem__(4, [*seals_of(items)[:2], bad]))
        with pytest.raises(SealError) as caught:
            verify_seals(header, TRUSTED)
        assert type(caught.value) is SealError


def test_verify_seals_no_trusted_validators_is_never_enough():
    with pytest.raises(TooFewSealsError):
        verify_seals(edited(4, lambda items: items.__setitem__(4, [])), [])


def test_verify_seals_header_with_fields_of_later_forks_keeps_them_under_both_hashes():
    further = [b"\x07", bytes(range(32)), b"", b"\x01", bytes(32), bytes(32)]
    fields = b.reseal(FIELDS[3], (1, 2, 3), round_number=300, further=further)
    header = header_of(fields)
    assert compute_block_hash(header) == b.block_hash(fields)
    verify_seals(header, b.SET)
    for at in range(15, 21):
        changed = list(fields)
        changed[at] += b"\x01"
        assert compute_block_hash(header_of(changed)) != b.block_hash(fields)
        with pytest.raises(SealError):
            verify_seals(header_of(changed), b.SET)
    dropped = header_of(fields[:-1])
    assert compute_block_hash(dropped) != b.block_hash(fields)


def test_compute_block_hash_header_of_another_engine_is_taken_as_it_stands():
    fields = list(FIELDS[3])
    fields[b.MIX_HASH] = bytes(32)
    assert not is_qbft_header(header_of(fields))
    assert compute_block_hash(header_of(fields)) == keccak(rlp.encode(fields))


@pytest.mark.parametrize(
    ("validators", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 4), (6, 4), (7, 5), (100, 67)]
)
def test_count_needed_seals_is_two_thirds_rounded_up(validators, needed):
    assert count_needed_seals(validators) == needed


def _with(at, value):
    fields = list(FIELDS[2])
    fields[at] = value
    return rlp.encode(fields)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80",
        rlp.encode(FIELDS[2]) + b"\x00",
        rlp.encode(FIELDS[2])[:-1],
        rlp.encode(FIELDS[2][:14]),
        rlp.encode([*FIELDS[2], *[b""] * 10]),
        _with(0, bytes(31)),
        _with(8, b"\x00\x02"),
        _with(8, b"\x20" + bytes(6)),
        _with(11, b"\x01" * 9),
        _with(3, [b"x"]),
        b"\xc1" * 60_000,
        b"\xb8\x01\x80",
    ],
)
def test_parse_block_header_other_bytes_are_refused(data):
    with pytest.raises(MalformedRlpError):
        parse_block_header(data)


@pytest.mark.parametrize(
    "change",
    [
        lambda items: items.pop(),
        lambda items: items.append(b""),
        lambda items: items.__setitem__(1, b""),
        lambda items: items[1].__setitem__(0, bytes(19)),
        lambda items: items.__setitem__(3, b"\x00"),
        lambda items: items.__setitem__(3, b"\x01" * 5),
        lambda items: items.__setitem__(4, [bytes(64)]),
        lambda items: items.__setitem__(0, []),
        lambda items: items.__setitem__(1, [bytes(20)] * 257),
    ],
)
def test_parse_qbft_extra_other_items_are_refused(change):
    with pytest.raises(MalformedRlpError):
        parse_qbft_extra(edited(2, change).extra_data)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SEALED), st.data())
def test_recorded_header_any_flipped_bit_is_refused(number, data):
    """T5: the hash is not the recorded one, or the seals do not hold."""
    raw = bytearray(rlp.encode(FIELDS[number]))
    bit = data.draw(st.integers(0, 8 * len(raw) - 1))
    raw[bit // 8] ^= 1 << bit % 8
    try:
        header = parse_block_header(bytes(raw))
        verify_seals(header, TRUSTED)
    except LedgerError:
        return
    assert compute_block_hash(header) != HASHES[number]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=80))
def test_decode_rlp_accepts_only_the_one_spelling(data):
    try:
        item = decode_rlp(data, what="item")
    except MalformedRlpError:
        return
    assert rlp.encode(item) == data
