"""T16: every documented operation over a city that holds something, with data made from the
document itself. No server error, no answer that is not documented.

Half of the calls name things that exist (ids of the seeded city), or nothing would get behind the
first 404.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import hypothesis
import hypothesis.strategies as st
import pytest
import schemathesis
from fastapi import FastAPI
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi import checks as openapi_checks

from ledger_node.flows.granting import record_grant
from ledger_node.wiring import Runtime
from tests.architecture.source import ROOT
from tests.integration.api.journey import Journey
from tests.support.consortium import Consortium, running_consortium
from tests.support.desk import build_unlimited, open_desk, post, sign_in_headers, upload
from tests.support.pdf import build_pdf
from tests.support.stock import ISSUER, NAME, NUMBER, RELIER, consent, make_stock

pytestmark = pytest.mark.integration

DOCUMENT = json.loads((ROOT / "docs" / "openapi.json").read_text("utf-8"))
OPERATIONS = sorted(
    (method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods
)
QUICK, FULL = 5, 100
ROLE_BY_TAG = {"audit": "auditor", "systems": "system"}
CHECKS = [
    schemathesis.checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
]
load_all_checks()


class Seeded:
    """The city under test, and names of what it holds."""

    def __init__(self, app: FastAPI, runtime: Runtime, ids: dict[str, list[str]]) -> None:
        self.app = app
        self.ids = ids
        self.origin = runtime.settings.origin
        self.headers = {
            role: sign_in_headers(runtime, role, officer)
            for role, officer in (
                ("supervisor", "my-supervisor-01"),
                ("auditor", None),
                ("system", None),
            )
        }
        self.schema = schemathesis.openapi.from_dict(DOCUMENT)
        self.schema.app = app
        self.statuses: Counter[tuple[str, str, int]] = Counter()

    def call(self, operation: Any, case: Any, known: dict[str, str]) -> int:
        """One call with a session of the role that the operation is for."""
        put_known(case, known)
        tags = operation.definition.raw.get("tags", [""])
        headers = self.headers[ROLE_BY_TAG.get(tags[0], "supervisor")]
        response = case.call(base_url=self.origin, headers=headers, app=self.app)
        case.validate_response(response, checks=CHECKS)
        self.statuses[operation.method.upper(), operation.path, response.status_code] += 1
        return int(response.status_code)


def put_known(case: Any, known: dict[str, str]) -> None:
    """Names of things that exist, where the case has such names."""
    for name in list(case.path_parameters or {}):
        if name in known:
            case.path_parameters[name] = known[name]
    if not isinstance(case.body, dict):
        return
    for name in case.body:
        if name in known:
            case.body[name] = known[name]
        elif name == "grant_ids" and "grant_id" in known:
            case.body[name] = [known["grant_id"]]
    materials = case.body.get("materials")
    for item in materials if isinstance(materials, list) else ():
        if isinstance(item, dict) and "commitment" in item and "commitment" in known:
            item["commitment"] = known["commitment"]


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    stock = make_stock()
    path = tmp_path_factory.mktemp("schemathesis")
    with running_consortium(stock.template, path, (ISSUER, RELIER)) as consortium:
        consortium.pass_time(1)
        runtime = consortium[RELIER]
        app, node = build_unlimited(runtime), runtime.node
        journey = open_journey(consortium, app)
        grant_id = consent(node, stock, uses=50)
        waiting = consent(node, stock)
        record_grant(node, grant_id)
        journey.settle(lambda: _is_recorded(consortium, grant_id))
        found = journey.find(grant_id.hex())
        release_id = journey.release(grant_id.hex(), [found[0]["commitment"]])
        receipt_id = journey.decide(release_id)
        mine = open_journey_material(journey)
        ids = {
            "grant_id": [grant_id.hex(), waiting.hex()],
            "release_id": [release_id],
            "receipt_id": [receipt_id],
            "commitment": [found[0]["commitment"], found[1]["commitment"]],
            "find_id": [_first_find(journey)],
            **mine,
            "position": ["0"],
            "index": ["0"],
            "generation": ["1"],
        }
        yield Seeded(app, runtime, ids)


def open_journey(consortium: Consortium, app: FastAPI) -> Journey:
    """A registrar at the issuer, the enrolled supervisor at the city under test."""
    issuer, relier = consortium[ISSUER], consortium[RELIER]
    return Journey(
        open_desk(build_unlimited(issuer), issuer, "registrar"),
        open_desk(app, relier, "supervisor", "my-supervisor-01"),
        lambda done: consortium.settle(done, (ISSUER, RELIER)),
    )


def _is_recorded(consortium: Any, grant_id: Any) -> bool:
    with consortium[ISSUER].node.database.read() as tx:
        return tx.chain.find_grant(grant_id) is not None


def _first_find(journey: Journey) -> str:
    return str(journey.relier.get("/api/v1/finds").json()["items"][0]["find_id"])


def open_journey_material(journey: Journey) -> dict[str, list[str]]:
    """A material and an upload of the city under test itself."""
    body = {
        "type_code": "marriage-cert",
        "grade": "A",
        "subjects": [
            {"role": "holder", "scheme": "cn-resident-id", "number": NUMBER, "name": NAME}
        ],
        "documents": [{"upload_id": upload(journey.relier, build_pdf(b"seeded"))}],
    }
    material_id = post(journey.relier, "/api/v1/materials", body, 201)["material_id"]
    return {"material_id": [material_id], "upload_id": [upload(journey.relier, build_pdf(b"two"))]}


def exercise(seeded: Seeded, method: str, path: str, examples: int) -> None:
    """Examples for one operation, valid ones and damaged ones."""
    operation = seeded.schema[path][method]
    modes = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
    if method == "GET":
        first = {name: values[0] for name, values in seeded.ids.items()}
        plain = operation.Case(path_parameters=dict.fromkeys(_names(path), "0"))
        assert seeded.call(operation, plain, first) < 500
    names = sorted(seeded.ids)
    known = st.fixed_dictionaries({name: st.sampled_from(seeded.ids[name]) for name in names})

    for mode in modes:

        @hypothesis.seed(20261122)
        @hypothesis.settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=False,
            phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(
            case=operation.as_strategy(generation_mode=mode), values=known, real=st.booleans()
        )
        def run(case: Any, values: dict[str, str], real: bool) -> None:
            seeded.call(operation, case, values if real else {})

        try:
            run()
        except hypothesis.errors.Unsatisfiable:
            assert mode is schemathesis.GenerationMode.NEGATIVE  # nothing there to damage


def _names(path: str) -> list[str]:
    return re.findall(r"\{(\w+)\}", path)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_operation_quick_run_answers_as_documented(seeded: Seeded, method: str, path: str) -> None:
    exercise(seeded, method, path, QUICK)


def test_quick_run_called_every_operation_and_some_with_success(seeded: Seeded) -> None:
    called = {(method, path) for method, path, _ in seeded.statuses}
    assert called == set(OPERATIONS)
    assert len(OPERATIONS) >= 44
    succeeded = {(method, path) for method, path, status in seeded.statuses if 200 <= status < 300}
    assert len(succeeded) >= 25, sorted(set(OPERATIONS) - succeeded)
    assert sum(seeded.statuses.values()) >= QUICK * len(OPERATIONS)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_operation_full_run_answers_as_documented(seeded: Seeded, method: str, path: str) -> None:
    exercise(seeded, method, path, FULL)
