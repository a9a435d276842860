"""Document digests: SHA-256 over the exact bytes of a document, marked with the algorithm.

Step 1 of the data flow (document -> digest). Text form: `sha-256:<64 lower-case hex digits>`;
inside the program a digest is the 32 bytes. Spec: docs/spec/statement.md. Vectors:
tests/vectors/digest/.

Not here: salted values (commitment.py, disclosure.py). A bare digest of a filled form can be
guessed, so it never leaves the city except inside a disclosure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from ledger_node.core.canonical import parse_hex
from ledger_node.core.errors import MalformedInputError, VerificationError
from ledger_node.core.types import HASH_BYTES, Digest

DIGEST_ALGORITHM = "sha-256"


class UnknownDigestAlgorithmError(MalformedInputError):
    """The digest is marked with an algorithm this program does not know."""

    code = "unknown_digest_algorithm"


class DigestMismatchError(VerificationError):
    """The document is not the one the digest was made of.

    Fields: expected, computed (32 bytes each).
    """

    code = "digest_mismatch"


class DigestStream:
    """Digest and size of bytes that pass by, for callers that do something else with them too."""

    __slots__ = ("_hasher", "size_bytes")

    def __init__(self) -> None:
        self._hasher = hashlib.sha256()
        self.size_bytes = 0

    def update(self, chunk: bytes) -> None:
        """Take the next bytes of the document."""
        self._hasher.update(chunk)
        self.size_bytes += len(chunk)

    def digest(self) -> Digest:
        """Digest of everything taken so far."""
        return Digest(self._hasher.digest())


def compute_digest(chunks: Iterable[bytes]) -> Digest:
    """Digest of a document given in chunks; never holds more than one."""
    stream = DigestStream()
    for chunk in chunks:
        stream.update(chunk)
    return stream.digest()


def verify_digest(chunks: Iterable[bytes], expected: Digest) -> None:
    """Check that a document has the digest `expected`.

    Raises:
        DigestMismatchError: It has another; carries both.
    """
    computed = compute_digest(chunks)
    if computed != expected:
        raise DigestMismatchError(
            "文件内容与登记的摘要不符，文件已被改动或不是同一份。",
            "the document differs from the registered digest: changed, or another document.",
            expected=expected,
            computed=computed,
        )


def encode_digest(digest: Digest) -> str:
    """Text form with the algorithm mark."""
    return f"{DIGEST_ALGORITHM}:{digest.hex()}"


def parse_digest(text: str) -> Digest:
    """Read the text form.

    Raises:
        UnknownDigestAlgorithmError: The mark before the colon is not `sha-256`.
        MalformedEncodingError: Not 64 lower-case hex digits after it.
    """
    algorithm, _, digits = text.partition(":")
    if algorithm != DIGEST_ALGORITHM:
        raise UnknownDigestAlgorithmError(
            "摘要须写作 sha-256:<64 位小写十六进制>。",
            "a digest is written sha-256:<64 lower-case hex digits>.",
        )
    return Digest(parse_hex(digits, what="document digest", length_bytes=HASH_BYTES))
