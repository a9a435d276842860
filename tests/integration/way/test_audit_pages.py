"""The auditor's pages on both databases: what they show, never show, and hand out."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from starlette.testclient import TestClient

from api.app import build_app
from ledger_node.core.checkpoint import build_origin
from ledger_node.core.entry import EntryKind, encode_entry
from ledger_node.core.merkle import TreeHead, hash_leaf, verify_inclusion
from ledger_node.core.types import LeafIndex, RootHash, TreeSize
from ledger_node.flows.receiving import load_incoming
from ledger_node.flows.replaying import resume_replays
from tests.integration.way.story import ISSUER, NAME, NUMBER, RELIER, Way
from tests.support.consortium import DOMAIN
from tests.support.hall import begin_headers, make_account

pytestmark = [pytest.mark.integration]
PAGES = (
    "/audit",
    "/audit/members",
    "/audit/activity?range=day",
    "/audit/activity?range=all",
    *(
        f"/audit/events?kind={kind}"
        for kind in ("anchor", "grant", "consumption", "revocation", "status", "objection")
    ),
    "/audit/events?kind=grant&city=510107&from_day=2026-01-01&until_day=2099-12-31",
    "/audit/materials",
    "/audit/replays",
    "/audit/blocks/3",
)


def sign_in(way: Way, slug: str) -> TestClient:
    runtime = way.consortium[slug]
    headers = begin_headers(runtime.node, "auditor", lambda role: make_account(runtime.node, role))
    origin = runtime.settings.origin
    return TestClient(
        build_app(runtime),
        base_url=origin,
        headers={"accept": "text/html", "origin": origin, **headers},
        follow_redirects=False,
    )


@pytest.fixture(scope="module", params=[ISSUER, RELIER])
def auditor(way: Way, request: pytest.FixtureRequest) -> TestClient:
    """Signed in at the issuing city (SQLite) and at the relying one (PostgreSQL)."""
    way.consortium.turn()
    return sign_in(way, request.param)


@pytest.fixture(scope="module")
def issuer(way: Way) -> TestClient:
    way.consortium.turn()
    return sign_in(way, ISSUER)


@pytest.mark.parametrize("path", PAGES)
def test_audit_page_opens_in_both_languages_and_shows_no_person(
    auditor: TestClient, path: str
) -> None:
    for language in ("zh-CN", "en-GB"):
        answer = auditor.get(path, headers={"accept-language": language})
        assert answer.status_code == 200
        for private in (NAME, NUMBER, "my-registrar-01", "武侯区民政局", "J510107-2020"):
            assert private not in answer.text
        assert " style=" not in answer.text  # the content policy would not run it
        assert "<script>" not in answer.text


def test_audit_activity_every_chart_has_title_summary_and_table(auditor: TestClient) -> None:
    text = auditor.get("/audit/activity?range=day").text
    figures = re.findall(r"<figure.*?</figure>", text, re.DOTALL)
    assert len(figures) == 5
    for figure in figures:
        ids = re.search(r'role="img" aria-labelledby="(\S+) (\S+)"', figure)
        assert ids is not None
        for each, tag in zip(ids.groups(), ("title", "desc"), strict=True):
            assert re.search(rf'<{tag} id="{each}">[^<]+</{tag}>', figure)
        assert "显示数据" in figure
        assert "<table>" in figure


def test_audit_overview_counts_are_the_chains(way: Way, issuer: TestClient) -> None:
    with way.issuer.database.read() as tx:
        counts = tx.explore.count_events()
    text = issuer.get("/audit").text
    shown = re.findall(r'kind=(\w+)"><span[^>]*>[^<]*</span><span[^>]*>([0-9,]+)<', text)
    assert {name: int(n.replace(",", "")) for name, n in shown} == {
        kind.value: count for kind, count in counts.items()
    }


def test_audit_events_csv_is_the_whole_list_with_whole_hashes(auditor: TestClient) -> None:
    answer = auditor.get("/audit/events.csv?kind=consumption")
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    page = auditor.get("/audit/events?kind=consumption").text
    assert len(rows) - 1 == page.count("/audit/grants/") > 5
    assert all(re.fullmatch(r"[0-9a-f]{64}", row[2]) for row in rows[1:])


def test_audit_material_by_commitment_and_by_index_is_the_same_history(
    way: Way, issuer: TestClient
) -> None:
    material = way.stock["gone"].material
    by_commitment = issuer.get(f"/audit/materials?commitment={material.commitment.hex()}").text
    assert "已撤回" in by_commitment
    grant_id = load_incoming(way.relier, way.stock["gone"].digest).grant_id.hex()
    assert f"/audit/grants/{grant_id}" in by_commitment  # the releasing city knows the link
    url = re.search(r'href="(/audit/materials/evidence\?[^"]+)"', by_commitment)
    assert url is not None
    index = re.search(r"index=(\d+)", url[1])
    assert index is not None
    by_index = issuer.get(f"/audit/materials?city={way.issuer.city}&index={index[1]}").text
    assert material.commitment.hex() in by_index
    at_other_city = sign_in(way, RELIER)
    other = at_other_city.get(f"/audit/materials?city={way.issuer.city}&index={index[1]}").text
    assert material.commitment.hex() in other  # read from the issuing city's log and proved
    assert "已核对" in other
    assert f"/audit/grants/{grant_id}" not in other


def test_audit_evidence_same_address_same_bytes_and_proves_itself(
    way: Way, issuer: TestClient
) -> None:
    material = way.stock["gone"].material
    page = issuer.get(f"/audit/materials?commitment={material.commitment.hex()}").text
    url = re.search(r'href="(/audit/materials/evidence\?[^"]+)"', page)
    assert url is not None
    path = url[1].replace("&amp;", "&")
    first = issuer.get(path)
    way.consortium.pass_time(1)
    way.consortium.turn()
    assert issuer.get(path).content == first.content
    assert sign_in(way, RELIER).get(path).content == first.content  # any city gives the same
    bundle = json.loads(first.content)
    entry = encode_entry(EntryKind.MATERIAL, material.commitment)
    assert bundle["entry"] == entry.hex()
    assert bundle["origin"] == build_origin(DOMAIN, way.issuer.city, 1)
    head = TreeHead(
        TreeSize(bundle["placement"]["tree_size"]),
        RootHash(bytes.fromhex(bundle["placement"]["root"])),
    )
    proof = [bytes.fromhex(each) for each in bundle["placement"]["proof"]]
    verify_inclusion(hash_leaf(entry), LeafIndex(bundle["placement"]["leaf_index"]), proof, head)
    assert len(bundle["events"]) == 2  # its anchor and its withdrawal
    later = int(re.search(r"as_of=(\d+)", path)[1]) + 10**6
    assert issuer.get(re.sub(r"as_of=\d+", f"as_of={later}", path)).status_code == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/audit/blocks/999999999", 404),
        ("/audit/grants/" + "00" * 32, 404),
        ("/audit/grants/nothex", 422),
        ("/audit/transactions/" + "00" * 32, 404),
        ("/audit/leaves/510107/" + "00" * 32, 404),
        ("/audit/materials?commitment=" + "00" * 32, 404),
        ("/audit/materials?city=510107&index=99999", 404),
        ("/audit/materials?city=999999&index=1", 404),
        ("/audit/materials?index=1", 422),
        ("/audit/search?q=xyz", 422),
        ("/audit/search?q=abc", 422),
        ("/audit/events?before=1.2.3", 422),
        ("/audit/events?kind=nothing", 422),
        ("/audit/events?from_day=2026-02-31", 422),
        ("/audit/replays/123456789", 404),
        ("/audit/replays/123456789/report.json", 404),
    ],
)
def test_audit_page_of_nothing_is_a_kind_page(auditor: TestClient, path: str, status: int) -> None:
    answer = auditor.get(path)
    assert answer.status_code == status
    assert "<html" in answer.text


def test_audit_search_finds_a_grant_by_its_first_digits(way: Way, auditor: TestClient) -> None:
    grant_id = load_incoming(way.relier, way.stock["gone"].digest).grant_id.hex()
    for query in (grant_id[:6], "0x" + grant_id[:9].upper(), grant_id):
        assert f"/audit/grants/{grant_id}" in auditor.get(f"/audit/search?q={query}").text
    assert "/audit/blocks/3" in auditor.get("/audit/search?q=3").text


def test_audit_replay_asked_for_on_the_page_is_watched_and_cancelled(
    way: Way, issuer: TestClient
) -> None:
    asked = issuer.post("/audit/replays", data={})
    assert asked.status_code == 303
    page = asked.headers["location"]
    assert 'aria-live="polite"' in issuer.get(page).text
    part = issuer.get(f"{page}/progress", headers={"hx-request": "true"})
    assert f'hx-get="{page}/progress"' in part.text
    assert "<html" not in part.text
    assert issuer.post("/audit/replays", data={}).status_code == 409
    assert issuer.post(f"{page}/cancel", data={}).status_code == 303

    resume_replays(way.issuer, b"m" * 16)
    assert "hx-get" not in issuer.get(f"{page}/progress").text  # it ended: nothing asks again
    assert issuer.get(f"{page}/report.json").status_code == 404
