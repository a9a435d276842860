"""Personal values nobody else has, every form they could leak in, and a scanner for those forms."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from eth_hash.auto import keccak

NUMBER = "51070319840229731"  # and its check digit
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True)
class Canary:
    """A person whose values are searched for."""

    number: str
    name: str
    document_number: str
    phone: str
    document: str

    def values(self) -> dict[str, str]:
        """Values by what they are."""
        return {
            "number": self.number,
            "name": self.name,
            "document_number": self.document_number,
            "phone": self.phone,
            "document": self.document,
        }


def make_canary() -> Canary:
    """The person of the test."""
    check = "10X98765432"[sum(int(d) * w for d, w in zip(NUMBER, WEIGHTS, strict=True)) % 11]
    return Canary(
        NUMBER + check, "欧阳璇玑", "KNRZ-510703-7718234", "13981740265", "canary paper 4471 vhqz"
    )


def list_forms(value: str) -> dict[str, bytes]:
    """Everything a value could stand as: form -> bytes to search for."""
    forms: dict[str, bytes] = {}
    for encoding in ("utf-8", "utf-16-le", "gb18030"):
        raw = value.encode(encoding)
        forms[f"value {encoding}"] = raw
        forms[f"hex {encoding}"] = raw.hex().encode()
        forms[f"HEX {encoding}"] = raw.hex().upper().encode()
    raw = value.encode()
    forms["json"] = json.dumps(value).strip('"').encode()
    for offset in range(3):
        for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
            text = encode(b"\x00" * offset + raw)
            # the first characters hold bits of what stands before, the last of what comes after
            start = {0: 0, 1: 2, 2: 3}[offset]
            end = (offset + len(raw)) * 8 // 6
            forms[f"{name} at {offset}"] = text[start:end]
    for name, digest in (
        ("sha-256", hashlib.sha256(raw).digest()),
        ("sha-1", hashlib.sha1(raw).digest()),
        ("md5", hashlib.md5(raw).digest()),
        ("sha-512", hashlib.sha512(raw).digest()),
        ("keccak", keccak(raw)),
    ):
        forms[name] = digest
        forms[f"{name} hex"] = digest.hex().encode()
        forms[f"{name} HEX"] = digest.hex().upper().encode()
        forms[f"{name} base64"] = base64.b64encode(digest).rstrip(b"=")[:-1]
    return forms


def list_needles(canary: Canary) -> dict[str, bytes]:
    """All forms of all values."""
    return {
        f"{what}: {form}": needle
        for what, value in canary.values().items()
        for form, needle in list_forms(value).items()
    }


def scan(places: Mapping[str, bytes], needles: Mapping[str, bytes]) -> list[tuple[str, str]]:
    """(place, form) of everything found."""
    return [
        (place, form)
        for place, content in places.items()
        for form, needle in needles.items()
        if needle in content
    ]


def read_tree(path: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(each.relative_to(path)): each.read_bytes() for each in _list_files(path)}


def _list_files(path: Path) -> Iterator[Path]:
    for each in sorted(path.rglob("*")):
        if each.is_file():
            yield each
