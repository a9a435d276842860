"""T20: every trick of the upload corpus is refused with its own code and leaves nothing; good files
pass. Quick runs send two tricks of each code through the real route, full runs all of them; what
the inspecting process says of the others is asked of it directly.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from starlette.testclient import TestClient

from ledger_node.edges.rendering import CappedInspector, inspect_worker, inspector
from ledger_node.flows.inspecting import REFUSALS
from ledger_node.ports.inspecting import Finding, InspectionUnavailableError
from tests.architecture.source import ROOT
from tests.support.hall import Hall, open_hall
from tests.support.pdf import build_pdf
from tests.uploads.tricks import GOOD, TRICKS, Trick

pytestmark = pytest.mark.integration

CORPUS = ROOT.parent / "shared" / "corpus"
REFUSED_THERE = {
    "libreoffice-writer-password.pdf": "document_locked",
    "with-attachment.pdf": "document_carries_files",
    "source.odt": "document_kind_unknown",
}
TYPES = {".pdf": "application/pdf", ".png": "image/png", ".jpg": "image/jpeg"}
TYPES |= {".tiff": "image/tiff", ".odt": "application/vnd.oasis.opendocument.text"}
RAW = {"content-type": "application/octet-stream"}
PER_CODE = 2
MEMORY_KIB, TIME_S = 1024 * 1024, 25.0


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with open_hall(tmp_path_factory.mktemp("corpus")) as opened:
        yield opened


@pytest.fixture(scope="module")
def client(hall: Hall) -> TestClient:
    return hall.sign_in("registrar")


def list_parameters() -> list[Any]:
    seen: dict[str, int] = defaultdict(int)
    listed = []
    for name, trick in TRICKS.items():
        quick = not trick.slow and seen[trick.code] < PER_CODE
        seen[trick.code] += quick
        marks = () if quick else pytest.mark.slow
        listed.append(pytest.param(trick, id=name, marks=marks))
    return listed


def open_slot(client: TestClient, media_type: str) -> str:
    answer = client.post(
        "/api/v1/uploads",
        json={"media_type": media_type},
        headers={"Idempotency-Key": uuid.uuid4().hex},
    )
    assert answer.status_code == 201, answer.text
    return f"/api/v1/uploads/{answer.json()['upload_id']}"


def list_kept(hall: Hall) -> set[str]:
    folder = hall.runtime.settings.data_dir / "uploads"
    return {each.name for each in folder.iterdir()} if folder.exists() else set()


@pytest.mark.parametrize("trick", list_parameters())
def test_upload_trick_is_refused_with_its_code_and_leaves_nothing(
    hall: Hall, client: TestClient, trick: Trick
) -> None:
    path, before = open_slot(client, trick.declared), list_kept(hall)
    answer = client.put(path, content=trick.make(), headers=RAW)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, trick.code)
    assert problem["detail"].endswith(".")
    assert problem["detail_zh"].endswith("。")
    assert list_kept(hall) == before
    assert client.get(path).json()["state"] == "open"


def test_refused_slot_takes_a_good_file_afterwards(hall: Hall, client: TestClient) -> None:
    path = open_slot(client, "application/pdf")
    assert client.put(path, content=TRICKS["pdf-and-jar"].make(), headers=RAW).status_code == 422
    twin = client.put(path, content=build_pdf(b"good"), headers=RAW)
    assert (twin.status_code, twin.json()["state"]) == (200, "stored")


@pytest.mark.parametrize("name", ["pdf", "pdf-undeclared", "png", "tiff-of-two-pages", "ofd"])
def test_upload_good_file_is_stored(client: TestClient, name: str) -> None:
    make, declared, _ = GOOD[name]
    answer = client.put(open_slot(client, declared), content=make(), headers=RAW)
    assert answer.status_code == 200, answer.text


def test_every_trick_and_good_file_is_seen_for_what_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)  # as `limit` does in the process
    for name, trick in TRICKS.items():
        if not trick.slow:
            said = inspect_worker.say(trick.make())
            if trick.code == "document_kind_differs":
                assert said.get("kind") not in (None, trick.declared), name
            else:
                assert REFUSALS[Finding(str(said.get("refused")))]().code == trick.code, name
    for name, (make, declared, pages) in GOOD.items():
        said = inspect_worker.say(make())
        assert said.get("pages") == pages, (name, said)
        assert declared in (said["kind"], "application/octet-stream"), name


def test_corpus_has_every_refusal_and_sixty_tricks() -> None:
    codes = {trick.code for trick in TRICKS.values()}
    assert codes == {each().code for each in REFUSALS.values()} | {"document_kind_differs"}
    assert len(TRICKS) >= 60
    assert len([each for each in list_parameters() if not each.marks]) >= 20 - 1
    assert set(REFUSALS) == set(Finding)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real files does not travel along")
def test_real_files_pass_unless_locked_or_carrying_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    files = sorted(CORPUS.iterdir())
    assert len(files) >= 15
    for file in files:
        said = inspect_worker.say(file.read_bytes())
        code = REFUSED_THERE.get(file.name)
        if code is None:
            assert said.get("kind") == TYPES[file.suffix], (file.name, said)
        else:
            assert REFUSALS[Finding(str(said["refused"]))]().code == code, file.name


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real files does not travel along")
@pytest.mark.slow
def test_real_files_go_through_the_route(client: TestClient) -> None:
    for file in sorted(CORPUS.iterdir()):
        path = open_slot(client, TYPES[file.suffix])
        answer = client.put(path, content=file.read_bytes(), headers=RAW)
        code = answer.json().get("code")
        assert code == REFUSED_THERE.get(file.name), (file.name, answer.text)


@pytest.mark.parametrize(
    "name",
    [
        "png-of-ten-thousand-million-pixels",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name, trick in TRICKS.items()
            if trick.slow
        ),
    ],
)
def test_inspecting_process_stays_within_time_and_memory(tmp_path: Path, name: str) -> None:
    path = tmp_path / "trick"
    path.write_bytes(TRICKS[name].make())
    began = time.monotonic()
    with path.open("rb") as source:
        process = subprocess.Popen(
            [sys.executable, "-m", inspector._PROGRAM], stdin=source, stdout=subprocess.PIPE
        )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.stdout is not None
    with process.stdout as said:
        assert b"refused" in said.read() or process.returncode < 0
    assert time.monotonic() - began < TIME_S
    assert usage.ru_maxrss < MEMORY_KIB


def test_inspect_file_that_keeps_the_process_busy_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "f").write_bytes(build_pdf())
    monkeypatch.setattr(inspector, "_PROGRAM", "tests.uploads.endless")
    with (tmp_path / "f").open("rb") as source:
        assert CappedInspector().inspect(source) is Finding.INFLATES


def test_inspect_on_a_machine_too_busy_says_nothing_of_the_file(
    monkeypatch: pytest.MonkeyPatch, hall: Hall, client: TestClient
) -> None:
    monkeypatch.setattr(inspector, "TIME_S", 0.01)
    path, before = open_slot(client, "application/pdf"), list_kept(hall)
    answer = client.put(path, content=build_pdf(), headers=RAW)
    assert (answer.status_code, answer.json()["code"]) == (503, "inspection_unavailable")
    assert list_kept(hall) == before
    with pytest.raises(InspectionUnavailableError):
        CappedInspector().inspect(TrickSource())  # type: ignore[arg-type]


class TrickSource:
    """A file that is none: its bytes are piped."""

    def seek(self, _: int) -> None:
        """At the beginning already."""

    def read(self) -> bytes:
        """A good one."""
        return build_pdf()
