"""What a permitted call needs to succeed: values and bodies, and which calls cannot here, and why.

The matrix calls every guarded route as somebody who may, with these, and wants 2xx or 3xx. A route
in `ELSEWHERE` needs more than one city without a chain has; the tests named there walk it to its
end. A line that is not needed any more fails, so the list only shrinks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tests.support.hall import PERSON, Hall, make_account
from tests.support.pdf import build_pdf

API: Final = "/api/v1"
WAY = "a chain and a second city: tests/integration/api/test_schemathesis.py, journey.py"
VISIT = "a visit that went so far: tests/integration/exchange/test_reuse_run.py, tests/browser"
FORM = "a filled form: "
CEREMONY = "a ceremony that went so far: tests/integration/consent"
SYSTEM = "a configured case system: tests/integration/cases/test_case_systems.py"
AUDIT = "a followed chain: tests/integration/way/test_audit_pages.py"
CASES = FORM + "tests/integration/cases/test_own_cases.py"

ELSEWHERE: Final[Mapping[tuple[str, str], str]] = {
    ("POST", "/admin/accounts"): FORM + "tests/integration/access/test_admin_pages.py",
    ("POST", "/admin/outlets"): FORM + "tests/integration/access/test_admin_pages.py",
    ("POST", "/window/runs"): FORM + "tests/browser/test_console.py",
    ("POST", "/window/runs/{run_id}/service"): FORM + "tests/browser/test_console.py",
    ("POST", "/cases/{case_id}/papers/{paper}"): CASES.replace("own_cases", "case_papers"),
    ("POST", "/window/runs/{run_id}/papers"): FORM + "tests/browser/test_console.py",
    ("POST", "/window/batch/separators"): FORM + "tests/browser/test_devices.py",
    ("POST", "/window/runs/{run_id}/consent"): VISIT,
    ("POST", "/window/runs/{run_id}/consent/home"): VISIT,
    ("POST", "/window/runs/{run_id}/consent/drop"): VISIT,
    ("POST", "/window/runs/{run_id}/again/{city}"): VISIT,
    ("POST", "/window/runs/{run_id}/decision"): VISIT,
    ("POST", "/window/runs/{run_id}/review"): VISIT,
    ("GET", "/window/runs/{run_id}/receipts/{city}"): VISIT,
    ("GET", "/window/runs/{run_id}/pages/{city}/{commitment}/{index}/{number}.png"): VISIT,
    ("POST", "/window/revoke"): CEREMONY,
    ("POST", "/consent/{ceremony_id}/confirm"): CEREMONY,
    ("POST", "/consent/{ceremony_id}/slip"): CEREMONY,
    ("POST", "/me/request"): CEREMONY,
    ("POST", "/me/confirm/{ceremony_id}"): CEREMONY,
    ("POST", "/me/confirm/{ceremony_id}/slip"): CEREMONY,
    ("POST", "/me/confirm/{ceremony_id}/provider"): CEREMONY,
    ("POST", "/me/confirm/{ceremony_id}/passkey"): CEREMONY,
    ("POST", "/me/passkeys"): CEREMONY,
    ("POST", "/me/elsewhere"): CEREMONY,
    ("POST", "/me/grants/{grant_id}/withdraw"): CEREMONY,
    ("PUT", "/systems/v1/{system}/cases/{number}"): SYSTEM,
    ("GET", "/systems/v1/{system}/cases/{number}"): SYSTEM,
    ("POST", "/systems/v1/{system}/cases/{number}/panel"): SYSTEM,
    ("GET", "/systems/v1/{system}/events"): SYSTEM,
    ("POST", "/cases/new"): CASES,
    ("POST", "/cases/{case_id}/review-request"): CASES,
    ("POST", "/cases/{case_id}/{event}"): CASES,
    ("GET", "/audit/members"): AUDIT,
    ("GET", "/audit/activity"): AUDIT,
    ("GET", "/audit/leaves/{city}/{leaf_hash}"): AUDIT,
    ("GET", "/audit/materials/evidence"): AUDIT,
    ("GET", "/audit/grants/{grant_id}"): AUDIT,
    ("GET", "/audit/blocks/{number}"): AUDIT,
    ("GET", "/audit/transactions/{tx_hash}"): AUDIT,
    ("GET", "/audit/replays/{replay_id}"): AUDIT,
    ("GET", "/audit/replays/{replay_id}/progress"): AUDIT,
    ("POST", "/audit/replays/{replay_id}/cancel"): AUDIT,
    ("GET", "/audit/replays/{replay_id}/report.json"): AUDIT,
    ("GET", f"{API}/grants/{{grant_id}}"): WAY,
    ("POST", f"{API}/grants/{{grant_id}}/recording"): WAY,
    ("POST", f"{API}/revocations"): WAY,
    ("GET", f"{API}/revocations/{{grant_id}}"): WAY,
    ("POST", f"{API}/finds"): WAY,
    ("GET", f"{API}/finds/{{find_id}}"): WAY,
    ("POST", f"{API}/releases"): WAY,
    ("GET", f"{API}/releases/{{release_id}}"): WAY,
    ("GET", f"{API}/releases/{{release_id}}/materials"): WAY,
    ("GET", f"{API}/releases/{{release_id}}/materials/{{commitment}}/documents/{{index}}"): WAY,
    ("POST", f"{API}/decisions"): WAY,
    ("GET", f"{API}/receipts/{{receipt_id}}"): WAY,
}


def make_material(hall: Hall) -> str:
    """A paper with its document, registered over the API."""
    client = hall.sign_in("registrar")
    slot = client.post(
        f"{API}/uploads",
        json={"media_type": "application/pdf"},
        headers={"Idempotency-Key": "twins-slot"},
    ).json()["upload_id"]
    path = f"{API}/uploads/{slot}"
    raw = {"content-type": "application/octet-stream"}
    assert client.put(path, content=build_pdf(b"twin"), headers=raw).status_code == 200
    body = build_material({"upload_id": slot, "pages": 1})
    made = client.post(f"{API}/materials", json=body, headers={"Idempotency-Key": "twins-paper"})
    assert made.status_code == 201, made.text
    return str(made.json()["material_id"])


def build_material(document: dict[str, Any], number: str = "J-2020-1") -> dict[str, Any]:
    """Body of a registration."""
    subject = {"scheme": PERSON.scheme, "number": PERSON.number, "name": PERSON.name}
    return {
        "type_code": "marriage-cert",
        "grade": "A",
        "subjects": [{"role": "holder", **subject}],
        "number": number,
        "documents": [document],
    }


def list_values(hall: Hall) -> dict[str, str]:
    """Values of shared parameters that name something that exists."""
    other = make_account(hall.runtime.node, "auditor").row.account_id
    return {"material_id": make_material(hall), "position": "0", "account_id": other}


def list_bodies(case_id: str) -> Mapping[tuple[str, str], Any]:
    """Bodies: bytes as they are, anything else as JSON with a key of its own."""
    return {
        ("POST", f"{API}/materials"): build_material({"sha256": "cd" * 32}, "J-2020-2"),
        ("POST", f"{API}/uploads"): {"media_type": "application/pdf"},
        ("PUT", f"{API}/uploads/{{upload_id}}"): build_pdf(b"another twin"),
        ("POST", f"{API}/verifications/search"): {"case_id": case_id, "sha256": "cd" * 32},
    }
