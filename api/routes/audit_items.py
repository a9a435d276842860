"""Single items of the ledger for the auditor: a material, a grant, a block, a search; evidence.

Permission `audit.explore`; addresses hold public hashes only.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.access import allow
from api.routes.audit import Auditor, CityCode, RuntimeDep, audit_page
from ledger_node.core.access import Permission
from ledger_node.core.errors import MalformedInputError
from ledger_node.core.event_types import Event
from ledger_node.core.types import (
    BlockNumber,
    CityId,
    Commitment,
    GrantId,
    LeafHash,
    TxHash,
)
from ledger_node.flows import exploring
from ledger_node.flows import exploring_histories as histories
from ledger_node.flows.exploring_evidence import build_evidence_bundle, load_final_number
from ledger_node.flows.node import Node

router = APIRouter(prefix="/audit", tags=["audit"], include_in_schema=False)

Hex = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
HexQuery = Annotated[str, Query(pattern=r"^(0x)?[0-9a-fA-F]{64}$|^$")]
Number = Annotated[str, Query(pattern=r"^[0-9]{0,15}$")]
CityPath = Annotated[str, Path(pattern=r"^[0-9]{6}$")]


class MaterialNotNamedError(MalformedInputError):
    """Neither a commitment nor a city with a place in its log."""

    code = "material_not_named"

    def __init__(self) -> None:
        super().__init__(
            "请填材料承诺，或填城市与日志序号。",
            "Give a commitment, or a city and a place in its log.",
        )


@router.get("/materials", response_class=HTMLResponse)
def read_material(
    request: Request,
    principal: Auditor,
    runtime: RuntimeDep,
    city: CityCode = "",
    commitment: HexQuery = "",
    generation: Number = "",
    index: Number = "",
) -> Response:
    """The form, and the whole history of the entry asked for."""
    asked = {"city": city, "commitment": commitment, "generation": generation, "index": index}
    context: dict[str, Any] = {"asked": asked, "cities": exploring.list_members(runtime.node)}
    context |= {"history": None, "bundle_url": None}
    if commitment or index:
        history = find_history(runtime.node, city, commitment, generation, index)
        context |= {"history": history, "bundle_url": _bundle_url(runtime.node, history)}
    return audit_page(request, principal, "material.html", context)


@router.get("/leaves/{city}/{leaf_hash}", response_class=HTMLResponse)
def read_leaf(
    request: Request, principal: Auditor, runtime: RuntimeDep, city: CityPath, leaf_hash: Hex
) -> Response:
    """Statuses and objections of a leaf whose entry is not known here."""
    leaf = LeafHash(bytes.fromhex(leaf_hash))
    history = histories.find_material_by_leaf(runtime.node, CityId(city), leaf)
    asked = {"city": city, "commitment": "", "generation": "", "index": ""}
    context = {
        "asked": asked,
        "cities": exploring.list_members(runtime.node),
        "history": history,
        "bundle_url": None,
    }
    return audit_page(request, principal, "material.html", context)


def find_history(
    node: Node, city: str, commitment: str, generation: str, index: str
) -> histories.MaterialHistory:
    """By commitment if there is one, else by place.

    Raises:
        MaterialNotNamedError: Neither.
        NothingFoundError: The ledger has none.
    """
    if commitment:
        wanted = Commitment(bytes.fromhex(commitment.lower().removeprefix("0x")))
        return histories.find_material_by_commitment(node, CityId(city) if city else None, wanted)
    if not (city and index):
        raise MaterialNotNamedError
    place = int(generation) if generation else 1
    return histories.find_material_by_index(node, CityId(city), place, int(index))


def _bundle_url(node: Node, history: histories.MaterialHistory) -> str | None:
    """Address of the evidence as of now; the same address gives the same bytes later."""
    final = load_final_number(node)
    if history.placement is None or history.anchor is None or final is None:
        return None
    query = urlencode(
        {
            "city": history.city,
            "generation": history.placement.generation,
            "index": int(history.placement.leaf_index),
            "as_of": int(final),
        }
    )
    return f"/audit/materials/evidence?{query}"


@router.get("/materials/evidence", dependencies=[allow(Permission.AUDIT_EXPLORE)])
def download_evidence(
    runtime: RuntimeDep,
    city: Annotated[str, Query(pattern=r"^[0-9]{6}$")],
    index: Annotated[int, Query(ge=0, lt=2**53)],
    as_of: Annotated[int, Query(ge=0, lt=2**53)],
    generation: Annotated[int, Query(ge=1, lt=2**31)] = 1,
) -> Response:
    """Events and proof of one entry, RFC 8785 bytes."""
    history = histories.find_material_by_index(runtime.node, CityId(city), generation, index)
    bundle = build_evidence_bundle(runtime.node, history, BlockNumber(as_of))
    return send_file(bundle, f"tongban-{city}-{generation}-{index}-{as_of}.json")


def send_file(data: bytes, name: str) -> Response:
    """JSON to be kept."""
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(data, media_type="application/json", headers=headers)


@router.get("/grants/{grant_id}", response_class=HTMLResponse)
def read_grant(
    request: Request, principal: Auditor, runtime: RuntimeDep, grant_id: Hex
) -> Response:
    """One grant: recorded, consumed, revoked."""
    history = histories.find_grant_history(runtime.node, GrantId(bytes.fromhex(grant_id)))
    return audit_page(request, principal, "grant.html", {"history": history})


@router.get("/blocks/{number}", response_class=HTMLResponse)
def read_block(
    request: Request,
    principal: Auditor,
    runtime: RuntimeDep,
    number: Annotated[int, Path(ge=0, lt=2**53)],
) -> Response:
    """One block and what our contracts said in it."""
    contents = histories.find_block(runtime.node, BlockNumber(number))
    context = {"contents": contents, "tx_hash": None, "describe": describe_event}
    return audit_page(request, principal, "block.html", context)


@router.get("/transactions/{tx_hash}", response_class=HTMLResponse)
def read_transaction(
    request: Request, principal: Auditor, runtime: RuntimeDep, tx_hash: Hex
) -> Response:
    """The events of one transaction."""
    wanted = TxHash(bytes.fromhex(tx_hash))
    contents = histories.find_transaction(runtime.node, wanted)
    context = {"contents": contents, "tx_hash": wanted, "describe": describe_event}
    return audit_page(request, principal, "block.html", context)


def describe_event(event: Event) -> list[tuple[str, str]]:
    """Fields of an event by their names in the contract's events."""
    return [
        (field.name, _show(getattr(event, field.name)))
        for field in fields(event)
        if field.name != "position"
    ]


def _show(value: object) -> str:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, tuple):
        return ", ".join(_show(each) for each in value)
    return str(getattr(value, "name", value))


@router.get("/search", response_class=HTMLResponse)
def search(
    request: Request,
    principal: Auditor,
    runtime: RuntimeDep,
    q: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    """What a block number or the first digits of a hash may mean."""
    if not q.strip():
        return RedirectResponse("/audit", 303)
    found = histories.search(runtime.node, q)
    context = {"q": q.strip(), "found": found, "own_city": runtime.node.city}
    return audit_page(request, principal, "search.html", context)
