"""The gas table: what the contract calls cost, measured on the EVM with real transactions.

`python -m tests.contracts.gas` writes docs/gas.md; test_gas.py compares and holds the limits.
Big trees are of equal leaves, so that a level has few different nodes and a million leaves cost
nothing; leaves and nodes of an ordinary log weigh the same, a zero byte of call data aside.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tests.contracts.consortium import ANCHOR, CITIES, GATE, GOVERN, Consortium, payload, signer
from tests.reference.tree import leaf_hash, node_hash, split

TABLE = Path(__file__).resolve().parents[2] / "docs" / "gas.md"
CITY, RECEIVING = CITIES[:2]
COLD_CALL_GAS = 2_600  # the first call to Membership in a transaction
SMALL_STEPS = ((1, 2), (2, 3), (3, 4), (7, 8), (8, 9), (63, 64), (64, 65), (100, 200))
MIDDLE_STEPS = ((1_000, 1_100), (4_095, 4_097), (10_000, 20_000), (32_767, 65_535))
LATE_STEPS = ((32_768, 65_536), (65_535, 65_536), (1_000_000, 1_010_007))
ANCHOR_STEPS = (*SMALL_STEPS, *MIDDLE_STEPS, *LATE_STEPS)

HEAD = """# What the contract calls cost

Gas of whole transactions (call data and the 21,000 of every transaction included), exact on the EVM of the Paris rules;
regenerated and compared by the tests. *Look-ups* is the part spent in `Membership`, the first call to it included;
*own* is the rest. Limits: an anchor after a city's first stays at or below 47,900 own gas up to 65,536 leaves, and 55,000 at 1,000,000.

"""


@cache
def equal_root(size: int) -> bytes:
    """Root of `size` equal leaves."""
    if size == 1:
        return leaf_hash(b"\x01\x01" + bytes(range(32)))
    k = split(size)
    return node_hash(equal_root(k), equal_root(size - k))


def equal_proof(old: int, new: int, known: bool = True) -> list[bytes]:
    """Consistency proof between trees of equal leaves (RFC 6962 section 2.1.2)."""
    if old == new:
        return [] if known else [equal_root(new)]
    k = split(new)
    if old <= k:
        return [*equal_proof(old, k, known), equal_root(new - k)]
    return [*equal_proof(old - k, new - k, False), equal_root(k)]


def measure_anchor(consortium: Consortium, old: int, new: int) -> tuple[int, int, int]:
    """(total, look-ups, hashes) of one anchor."""
    proof = equal_proof(old, new) if old else []
    receipt = consortium.log.send(
        signer(CITY, ANCHOR),
        "anchor",
        old,
        new,
        equal_root(new),
        proof,
        lookup=consortium.membership.address,
    )
    return receipt.gas_used, receipt.lookup_gas + COLD_CALL_GAS, len(proof)


def measure_anchors() -> dict[tuple[int, int], tuple[int, int, int]]:
    """Costs by (old size, new size), the first anchor of a city under (0, 1)."""
    costs = {(0, 1): measure_anchor(Consortium(), 0, 1)}
    base = Consortium()
    for old, new in ANCHOR_STEPS:
        fork = base.fork()
        measure_anchor(fork, 0, old)
        fork.evm.advance()
        costs[old, new] = measure_anchor(fork, old, new)
    return costs


def measure_others() -> dict[str, tuple[int, int]]:
    """(total, look-ups) of the other calls a city makes in its daily work."""
    c = Consortium()
    now = c.evm.timestamp_s
    gate, lookup = signer(CITY, GATE), c.membership.address
    terms, fact = b"\x71" * 32, b"\xee" * 32
    grant = (terms, CITY, RECEIVING, now, now + 900, 2, 2, fact)
    calls = (
        ("Grants.record", c.grants, gate, ("record", *grant)),
        ("Grants.consume, first release", c.grants, gate, ("consume", terms, b"\1" * 32)),
        ("Grants.consume, later release", c.grants, gate, ("consume", terms, b"\2" * 32)),
        ("Grants.revoke by a party", c.grants, gate, ("revoke", terms)),
        ("Grants.revoke, unknown terms", c.grants, gate, ("revoke", b"\x72" * 32)),
        ("MaterialStatus.setStatus withdrawn", c.status, gate, ("setStatus", fact, 1, bytes(32))),
        ("MaterialStatus.setStatus superseded", c.status, gate, ("setStatus", fact, 2, terms)),
        (
            "Membership.propose SuspendCity",
            c.membership,
            signer(CITY, GOVERN),
            ("propose", 1, payload(1, RECEIVING), fact),
        ),
        ("Membership.vote", c.membership, signer(RECEIVING, GOVERN), ("vote", 4, True)),
    )
    costs = {}
    for name, contract, key, call in calls:
        receipt = contract.send(key, *call, lookup=lookup)
        own_call = contract is c.membership
        costs[name] = (receipt.gas_used, 0 if own_call else receipt.lookup_gas + COLD_CALL_GAS)
    return costs


def build_table() -> str:
    """Text of docs/gas.md."""
    lines = [
        HEAD,
        "| `CityLog.anchor` | hashes | total | look-ups | own |\n|---|---|---|---|---|\n",
    ]
    for (old, new), (total, lookups, hashes) in measure_anchors().items():
        step = f"{old:,} → {new:,} leaves" + (" (a city's first)" if old == 0 else "")
        own = total - lookups
        lines.append(f"| {step} | {hashes} | {total:,} | {lookups:,} | {own:,} |\n")
    lines.append("\n| Other calls | total | look-ups | own |\n|---|---|---|---|\n")
    for name, (total, lookups) in measure_others().items():
        lines.append(f"| `{name}` | {total:,} | {lookups:,} | {total - lookups:,} |\n")
    return "".join(lines)


if __name__ == "__main__":
    TABLE.write_text(build_table(), "utf-8")
