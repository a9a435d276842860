"""The bridge as a process: who may use it, and what it answers. Every refusal has its twin."""

from __future__ import annotations

import base64
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger_node.devices.simulator import TROUBLES
from tests.integration.devices.bridge import ORIGIN, OTHER, Answer, Bridge, run_bridge

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bridge")


@pytest.fixture(scope="module")
def running(home: Path) -> Iterator[Bridge]:
    with run_bridge(home, "--samples", str(home / "samples")) as bridge:
        yield bridge


@pytest.fixture
def bridge(running: Bridge) -> Bridge:
    running.set_hand()
    return running


@pytest.mark.parametrize(
    "origin",
    [None, "null", "http://evil.example", ORIGIN + "0", ORIGIN.upper(), ORIGIN + "/",
     "https://wuhou.localhost:9101", "http://wuhou.localhost", "http://127.0.0.1:1"],
)  # fmt: skip
def test_state_from_a_foreign_origin_is_refused(bridge: Bridge, origin: str | None) -> None:
    refused = bridge.send("GET", "/v1/state", origin=origin)
    assert (refused.status, refused.code) == (403, "origin_not_allowed")
    assert "access-control-allow-origin" not in refused.headers
    twin = bridge.send("GET", "/v1/state")
    assert twin.status == 200
    assert twin.headers["access-control-allow-origin"] == ORIGIN


@pytest.mark.parametrize("host", ["evil.example", "localhost:{port}", "127.0.0.1", "[::1]:{port}"])
def test_state_with_a_foreign_host_is_refused(bridge: Bridge, host: str) -> None:
    refused = bridge.send("GET", "/v1/state", host=host.format(port=bridge.port))
    assert (refused.status, refused.code) == (403, "host_not_allowed")
    assert bridge.send("GET", "/v1/state").status == 200


def test_preflight_is_answered_for_allowed_origins_only(bridge: Bridge) -> None:
    asked = {
        "Access_Control_Request_Method": "POST",
        "Access_Control_Request_Private_Network": "true",
    }
    refused = bridge.send("OPTIONS", "/v1/sign", origin="http://evil.example", **asked)
    assert refused.status == 403
    assert not [name for name in refused.headers if name.startswith("access-control")]
    twin = bridge.send("OPTIONS", "/v1/sign", **asked)
    assert twin.status == 204
    assert twin.headers["access-control-allow-private-network"] == "true"
    assert twin.headers["access-control-allow-origin"] == ORIGIN


def test_own_page_is_closed_to_other_pages(bridge: Bridge) -> None:
    assert bridge.send("GET", "/", origin=ORIGIN).status == 403
    assert bridge.send("GET", "/", origin=None, Sec_Fetch_Site="cross-site").status == 403
    twin = bridge.send("GET", "/", origin=None, Sec_Fetch_Site="none")
    assert twin.status == 200
    assert twin.headers["x-frame-options"] == "DENY"
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    assert bridge.send("POST", "/simulator", b"card=widow", origin=ORIGIN, **form).status == 403


def test_command_without_a_token_or_with_another_origins_is_refused(bridge: Bridge) -> None:
    own = bridge.pair(ORIGIN)
    for token in (None, "", "x", own[:-1]):
        refused = bridge.send("POST", "/v1/read-card", {}, token=token)
        assert (refused.status, refused.code) == (401, "not_paired")
    refused = bridge.send("POST", "/v1/read-card", {}, origin=OTHER, token=own)
    assert refused.code == "not_paired"
    assert bridge.send("POST", "/v1/read-card", {}, token=own).status == 200


def test_command_as_a_simple_form_post_is_refused(bridge: Bridge) -> None:
    token = bridge.pair()
    refused = bridge.send("POST", "/v1/read-card", b"{}", token=token, Content_Type="text/plain")
    assert refused.code == "device_request_malformed"
    assert bridge.send("POST", "/v1/read-card", b"{}", token=token).status == 200


def test_read_card_gives_the_person_without_an_address(bridge: Bridge) -> None:
    bridge.set_hand(card="widow")
    card = bridge.command("/v1/read-card").json
    assert card == {
        "scheme": "cn-resident-id",
        "number": "610113197911032787",
        "name": "顾兰英",
        "birth": "1979-11-03",
        "read_by_device": True,
        "device": "模拟读卡器 SIM-R1",
    }


def test_sign_gives_the_picture_and_the_times_of_its_strokes(bridge: Bridge) -> None:
    signed = bridge.command("/v1/sign").json
    assert base64.b64decode(signed["png"]).startswith(b"\x89PNG")
    times = [at for stroke in signed["strokes"] for _, _, at in stroke]
    assert len(signed["strokes"]) == 2
    assert times == sorted(times)


def test_print_slip_takes_a_pdf_and_nothing_else(bridge: Bridge) -> None:
    def encode(data: bytes) -> dict[str, str]:
        return {"pdf": base64.b64encode(data).decode()}

    assert bridge.command("/v1/print-slip", encode(b"GIF89a")).code == "device_request_malformed"
    assert bridge.command("/v1/print-slip", {"pdf": "%%%"}).code == "device_request_malformed"
    assert bridge.command("/v1/print-slip", encode(b"%PDF-1.4\n%%EOF")).json["printed"] is True


COMMANDS = {
    "card_not_placed": "/v1/read-card",
    "card_unreadable": "/v1/read-card",
    "feeder_empty": "/v1/scan-batch",
    "paper_jam": "/v1/scan-batch",
    "printer_out_of_paper": "/v1/print-slip",
    "signature_empty": "/v1/sign",
}


@pytest.mark.parametrize("trouble", sorted(TROUBLES))
def test_trouble_at_a_device_has_its_code_and_both_sentences(bridge: Bridge, trouble: str) -> None:
    body = {"pdf": base64.b64encode(b"%PDF-1.4").decode()}
    bridge.set_hand(trouble)
    refused = bridge.command(COMMANDS[trouble], body)
    assert refused.code == trouble
    assert refused.status in {409, 422}
    assert re.search("[一-鿿]", refused.json["error"]["zh"])
    assert refused.json["error"]["en"].isascii()


def test_second_command_of_a_device_is_busy_and_cancel_ends_the_first(bridge: Bridge) -> None:
    bridge.pair(ORIGIN)
    bridge.pair(OTHER)
    bridge.set_hand("silent")
    answers: dict[str, Answer] = {}

    def begin(path: str, device: str) -> threading.Thread:
        thread = threading.Thread(target=lambda: answers.update({path: bridge.command(path)}))
        thread.start()
        deadline = time.monotonic() + 10
        while not bridge.send("GET", "/v1/state", token=bridge.pair()).json["devices"][device][
            "busy"
        ]:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return thread

    signing = begin("/v1/sign", "pad")
    assert bridge.command("/v1/sign").code == "device_busy"
    reading = begin("/v1/read-card", "reader")  # another device is free
    foreign = bridge.command("/v1/cancel", {"device": "pad"}, OTHER)
    assert foreign.json == {"cancelled": False}
    for device, thread in (("pad", signing), ("reader", reading)):
        assert bridge.command("/v1/cancel", {"device": device}).json == {"cancelled": True}
        thread.join(10)
    assert {answer.code for answer in answers.values()} == {"command_cancelled"}
    bridge.set_hand()
    assert bridge.command("/v1/sign").status == 200


def test_scan_batch_is_grouped_ordered_and_handed_over_once(bridge: Bridge) -> None:
    batch = bridge.command("/v1/scan-batch", {"from": "scanner"}).json
    assert [part["type"] for part in batch["parts"]] == [
        "marriage-cert", "income-cert", "household-book",
    ]  # fmt: skip
    assert batch["suggested_drops"] == [2, 5, 9]
    path = f"/v1/batches/{batch['batch']}"
    preview = bridge.send("GET", f"{path}/pages/1", token=bridge.pair())
    assert preview.body.startswith(b"\xff\xd8\xff")
    assert bridge.send("GET", f"{path}/pages/1", origin=OTHER, token=bridge.pair(OTHER)).code == (
        "batch_not_found"
    )
    twice = {"parts": [{"pages": [{"number": 1}, {"number": 1}]}]}
    assert bridge.command(f"{path}/finish", twice).code == "batch_order_wrong"
    order = {"parts": [{"pages": [{"number": 8, "rotate": 90}, {"number": 7}]}]}
    made = bridge.command(f"{path}/finish", order).json["parts"]
    assert made[0]["page_count"] == 2
    assert base64.b64decode(made[0]["pdf"]).startswith(b"%PDF-")
    assert bridge.command(f"{path}/finish", order).code == "batch_not_found"


def test_pairing_by_guessing_is_locked_and_the_code_changes(tmp_path: Path) -> None:
    with run_bridge(tmp_path) as bridge:
        wrong = f"{(int(bridge.code) + 1) % 1_000_000:06d}"
        codes = [bridge.send("POST", "/v1/pair", {"code": wrong}).code for _ in range(5)]
        assert codes == ["pairing_code_wrong"] * 4 + ["pairing_locked"]
        refused = bridge.send("POST", "/v1/pair", {"code": bridge.code}, origin=OTHER)
        assert (refused.status, refused.code) == (429, "pairing_locked")
        assert refused.json["error"]["retry_after_s"] > 0
        page = bridge.send("GET", "/", origin=None).body.decode()
        assert f'class="code">{bridge.code}' not in page
    with run_bridge(tmp_path) as twin:
        assert twin.send("POST", "/v1/pair", {"code": twin.code}).status == 200
        used = twin.send("POST", "/v1/pair", {"code": twin.code})
        assert used.code == "pairing_code_wrong"


def test_bridge_listens_on_the_loopback_only_and_says_nothing_of_persons(
    bridge: Bridge, home: Path
) -> None:
    bridge.command("/v1/read-card")
    said = (home / "bridge.err").read_text()
    assert "何雨晴" not in said
    assert "510107199003070049" not in said
    hexed = f"{bridge.port:04X}"
    rows = [
        line.split()[1]
        for name in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
        if line.split()[3] == "0A" and line.split()[1].endswith(f":{hexed}")
    ]
    assert rows == [f"0100007F:{hexed}"]
