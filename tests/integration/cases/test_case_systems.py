"""A case system as a process beside a node: cases in, signed events out, watched folders, kills."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest

from ledger_node.core.canonical import encode_canonical
from ledger_node.core.case import CaseEvent, CaseStage
from ledger_node.core.message_key import MessageKeyId, encode_key_id
from ledger_node.core.types import MaterialId
from ledger_node.demo.zongchuang.words import build_state_map
from ledger_node.flows.case_folder import resume_case_folders
from ledger_node.flows.case_outbox import resume_case_events
from ledger_node.flows.case_review import send_to_review, take_review
from ledger_node.flows.cases import load_case, move_case
from ledger_node.flows.window import Clerk, change_visit, load_run, mark_asked
from ledger_node.ports.keys import KeyRole
from ledger_node.seed import load_catalogue
from tests.integration.access.parameters import make_ceremonies
from tests.integration.processes import DIED, fork, wait
from tests.support.hall import OUTLET, Hall, make_account, open_hall
from tests.support.ports import find_free_port

pytestmark = pytest.mark.integration
SYSTEM = "zongchuang"
ITEM = "hpf-loan-remote"
PATH = f"/systems/v1/{SYSTEM}/cases/MY1"
END_S = 15


def draft(**changes: Any) -> dict[str, Any]:
    return {
        "v": "tongban/case/v1",
        "item": ITEM,
        "applicant": {"scheme": "cn-resident-id", "number": "510107199003070049", "name": "何雨晴"},
        "agent": None,
        "officer": None,
        "outlet": OUTLET,
        "window": "03",
        "queue_number": "A042",
        "state": "已收件",
    } | changes


@contextmanager
def hall_with(path: Path, *lines: str) -> Iterator[Hall]:
    """A city with one case system; `lines` are further lines of its table."""
    (path / "city").mkdir()
    (path / "city" / "states.json").write_text(json.dumps(build_state_map(SYSTEM)))
    table = [f'id = "{SYSTEM}"', 'name = "综窗"', 'states_file = "states.json"', *lines]
    settings = "[[case_systems]]\n" + "\n".join(table)
    with open_hall(path, settings) as hall:
        yield hall


def hand_in_over_http(hall: Hall, **changes: Any) -> str:
    """A case handed in; returns its id here."""
    answer = hall.sign_in("system").put(PATH, json=draft(**changes))
    assert answer.status_code in (200, 201), answer.text
    with hall.runtime.node.database.read() as tx:
        row = tx.cases.find_case(SYSTEM, "MY1")
    assert row is not None
    return row.case_id


@contextmanager
def receiver() -> Iterator[tuple[int, list[dict[str, Any]], list[int]]]:
    """A callback that keeps what it gets: its port, the events, and the answers to give first."""
    got: list[dict[str, Any]] = []
    answers: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = answers.pop(0) if answers else 204
            if status == 204:
                got.append(json.loads(body))
            self.send_response(status)
            if status == 302:
                self.send_header("location", "/elsewhere")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server.server_port, got, answers
    finally:
        server.shutdown()
        server.server_close()


def test_put_case_same_content_again_changes_nothing(tmp_path: Path) -> None:
    with hall_with(tmp_path) as hall:
        client = hall.sign_in("system")
        first = client.put(PATH, json=draft())
        again = client.put(PATH, content=json.dumps(draft(), indent=3).encode())
        assert (first.status_code, first.json()["revision"]) == (201, 0)
        assert (again.status_code, again.json()["revision"], again.json()["changed"]) == (
            200, 0, False,
        )  # fmt: skip
        other = client.put(PATH, json=draft(queue_number="A043"))
        assert (other.json()["revision"], other.headers["etag"]) == (1, '"1"')
        stale = client.put(PATH, json=draft(), headers={"if-match": '"0"'})
        assert (stale.status_code, stale.json()["code"]) == (409, "case_moved")
        assert client.put(PATH, json=draft(), headers={"if-match": '"1"'}).status_code == 200


def test_put_case_refusals_name_what_is_wrong(tmp_path: Path) -> None:
    with hall_with(tmp_path) as hall:
        client = hall.sign_in("system")
        for content, code in (
            (json.dumps(draft(state="已归档")).encode(), "case_state_unmapped"),
            (json.dumps(draft(item="nothing")).encode(), "case_item_unknown"),
            (b"[" * 60_000, "case_body_malformed"),
            (b" " * 70_000, "case_body_malformed"),
        ):
            answer = client.put(PATH, content=content)
            assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert client.put(PATH, json=draft()).status_code == 201


def test_put_case_of_another_system_is_not_found(tmp_path: Path) -> None:
    with hall_with(tmp_path) as hall:
        hall.people["system"] = make_account(hall.runtime.node, "system", system="other")
        client = hall.sign_in("system")
        for path in (PATH, PATH.replace(SYSTEM, "other")):
            assert client.put(path, json=draft()).status_code == 404
            assert client.get(path).status_code == 404


def test_put_case_while_their_state_stays_keeps_our_stage(tmp_path: Path) -> None:
    with hall_with(tmp_path) as hall:
        node = hall.runtime.node
        case_id = hand_in_over_http(hall)
        move_case(node, load_case(node, case_id), CaseEvent.ACCEPT, "account-1")
        hand_in_over_http(hall, queue_number="B001")
        assert load_case(node, case_id).stage is CaseStage.ACCEPTED
        hand_in_over_http(hall, state="已撤件")
        assert load_case(node, case_id).stage is CaseStage.WITHDRAWN


def test_panel_link_opens_once_within_a_minute_without_personal_data(tmp_path: Path) -> None:
    with hall_with(tmp_path, 'page_origin = "https://zongchuang.localhost"') as hall:
        officer = hall.person("registrar").row.login
        hand_in_over_http(hall, officer=officer)
        machine, browser = hall.sign_in("system"), hall.client()
        late = machine.post(f"{PATH}/panel").json()["url"]
        hall.clock.ahead += timedelta(seconds=61)
        assert browser.get(late).status_code == 404
        link = machine.post(f"{PATH}/panel").json()["url"]
        assert not any(word in link for word in ("5101", "MY1", officer))
        opened = browser.get(link)
        assert opened.status_code == 303
        assert hall.client().get(link).status_code == 404
        cookie = opened.headers["set-cookie"].split(";")[0]
        inside = hall.client(cookie=cookie)
        panel = inside.get(opened.headers["location"])
        assert panel.status_code == 200
        policy = panel.headers["content-security-policy"]
        assert "frame-ancestors https://zongchuang.localhost" in policy
        assert inside.get("/cases").status_code in (303, 403, 404)


def test_panel_shows_person_agent_and_item_and_is_the_officers_alone(tmp_path: Path) -> None:
    agent = {"scheme": "cn-resident-id", "number": "11010519491231002X", "name": "王大海"}
    with hall_with(tmp_path, 'page_origin = "https://zongchuang.localhost"') as hall:
        node, officer = hall.runtime.node, hall.person("registrar").row
        hand_in_over_http(hall, officer=officer.login, agent=agent)
        machine = hall.sign_in("system")
        opened = hall.client().get(machine.post(f"{PATH}/panel").json()["url"])
        run_id = opened.headers["location"].rpartition("/")[2]
        run = load_run(node, run_id, officer.account_id)
        assert run.visit.agent is not None
        assert (run.visit.person.name, run.visit.agent.name) == ("何雨晴", "王大海")
        assert (run.visit.item, run.visit.case, run.visit.means) == (ITEM, "MY1", "system")
        inside = hall.client(cookie=opened.headers["set-cookie"].split(";")[0])
        shown = inside.get(opened.headers["location"]).text
        assert load_catalogue().items[ITEM].zh in shown
        assert hall.sign_in("reviewer").get(f"/window/runs/{run_id}").status_code == 404
        again = hall.client().get(machine.post(f"{PATH}/panel").json()["url"])
        assert again.headers["location"] == opened.headers["location"], "the visit goes on"
        link = machine.post(f"{PATH}/panel").json()["url"]
        with node.database.transaction() as tx:
            row = tx.accounts.load_account(officer.account_id)
            tx.accounts.update_account(replace(row, disabled_at=node.clock.now()))
        assert hall.client().get(link).status_code == 404, "the officer left"
        hand_in_over_http(hall, officer="nobody")
        assert machine.post(f"{PATH}/panel").json()["code"] == "case_officer_unknown"


def test_panel_opens_the_consent_and_papers_of_its_visit_and_no_others(tmp_path: Path) -> None:
    with hall_with(tmp_path, 'page_origin = "https://zongchuang.localhost"') as hall:
        node, officer = hall.runtime.node, hall.person("registrar").row
        hand_in_over_http(hall, officer=officer.login)
        opened = hall.client().get(hall.sign_in("system").post(f"{PATH}/panel").json()["url"])
        inside = hall.client(cookie=opened.headers["set-cookie"].split(";")[0])
        run = load_run(node, opened.headers["location"].rpartition("/")[2], officer.account_id)
        hall.people["registrar-elsewhere"] = make_account(node, "registrar")
        own, _ = make_ceremonies(hall, officer.account_id)
        assert inside.get(f"/consent/{own}").status_code == 403, "of another visit"
        mark_asked(node, run, own, ["marriage-cert"])
        shown = inside.get(f"/consent/{own}")
        assert shown.status_code == 200
        assert inside.get(f"/consent/{own}/panel").status_code in (200, 204)
        framed = "frame-ancestors https://zongchuang.localhost"
        assert framed in shown.headers["content-security-policy"]
        assert inside.get(f"/consent/{own}x").status_code == 403
        paper, other = str(uuid.uuid4()), str(uuid.uuid4())
        run = load_run(node, run.row.run_id, officer.account_id)
        change_visit(node, run, replace(run.visit, papers=(MaterialId(paper),)))
        assert inside.get(f"/window/papers/{paper}").status_code == 404, "passes the door"
        assert inside.get(f"/window/papers/{other}").status_code == 403
        public = inside.get("/consent/screen/nothing").headers["content-security-policy"]
        assert framed in public
        alone = hall.client().get("/consent/screen/nothing").headers["content-security-policy"]
        assert "frame-ancestors 'none'" in alone


def test_put_case_by_many_at_once_opens_one_and_refuses_nobody(tmp_path: Path) -> None:
    with hall_with(tmp_path) as hall:
        client = hall.sign_in("system")
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: client.put(PATH, json=draft()), range(8)))
        assert sorted(each.status_code for each in answers) == [200] * 7 + [201]
        assert {each.json()["revision"] for each in answers} == {0}


def test_put_case_keeps_whoever_handles_it_while_the_same_officer_is_named(
    tmp_path: Path,
) -> None:
    with hall_with(tmp_path) as hall:
        node, officer = hall.runtime.node, hall.person("registrar").row
        case_id = hand_in_over_http(hall, officer=officer.login)
        send_to_review(node, load_case(node, case_id), officer.account_id)
        reviewer = hall.person("reviewer").row
        take_review(node, case_id, Clerk(reviewer.account_id, "reviewer-01"))
        hand_in_over_http(hall, officer=officer.login, queue_number="B001")
        assert load_case(node, case_id).row.account_id == reviewer.account_id
        hand_in_over_http(hall, officer=None)
        assert load_case(node, case_id).row.account_id is None


def test_events_refused_or_redirected_are_sent_again_and_pulled_by_cursor(tmp_path: Path) -> None:
    with (
        receiver() as (port, got, answers),
        hall_with(tmp_path, f'callback_origin = "http://127.0.0.1:{port}"') as hall,
    ):
        node, systems = hall.runtime.node, hall.runtime.case_systems
        case = load_case(node, hand_in_over_http(hall))
        move_case(node, case, CaseEvent.ACCEPT, "account-1")
        answers += [503, 302]
        for _ in range(2):
            assert resume_case_events(node, systems) == 0
            assert resume_case_events(node, systems) == 0, "not before its time"
            hall.clock.ahead += timedelta(minutes=1)
        assert not got
        assert not answers
        assert resume_case_events(node, systems) == 1
        hall.clock.ahead += timedelta(hours=1)
        assert resume_case_events(node, systems) == 0
        assert [(each["event"], each["stage"]) for each in got] == [("accept", "accepted")]
        assert "何雨晴" not in json.dumps(got, ensure_ascii=False)
        pulled = hall.sign_in("system").get(f"/systems/v1/{SYSTEM}/events").json()
        assert [each["id"] for each in pulled["events"]] == [got[0]["id"]]
        after = hall.sign_in("system").get(
            f"/systems/v1/{SYSTEM}/events", params={"after": pulled["next"]}
        )
        assert after.json()["events"] == []


def test_event_delivery_killed_after_the_answer_sends_it_again_with_the_same_id(
    tmp_path: Path,
) -> None:
    with (
        receiver() as (port, got, _),
        hall_with(tmp_path, f'callback_origin = "http://127.0.0.1:{port}"') as hall,
    ):
        node, systems = hall.runtime.node, hall.runtime.case_systems
        case = load_case(node, hand_in_over_http(hall))
        move_case(node, case, CaseEvent.ACCEPT, "account-1")

        class Killed:
            """Dies the moment the receiver has answered."""

            systems = hall.runtime.case_systems.systems

            def deliver(self, system: str, event_id: int, body: bytes) -> None:
                hall.runtime.case_systems.deliver(system, event_id, body)
                os._exit(DIED)

            def close(self) -> None: ...

        for taken in (1, 2):
            assert wait(fork(lambda: resume_case_events(node, Killed()) and None)) == DIED
            assert len(got) == taken
        assert resume_case_events(node, systems) == 1
        assert len({each["id"] for each in got}) == 1
        assert len(got) == 3


def test_events_reach_the_simulated_system_which_verifies_them(tmp_path: Path) -> None:
    port = find_free_port()
    origin = f"http://127.0.0.1:{port}"
    with hall_with(tmp_path, f'callback_origin = "{origin}"') as hall:
        node = hall.runtime.node
        own = MessageKeyId(node.city, node.keys.public_key(KeyRole.MESSAGE))
        command = [sys.executable, "-m", "ledger_node.demo.zongchuang", "--port", str(port)]
        command += ["--journal", str(tmp_path / "z.jsonl"), "--folder", str(tmp_path / "f")]
        command += ["--city-key", encode_key_id(own)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["event"] == "ready"
            case = load_case(node, hand_in_over_http(hall))
            move_case(node, case, CaseEvent.ACCEPT, "account-1")
            forged = httpx2.post(f"{origin}/tongban/events", content=b"{}", timeout=END_S)
            assert forged.status_code == 401
            assert resume_case_events(node, hall.runtime.case_systems) == 1
            kept = httpx2.get(f"{origin}/events.json", timeout=END_S).json()
            assert [each["event"] for each in kept["events"]] == ["accept"]
            assert kept["refused"] == 1
        finally:
            process.terminate()
            process.wait(END_S)
            process.stdout and process.stdout.close()


def put_file(folder: Path, name: str, content: bytes) -> None:
    (folder / "in").mkdir(parents=True, exist_ok=True)
    part = folder / "in" / f".{name}.part"
    part.write_bytes(content)
    part.rename(folder / "in" / name)


def take_turn(hall: Hall) -> int:
    runtime = hall.runtime
    return resume_case_folders(runtime.node, runtime.case_systems, runtime.case_folders, [ITEM])


def case_file(**changes: Any) -> bytes:
    return json.dumps(
        {"v": "tongban/case-file/v1", "number": "MY1", "case": draft(**changes)}
    ).encode()


def test_folder_takes_whole_files_once_and_refuses_damaged_ones(tmp_path: Path) -> None:
    folder = tmp_path / "exchange"
    with hall_with(tmp_path, f'folder = "{folder}"') as hall:
        put_file(folder, "a.json", case_file())
        put_file(folder, "b.json", case_file())  # the same again
        put_file(folder, "c.json", case_file()[:40])  # half a file
        put_file(folder, "d.json", b"x" * 70_000)
        (tmp_path / "outside.json").write_bytes(case_file())  # would be taken, were it not a link
        os.symlink(tmp_path / "outside.json", folder / "in" / "e.json")
        (folder / "in" / ".g.json.part").write_bytes(case_file())
        put_file(folder, "h.json", case_file(state="已归档"))
        assert take_turn(hall) == 3, "damaged files are given time to be completed"
        hall.clock.ahead += timedelta(seconds=20)
        assert take_turn(hall) == 3
        assert take_turn(hall) == 0
        results = {path.name: json.loads(path.read_bytes()) for path in (folder / "out").iterdir()}
        assert {name: each.get("code", each["outcome"]) for name, each in results.items()} == {
            "a.json": "taken",
            "b.json": "taken",
            "c.json": "case_file_damaged",
            "d.json": "case_file_damaged",
            "e.json": "case_file_damaged",
            "h.json": "case_state_unmapped",
        }
        assert results["b.json"]["revision"] == 0
        assert not list((folder / "work").iterdir())
        assert {path.name for path in (folder / "refused").iterdir()} == {
            "c.json", "d.json", "e.json", "h.json",
        }  # fmt: skip
        node = hall.runtime.node
        with node.database.read() as tx:
            row = tx.cases.find_case(SYSTEM, "MY1")
        assert row is not None
        move_case(node, load_case(node, row.case_id), CaseEvent.ACCEPT, "account-1")
        assert resume_case_events(node, hall.runtime.case_systems) == 1
        (event,) = (folder / "events").iterdir()
        body = json.loads(event.read_bytes())
        assert (body["event"], encode_canonical(body)) == ("accept", event.read_bytes())


@pytest.mark.parametrize("moment", ["before", "after"])
def test_folder_killed_around_its_result_takes_the_file_up_again(
    tmp_path: Path, moment: str
) -> None:
    folder = tmp_path / "exchange"
    with hall_with(tmp_path, f'folder = "{folder}"') as hall:
        put_file(folder, "a.json", case_file())

        def work() -> None:
            folders = hall.runtime.case_folders
            if moment == "before":
                folders.settle = lambda *_, **__: os._exit(DIED)  # type: ignore[method-assign]
            else:
                Path.unlink = lambda *_, **__: os._exit(DIED)  # type: ignore[method-assign,assignment]
            runtime = hall.runtime
            resume_case_folders(runtime.node, runtime.case_systems, folders, [ITEM])

        assert wait(fork(work)) == DIED
        assert len(list((folder / "work").iterdir())) == 1
        put_file(folder, "a.json", case_file(queue_number="A099"))
        assert take_turn(hall) == 2
        assert not list((folder / "work").iterdir())
        with hall.runtime.node.database.read() as tx:
            row = tx.cases.find_case(SYSTEM, "MY1")
            assert row is not None
            assert (row.queue_number, row.revision) == ("A099", 1)
            assert len(tx.cases.list_steps(row.case_id)) == 2
