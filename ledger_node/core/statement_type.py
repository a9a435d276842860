"""Type versions of statements: which field names stand at which positions.

Step 2 of the data flow. Spec: docs/spec/statement.md. All catalogue codes share the fields of
version 1; the order of a version never changes.

Not here: what values mean and whether they are allowed (catalogue.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ledger_node.core.errors import MalformedInputError, UnknownVersionError

STATEMENT_VERSION = 1
STATEMENT_FIELDS_V1 = (
    "subjects",  # [{role, scheme, number, name}, ...]
    "issuer",  # {code, name}: 18-character credit code of the issuing department
    "number",  # document number as printed, or e-licence identifier
    "issued_on",  # YYYY-MM-DD
    "valid_from",
    "valid_until",
    "grade",  # A, B, C or D
    "original_check",  # grade B: {officer, device, checked_at, pages}
    "retention",
    "predecessor",  # commitment of the material this one follows
    "attributes",  # what is particular to the type: {name: value}
)
DOCUMENT_PREFIX = "document."
MAX_DOCUMENTS = 1000

_CODE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")


class MalformedStatementError(MalformedInputError):
    """Values, salts or digests do not make a statement of the type version."""

    code = "malformed_statement"


@dataclass(frozen=True, slots=True)
class StatementType:
    """A type version: which names stand at which positions.

    Attributes:
        code: Material type of the catalogue, for example `marriage-cert`.
        version: Of the field order.
        fields: Names at positions 1 to len(fields).
    """

    code: str
    version: int
    fields: tuple[str, ...]

    def name_at(self, position: int) -> str:
        """Name that belongs at a position, counted from 0."""
        if position == 0:
            return "type"
        if position <= len(self.fields):
            return self.fields[position - 1]
        return f"{DOCUMENT_PREFIX}{position - 1 - len(self.fields)}"

    def position_of(self, name: str) -> int:
        """Position at which a name stands.

        Raises:
            MalformedStatementError: The type version has no such name.
        """
        if name == "type":
            return 0
        if name in self.fields:
            return self.fields.index(name) + 1
        digits = name.removeprefix(DOCUMENT_PREFIX)
        if name != digits and digits.isdecimal() and digits.isascii() and len(digits) <= 4:
            position = int(digits) + len(self.fields) + 1
            if self.name_at(position) == name:
                return position
        raise malformed_statement(f"没有名为“{name}”的字段", f"no field is named {name!r}")


def get_statement_type(code: str, version: int = STATEMENT_VERSION) -> StatementType:
    """Type version of a catalogue code; all codes share the fields of version 1.

    Raises:
        MalformedStatementError: The code is not lower-case letters, digits and hyphens.
        UnknownVersionError: Another version.
    """
    if _CODE.fullmatch(code) is None:
        raise malformed_statement("材料类型代码不合格", f"{code[:80]!r} is no material type code")
    if version != STATEMENT_VERSION:
        raise UnknownVersionError(
            f"不认识的材料字段版本 {version}。",
            f"unknown statement version {version}.",
            version=version,
        )
    return StatementType(code, version, STATEMENT_FIELDS_V1)


def malformed_statement(reason_zh: str, reason_en: str) -> MalformedStatementError:
    """The error, with a reason in Chinese and English."""
    return MalformedStatementError(
        f"材料字段不合格：{reason_zh}。", f"malformed statement: {reason_en}."
    )
