"""The catalogue's canonical bytes, its digest, and the name receipts pin.

Step 6 of the data flow. Spec: docs/spec/catalogue.md. Vectors: tests/vectors/catalogue/.

Invariants:
    * `parse_catalogue` accepts RFC 8785 bytes only, and only a catalogue without errors.
    * Two catalogues have one digest exactly if their bytes are equal; the order of rows is part
      of it.
Not here: what contradicts what (catalogue_check.py).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar

from ledger_node.core.canonical import (
    JsonObject,
    JsonValue,
    encode_canonical,
    parse_canonical,
    require_int,
)
from ledger_node.core.catalogue import (
    BasisRow,
    Bundle,
    Catalogue,
    City,
    Condition,
    Equivalence,
    MaterialType,
    Need,
    ServiceItem,
    ServiceList,
)
from ledger_node.core.catalogue_check import check_catalogue
from ledger_node.core.catalogue_findings import (
    CatalogueRefusedError,
    Finding,
    FindingCode,
    Severity,
    refuse_errors,
)
from ledger_node.core.catalogue_rows import read_row, write_row, wrong
from ledger_node.core.digest import compute_digest
from ledger_node.core.errors import LedgerError
from ledger_node.core.shapes import read_version
from ledger_node.core.types import Digest

CATALOGUE_VERSION: Final = "tongban/catalogue/v1"
_WHAT: Final = "catalogue"
TABLES: Final[Mapping[str, type[Any]]] = {
    "cities": City,
    "types": MaterialType,
    "conditions": Condition,
    "bases": BasisRow,
    "lists": ServiceList,
    "items": ServiceItem,
    "bundles": Bundle,
    "equivalences": Equivalence,
}
"""Tables of the format and the rows they hold."""

_Row = TypeVar("_Row")


def parse_catalogue(data: bytes) -> Catalogue:
    """Read a catalogue's canonical bytes.

    Raises:
        NotCanonicalError, UnknownVersionError: They are none.
        CatalogueRefusedError: A row cannot be read, or the catalogue contradicts itself.
    """
    catalogue = read_catalogue(parse_canonical(data, what=_WHAT))
    refuse_errors(check_catalogue(catalogue))
    return catalogue


def read_catalogue(value: JsonValue) -> Catalogue:
    """Read a catalogue's rows, unchecked against each other.

    Raises:
        UnknownVersionError: Another format.
        CatalogueRefusedError: A row cannot be read or a code stands twice; carries every finding.
    """
    read_version(value, CATALOGUE_VERSION, what=_WHAT)
    assert isinstance(value, dict)
    findings: list[Finding] = []
    for name in sorted(value.keys() - TABLES.keys() - {"v", "version"}):
        findings.append(wrong(name[:64], "没有这张表。", "there is no such table."))
    version = _read_number(value, findings)
    tables = {name: _read_table(value, name, findings) for name in TABLES}
    if findings:
        raise CatalogueRefusedError(findings)
    return Catalogue(
        version,
        _by_code(tables["cities"]),
        _by_code(tables["types"]),
        _by_code(tables["conditions"]),
        _by_code(tables["bases"]),
        _by_code(tables["lists"]),
        _by_code(tables["items"]),
        _by_code(tables["bundles"]),
        tuple(tables["equivalences"]),
    )


def write_catalogue(catalogue: Catalogue) -> JsonObject:
    """A catalogue as plain JSON."""
    tables: dict[str, Iterable[Any]] = {
        "cities": catalogue.cities.values(),
        "types": catalogue.types.values(),
        "conditions": catalogue.condition_rows.values(),
        "bases": catalogue.bases.values(),
        "lists": catalogue.lists.values(),
        "items": catalogue.items.values(),
        "bundles": catalogue.bundles.values(),
        "equivalences": catalogue.equivalences,
    }
    return {
        "v": CATALOGUE_VERSION,
        "version": catalogue.version,
        **{name: [write_table_row(row) for row in rows] for name, rows in tables.items()},
    }


def write_table_row(row: object) -> JsonObject:
    """One row; an item carries its needs."""
    written = write_row(row)
    if isinstance(row, ServiceItem):
        written["needs"] = [write_row(need) for need in row.needs]
    return written


def encode_catalogue(catalogue: Catalogue) -> bytes:
    """Canonical bytes that `parse_catalogue` reads."""
    return encode_canonical(write_catalogue(catalogue))


def compute_catalogue_digest(catalogue: Catalogue) -> Digest:
    """SHA-256 of the canonical bytes, 32 bytes."""
    return compute_digest([encode_catalogue(catalogue)])


def compute_catalogue_pin(catalogue: Catalogue) -> str:
    """Name a receipt pins: `<version>/sha-256/<digest in base64url>`."""
    digest = base64.urlsafe_b64encode(compute_catalogue_digest(catalogue)).rstrip(b"=").decode()
    return f"{catalogue.version}/sha-256/{digest}"


def _read_number(value: JsonObject, findings: list[Finding]) -> int:
    try:
        version = require_int(value.get("version"), what="version")
    except LedgerError as error:
        findings.append(wrong("version", error.message_zh, error.message_en))
        return 0
    if version < 1:
        findings.append(wrong("version", "版本号从 1 起。", "versions count from 1."))
    return version


def _read_table(value: JsonObject, name: str, findings: list[Finding]) -> list[Any]:
    rows = value.get(name)
    if not isinstance(rows, list):
        findings.append(wrong(name, "应为数组。", "an array is expected."))
        return []
    read = []
    seen: dict[str, int] = {}
    for number, row in enumerate(rows):
        path = f"{name}[{number}]"
        made = _read_table_row(TABLES[name], row, path, findings)
        code = row.get("code") if isinstance(row, dict) else None
        if isinstance(code, str):
            if code in seen:
                findings.append(_repeated(f"{path}.code", f"{name}[{seen[code]}]"))
            seen.setdefault(code, number)
        if made is not None:
            read.append(made)
    return read


def _read_table_row(
    kind: type[Any], value: JsonValue, path: str, findings: list[Finding]
) -> Any | None:
    if kind is not ServiceItem:
        members = read_row(kind, value, path, findings)
        return None if members is None else kind(**members)
    members = read_row(kind, value, path, findings, besides=("needs",))
    rows = value.get("needs") if isinstance(value, dict) else None
    if not isinstance(rows, list):
        findings.append(wrong(f"{path}.needs", "应为数组。", "an array is expected."))
        return None
    needs = [
        read_row(Need, each, f"{path}.needs[{number}]", findings)
        for number, each in enumerate(rows)
    ]
    if members is None or None in needs:
        return None
    return ServiceItem(**members, needs=tuple(Need(**each) for each in needs if each is not None))


def _repeated(path: str, first: str) -> Finding:
    return Finding(
        FindingCode.CODE_DUPLICATE,
        Severity.ERROR,
        path,
        f"代码与 {first} 重复，请改用另一个。",
        f"the code stands in {first} already; choose another.",
    )


def _by_code(rows: list[_Row]) -> dict[str, _Row]:
    return {str(getattr(row, "code")): row for row in rows}  # noqa: B009
