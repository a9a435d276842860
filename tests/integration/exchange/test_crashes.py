"""T1 for steps 7 and 8: a process dies or fails at every boundary of a grant and a release.

For each boundary: died before the effect, died after it, and "failed but persisted". The fault
sits in wrappers around the ports of a real node process. After the restart the release ends as
acknowledged on both sides with exactly one consumption, for exactly this release, and a grant is
recorded exactly once. The oracle reads raw chain logs and the cities' database files.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import pytest

from ledger_node.core.types import Commitment, GrantId
from ledger_node.flows.granting import record_grant
from ledger_node.flows.receiving import open_document
from tests.integration.processes import DIED, FAILED_BUT_PERSISTED, MODES
from tests.support.cities import Cities
from tests.support.stock import (
    ISSUER,
    RELIER,
    consent,
    is_anchored,
    paper_of,
    prepare,
    register_paper,
)

pytestmark = [pytest.mark.integration]

ACKNOWLEDGE = "peers.send /peer/v1/releases/acknowledgement"
# One release passes both: a point of the releasing city and one of the receiving city.
PAIRS = (
    ("outgoing:answered", "incoming:requested"),
    ("outgoing:consume_signed", "peers.send /peer/v1/releases"),
    ("chain.send_transactions", "peers.send /peer/v1/releases/answer"),
    ("outbox:consume:submitted", "incoming:answered"),
    ("outbox:consume:confirmed", "incoming:verified"),
    ("outgoing:confirmed", "documents.sync"),
    ("documents.read", "documents.put"),
    ("outgoing:sent", "incoming:complete"),
    ("outgoing:acknowledged", ACKNOWLEDGE),
    ("outgoing:answered", "incoming:acknowledged"),
)
ALONE = sorted({(ISSUER, point) for point, _ in PAIRS} | {(RELIER, point) for _, point in PAIRS})
FULL_TRIALS = 50
RENEWED_EVERY = 10


@pytest.fixture(scope="module")
def shared_grant(cities: Cities) -> GrantId:
    """A recorded grant with uses for every quick trial."""
    grant_id = sign_fresh_grant(cities)
    for slug in (ISSUER, RELIER):
        cities.start(slug)
        cities.wait_grant(slug, grant_id)
    return grant_id


def sign_fresh_grant(cities: Cities) -> GrantId:
    """A grant with all the uses that terms allow, on its way to the chain."""
    with cities.opened(RELIER) as node:
        grant_id = consent(node, cities.stock, uses=1000)
        record_grant(node, grant_id)
    return grant_id


_papers = itertools.count(1000)


def register_another(cities: Cities) -> tuple[Commitment, int]:
    """Register one more paper in Wuhou and wait for its anchor; (commitment, which paper)."""
    which = next(_papers)
    with cities.opened(ISSUER) as node:
        material = register_paper(node, which)
        cities.wait_for(lambda: is_anchored(node, [material]), "the anchor")
    return material, which


def check_released_once(cities: Cities, grant_id: bytes, digest: bytes, before: int) -> None:
    """Both sides ended; exactly one more consumption, and it is for exactly this release."""
    assert cities.wait_ended(RELIER, digest) == ("acknowledged", None)
    cities.wait_for(
        lambda: cities.release_states(ISSUER)[digest][0] == "acknowledged", "the issuer to end"
    )
    consumed = cities.logs("consumed", grant_id)
    assert len(consumed) == before + 1
    sql = "select release_salt, release_commitment, request from releases where request_digest = ?"
    (salt, commitment, _), (issued_salt, issued, request) = (
        cities.rows(slug, sql, digest)[0] for slug in (RELIER, ISSUER)
    )
    assert (salt, commitment) == (issued_salt, issued)
    assert consumed[-1]["topics"][2] == "0x" + commitment.hex()
    assert b'"sealed":null' in request, "the sealed number is still in the message log"


def run_release_trial(
    cities: Cities, grant_id: GrantId, points: Mapping[str, str], mode: str
) -> None:
    material, which = cities.stock.materials[0], 0
    if any(point in ("documents.read", "documents.put") for point in points.values()):
        material, which = register_another(cities)  # a paper Mianyang holds is not fetched again
    before = len(cities.logs("consumed", grant_id))
    with cities.opened(RELIER) as node:
        for slug, point in points.items():
            cities.faults(slug).arm(point, mode)
        digest = prepare(node, grant_id, material)
    waiting = dict(points)

    def restart_the_dead() -> bool:
        for slug in [each for each in waiting if cities.faults(each).has_fired()]:
            if mode != FAILED_BUT_PERSISTED:
                assert cities.wait_end(slug) == DIED
                cities.start(slug)
            del waiting[slug]
        return not waiting

    cities.wait_for(restart_the_dead, f"the faults at {points}")
    check_released_once(cities, grant_id, digest, before)
    with cities.opened(RELIER) as node:
        target = cities.path / "opened.pdf"
        open_document(node, digest, material, 0, target)
        assert target.read_bytes() == paper_of(which)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("releasing", "receiving"), PAIRS)
def test_release_fails_at_a_boundary_of_each_city_restart_releases_once(
    cities: Cities, shared_grant: GrantId, releasing: str, receiving: str, mode: str
) -> None:
    run_release_trial(cities, shared_grant, {ISSUER: releasing, RELIER: receiving}, mode)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("slug", "point"), ALONE)
def test_release_fails_at_one_boundary_fifty_times_releases_once_each(
    cities: Cities, shared_grant: GrantId, slug: str, point: str
) -> None:
    grant_id = sign_fresh_grant(cities)  # the shared one has not uses enough for all boundaries
    for each in (ISSUER, RELIER):
        cities.wait_grant(each, grant_id)
    for trial in range(FULL_TRIALS):
        if trial % RENEWED_EVERY == 0:  # a city's process is bounded in time
            for each in (ISSUER, RELIER):
                cities.stop(each)
                cities.start(each)
        run_release_trial(cities, grant_id, {slug: point}, MODES[trial % len(MODES)])
