"""Attempts to cheat. Each is made for real against the running consortium and must be refused.

An attempt returns (refused, stable code or reason); the story ends with an error when one passes.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import create_engine, text

from ledger_node.core.derivation import derive_document_secret
from ledger_node.core.errors import LedgerError
from ledger_node.core.event_types import ContractRole, KeyRole
from ledger_node.core.evidence_format import encode_evidence
from ledger_node.core.find_messages import Candidate
from ledger_node.core.merkle import TreeHead, compute_consistency_proof_length
from ledger_node.core.receipt import NotAReceiptError
from ledger_node.core.release import IncomingState
from ledger_node.core.sealed import encode_openings
from ledger_node.core.tiles import compute_root_from_tiles, tile_path
from ledger_node.core.trust import Trust
from ledger_node.core.types import Commitment, GrantId, RootHash, TreeSize
from ledger_node.core.verdict import LineState
from ledger_node.core.verify import verify_receipt
from ledger_node.demo.window import Window
from ledger_node.flows.facts import load_chain_view
from ledger_node.flows.finding import find_materials
from ledger_node.flows.granting import load_grant, revoke_grant
from ledger_node.flows.materials import load_material_by_commitment
from ledger_node.flows.outbox import ContractCall, simulate
from ledger_node.flows.records import seal_record


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt: its name, what is tried, and how it went.

    Attributes:
        refused: Whether it was refused, which it must be.
        reason: Stable code of the refusal.
    """

    name: str
    zh: str
    en: str
    refused: bool
    reason: str


def change_a_byte(receipt: bytes, trust: Trust, sensitive: frozenset[str]) -> Attempt:
    """Flip one bit in every 97th byte of the reliance receipt, one at a time."""
    tried = 0
    codes: set[str] = set()
    for at in range(0, len(receipt), 97):
        changed = bytearray(receipt)
        changed[at] ^= 1
        tried += 1
        try:
            verdict = verify_receipt(bytes(changed), trust, sensitive_types=sensitive)
        except NotAReceiptError as error:
            codes.add(error.code)
            continue
        if verdict.state is not LineState.FAILS:
            return _attempt("byte", False, f"byte {at} passed")
        codes.update(code.value for code in verdict.codes)
    return _attempt("byte", True, f"{tried} × {', '.join(sorted(codes)[:3])} …")


def change_a_tile(window: Window) -> Attempt:
    """Recompute the anchored root from tiles of which one byte was changed."""
    node = window.stage.open(window.slug).node
    with node.database.read() as tx:
        head = tx.chain.find_latest_head(node.city)
    assert head is not None  # the story anchored before
    size = head.tree_head.size
    victim = tile_path(0, 0, min(size, 256))

    def read(path: str) -> bytes:
        data = bytearray(node.tiles.read(path))
        if path == victim:
            data[0] ^= 1
        return bytes(data)

    refused = compute_root_from_tiles(read, TreeSize(size)) != head.tree_head.root
    honest = compute_root_from_tiles(node.tiles.read, TreeSize(size)) == head.tree_head.root
    return _attempt("tile", refused and honest, "root_mismatch")


def use_revoked_grant(
    window: Window, releaser: Window, grant_id: GrantId, candidates: Sequence[Candidate]
) -> Attempt:
    """Revoke a recorded grant, then ask for a release under it."""
    revoke_grant(window.stage.open(window.slug).node, grant_id)
    window.stage.wait(lambda: releaser.sees_revocation(grant_id), "GrantRevoked")
    row = window.request(grant_id, candidates)
    return _attempt("revoked", row.state == IncomingState.REFUSED, row.problem_code or "?")


def use_twice(window: Window, grant_id: GrantId, candidates: Sequence[Candidate]) -> Attempt:
    """Ask again under a grant whose one use was consumed."""
    row = window.request(grant_id, candidates)
    return _attempt("twice", row.state == IncomingState.REFUSED, row.problem_code or "?")


def use_foreign_grant(window: Window, thief: Window, grant_id: GrantId) -> Attempt:
    """Another city sends the terms and evidence it got hold of as its own find."""
    node, other = window.stage.open(window.slug).node, thief.stage.open(thief.slug).node
    with node.database.read() as tx:
        stolen = tx.grants.load_grant(grant_id)
    held = load_grant(node, grant_id)
    name = f"grant/{grant_id.hex()}"
    row = replace(
        stolen,
        sealed_evidence=seal_record(other, name, "evidence", encode_evidence(held.evidence)),
        sealed_openings=seal_record(other, name, "openings", encode_openings(held.openings)),
    )
    with other.database.transaction() as tx:
        tx.grants.save_grant(row)
    (outcome,) = find_materials(other, [grant_id], "window-1")
    refused = outcome.outcome not in ("answered", "silent")
    return _attempt("foreign", refused, outcome.outcome)


def record_again(window: Window, grant_id: GrantId) -> Attempt:
    """Record the same consent once more."""
    node = window.stage.open(window.slug).node
    with node.database.read() as tx:
        recorded = tx.chain.find_grant(grant_id)
    assert recorded is not None  # the story recorded it
    data = node.contracts.encode_record(
        grant_id,
        recorded.releasing,
        recorded.receiving,
        recorded.not_before_s,
        recorded.not_after_s,
        recorded.uses,
        recorded.basis,
        recorded.evidence,
    )
    call = ContractCall(KeyRole.GATE, recorded.place.contract, data, "record", grant_id.hex())
    return _refused_by_chain("again", lambda: simulate(node, call))


def swap_document(
    window: Window, releaser: Window, grant_id: GrantId, victim: Candidate
) -> Attempt:
    """The issuing city seals another document under the same identity and serves that."""
    node = releaser.stage.open(releaser.slug).node
    opened = load_material_by_commitment(node, victim.commitment)
    secret = derive_document_secret(opened.key, 0)
    forged = node.sealer.seal(node.documents, secret, io.BytesIO(b"%PDF-1.7 another paper"))
    node.documents.sync()
    before = opened.stored.row.documents[0]
    _point_document(releaser, victim.commitment, forged.address, forged.sealed_bytes)
    row = window.request(grant_id, [victim])
    _point_document(releaser, victim.commitment, before.address or b"", before.sealed_bytes)
    return _attempt("swapped", row.state == IncomingState.REJECTED, row.problem_code or "?")


def fork_log(window: Window) -> Attempt:
    """Anchor a larger head that does not extend the held one, with the city's own anchor key."""
    node = window.stage.open(window.slug).node
    with node.database.read() as tx:
        head = tx.chain.find_latest_head(node.city)
        city_log = load_chain_view(tx).contract(ContractRole.CITY_LOG)
    assert head is not None  # the story anchored before
    size = head.tree_head.size
    forged = TreeHead(TreeSize(size + 1), RootHash(hashlib.sha256(b"another history").digest()))
    length = compute_consistency_proof_length(size, size + 1)
    proof = [hashlib.sha256(b"sibling %d" % at).digest() for at in range(length)]
    call = ContractCall(
        KeyRole.ANCHOR,
        city_log,
        node.contracts.encode_anchor(size, forged, proof),
        "anchor",
        "fork",
    )
    return _refused_by_chain("forked", lambda: simulate(node, call))


_TEXTS = {
    "byte": ("采信凭证改动一个比特", "one bit of the reliance receipt changed"),
    "tile": ("日志瓦片改动一个字节", "one byte of a log tile changed"),
    "revoked": ("撤回授权后再要材料", "a release under a revoked grant"),
    "twice": ("一次性授权用第二次", "a second use of a single-use grant"),
    "foreign": ("第三座城市冒用他市的授权", "a grant meant for another city"),
    "again": ("同一份同意再登记一次", "the same consent recorded again"),
    "swapped": ("提供城市偷换文件", "a document swapped at the issuing city"),
    "forked": ("日志分叉后上链", "a forked log anchored"),
}


def _attempt(name: str, refused: bool, reason: str) -> Attempt:
    zh, en = _TEXTS[name]
    return Attempt(name, zh, en, refused, reason)


def _refused_by_chain(name: str, attempt: Callable[[], object]) -> Attempt:
    try:
        attempt()
    except LedgerError as error:
        reason = str(error.fields.get("name", error.code))
        return _attempt(name, True, reason)
    return _attempt(name, False, "accepted")


def _point_document(
    window: Window, commitment: Commitment, address: bytes, sealed_bytes: int
) -> None:
    """Tamper with the city's own database, as its administrator could."""
    engine = create_engine(window.stage.open(window.slug).settings.database)
    change = text(
        "UPDATE documents SET address = :address, sealed_bytes = :size WHERE position = 0 AND "
        "material_id = (SELECT material_id FROM materials WHERE commitment = :commitment)"
    )
    values = {"address": address, "size": sealed_bytes, "commitment": commitment}
    with engine.begin() as connection:
        connection.execute(change, values)
    engine.dispose()
