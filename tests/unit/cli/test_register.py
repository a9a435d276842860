"""`register`, `receipt`, `import`: what comes in wrong is named, and nothing of it stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ledger_node.core.receipt_v1 import parse_receipt_of_any_version
from tests.unit.cli.conftest import FIELDS, NUMBER, City

SUBJECT: dict[str, Any] = FIELDS["subjects"][0]
ANOTHER_CITYS_ID = "0b7d9b1e-4b52-4b3c-9c35-0d6f6f1f4a11"


def test_register_good_paper_answers_signed_pending_receipt(city: City) -> None:
    outcome = city.register()
    assert outcome.code == 0
    result = outcome.result
    receipt = parse_receipt_of_any_version(
        json.dumps(
            result["receipt"], ensure_ascii=False, sort_keys=True, separators=(",", ":")
        ).encode()
    )
    assert result["state"] == "pending"
    assert receipt.seal is None
    assert result["entry"] == "0101" + result["commitment"]
    assert result["digests"][0].startswith("sha-256:")
    again = city.run("receipt", result["id"])
    assert (again.code, again.result["receipt"]) == (0, result["receipt"])


def test_register_with_output_writes_private_file_and_fields_from_stdin(city: City) -> None:
    target = city.files / "receipt.json"
    outcome = city.run(
        "register", city.file("a.pdf", b"x"), "--type", "marriage-cert", "--fields", "-",
        "-o", target, stdin=json.dumps(FIELDS),
    )  # fmt: skip
    assert outcome.code == 0
    assert "receipt" not in outcome.result
    assert target.stat().st_mode & 0o777 == 0o600
    assert parse_receipt_of_any_version(target.read_bytes()).seal is None


@pytest.mark.parametrize(
    ("changes", "code", "named"),
    [
        ({"surname": "何"}, "malformed_fields", "surname"),
        ({"grade": ...}, "malformed_fields", "grade"),
        ({"grade": 1}, "malformed_fields", "grade"),
        ({"grade": "E"}, "malformed_submission", "grade"),
        ({"subjects": []}, "malformed_submission", "subjects"),
        ({"subjects": {}}, "malformed_fields", "subjects"),
        ({"subjects": [SUBJECT | {"age": 36}]}, "malformed_fields", "subjects.0.age"),
        ({"subjects": [SUBJECT | {"name": None}]}, "malformed_fields", "subjects.0.name"),
        ({"subjects": ["何雨晴"]}, "malformed_fields", "subjects.0"),
        ({"issued_on": "2020-02-30"}, "malformed_submission", "issued_on"),
        ({"issuer": {"code": "x"}}, "malformed_fields", "issuer.name"),
        ({"number": "\ud800"}, "malformed_fields", "number"),
        ({"attributes": {"a": 2**60}}, "malformed_fields", "attributes"),
        ({"attributes": {"a": 1.5}}, "malformed_fields", "attributes"),
        ({"attributes": {"a": [float("nan")]}}, "malformed_fields", "attributes"),
        ({"original_check": 1.5}, "malformed_fields", "original_check"),
        ({"documents": [{}, {}]}, "malformed_fields", "documents"),
        ({"documents": [{"extent": "half"}]}, "malformed_fields", "documents.0.extent"),
        ({"documents": [{"pages": -1}]}, "malformed_fields", "documents.0.pages"),
        ({"documents": [{"concerns": ["a"]}]}, "malformed_fields", "documents.0.concerns"),
        ({"documents": [{"concerns": [4]}]}, "malformed_submission", "document.0"),
    ],
)
def test_register_bad_fields_names_member_and_stores_nothing(
    city: City, changes: dict[str, Any], code: str, named: str
) -> None:
    path = city.file(
        "fields.json", json.dumps({k: v for k, v in (FIELDS | changes).items() if v is not ...})
    )
    outcome = city.register(fields=path)
    assert (outcome.code, outcome.error) == (2, code)
    assert named in outcome.result["error"]["message_en"]
    city.demand_empty()


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{", b"null", b'{"grade":"A","grade":"B"}', b'{"grade":1.5}', b"\xff\xfe",
     b'{"grade":NaN}', b"[" * 50_000, b'{"grade":' + b"1" * 5000 + b"}"],
)  # fmt: skip
def test_register_fields_that_are_no_object_refused(city: City, content: bytes) -> None:
    outcome = city.register(fields=city.file("fields.json", content))
    assert (outcome.code, outcome.error) == (2, "malformed_fields")
    city.demand_empty()


def test_register_oversize_fields_refused_unread(city: City) -> None:
    outcome = city.register(fields=city.file("fields.json", b" " * (1024 * 1024 + 1)))
    assert (outcome.code, outcome.error) == (2, "file_too_large")


def test_register_wrong_number_refused_without_repeating_it(city: City) -> None:
    wrong = NUMBER[:-1] + "1"
    outcome = city.register(fields=city.fields(subjects=[SUBJECT | {"number": wrong}]))
    assert (outcome.code, outcome.error) == (2, "malformed_identifier")
    assert wrong not in outcome.out + outcome.err
    city.demand_empty()


def test_register_documents_empty_missing_or_directory_refused(city: City) -> None:
    good = city.file("good.pdf", b"%PDF-")
    for bad, code in (
        (city.file("empty.pdf", b""), "document_empty"),
        (city.files / "nowhere.pdf", "file_unreadable"),
        (city.files, "file_unreadable"),
    ):
        outcome = city.register(good, bad)
        assert (outcome.code, outcome.error) == (2, code)
    city.demand_empty()


def test_register_document_above_this_citys_limit_refused(city: City) -> None:
    settings = city.path / "node.toml"
    settings.write_text("max_document_bytes = 1000\n" + settings.read_text("utf-8"), "utf-8")
    outcome = city.register(city.file("large.pdf", b"x" * 1001))
    assert (outcome.code, outcome.error) == (2, "document_too_large")
    city.demand_empty()
    assert city.register(city.file("fits.pdf", b"x" * 1000)).code == 0


def test_register_unknown_type_refused(city: City) -> None:
    outcome = city.register(type_code="no-such-paper")
    assert (outcome.code, outcome.error) == (2, "unknown_material_type")
    city.demand_empty()


def test_register_output_that_cannot_be_written_refused_before_anything(city: City) -> None:
    for target in (city.files / "nowhere" / "r.json", city.files):
        outcome = city.run(
            "register", city.file("a.pdf", b"x"), "--type", "marriage-cert",
            "--fields", city.fields(), "-o", target,
        )  # fmt: skip
        assert (outcome.code, outcome.error) == (2, "file_unwritable")
    city.demand_empty()


def test_register_same_paper_again_does_not_hold(city: City) -> None:
    assert city.register().code == 0
    outcome = city.register()
    assert (outcome.code, outcome.error) == (1, "document_already_registered")


@pytest.mark.parametrize("unknown", ["nothing", ANOTHER_CITYS_ID, "00" * 32, "", "../../keys"])
def test_receipt_and_withdraw_unknown_id_not_found(city: City, unknown: str) -> None:
    for command in (("receipt", unknown), ("withdraw", unknown, "--reason", "error")):
        outcome = city.run(*command)
        assert (outcome.code, outcome.error) == (2, "material_not_found")


def test_receipt_argument_of_broken_bytes_refused(city: City) -> None:
    outcome = city.run("receipt", "\udcff")
    assert (outcome.code, outcome.error) == (2, "argument_not_text")


def test_withdraw_reason_that_is_no_code_refused(city: City) -> None:
    material = city.register().result["id"]
    outcome = city.run("withdraw", material, "--reason", "何雨晴 asked for it")
    assert (outcome.code, outcome.error) == (2, "unexpected_shape")
    assert "何雨晴" not in outcome.out


HEADER = "type_code,grade,subject_scheme,subject_number,subject_name,number,digest"


def table(city: City, *rows: str, header: str = HEADER) -> Path:
    return city.file("table.csv", "\n".join([header, *rows]) + "\n")


def row(serial: int, number: str = NUMBER, digest: str = "ab" * 32) -> str:
    return f"marriage-cert,A,cn-resident-id,{number},何雨晴,J-{serial},{digest}"


def test_import_bad_rows_named_by_row_and_column_and_nothing_stored(city: City) -> None:
    outcome = city.run("import", table(city, row(1), row(2, digest="xyz"), row(3, number="1")))
    assert (outcome.code, outcome.error) == (2, "bad_rows")
    message = outcome.result["error"]["message_en"]
    assert "Row 3, column digest" in message
    city.demand_empty()


def test_import_keep_good_stores_good_rows_and_names_the_rest(city: City) -> None:
    outcome = city.run("import", table(city, row(1), row(2, digest="xyz"), row(3)), "--keep-good")
    assert outcome.code == 1
    result = outcome.result
    assert (result["registered"], result["refused"]) == (2, 1)
    assert [(each["row"], each["column"]) for each in result["problems"]] == [(3, "digest")]
    assert {"read", "check", "prepare", "rows"} <= result["stage_s"].keys()


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (HEADER + ",surname\n", "surname"),
        ("type_code,grade\n", "subject_scheme"),
        (HEADER + ",grade\n", "grade"),
        (b"\x00\x01\x02", ""),
        (b"PAR1 and nothing else", ""),
        (b"", ""),
    ],
)
def test_import_malformed_table_refused(city: City, content: object, named: str) -> None:
    outcome = city.run("import", city.file("table.csv", content))
    assert (outcome.code, outcome.error) == (2, "malformed_table")
    assert named in outcome.result["error"]["message_en"]
    city.demand_empty()


def test_import_missing_table_refused(city: City) -> None:
    outcome = city.run("import", city.files / "nowhere.csv")
    assert (outcome.code, outcome.error) == (2, "file_unreadable")
