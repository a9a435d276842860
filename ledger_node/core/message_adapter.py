"""Between our message parts and the HTTP Message Signatures library.

The library reads the clock to judge `created` and `expires`; `Verifier` replaces that one method,
so time stays an argument. It wants message objects with every field line in `headers.items()`, and
resolves `;req` components from the `request` of an answer. Spec: docs/spec/messages.md.

Not here: the profile, that is which components and parameters are demanded (message.py).
"""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver
from http_message_signatures.algorithms import ED25519

from ledger_node.core.message_key import parse_key_id
from ledger_node.core.message_parts import (
    MAX_AGE_S,
    MAX_FUTURE_S,
    HeaderLines,
    HttpRequest,
    KeyCheck,
    build_url,
)
from ledger_node.core.message_problem import (
    MessageKeyUnknownError,
    MessageNotCurrentError,
    MessageUnsignedError,
)


class Headers(dict[str, str]):
    """Headers as the library wants them: `items()` yields every field line, repeats included."""

    def __init__(self, lines: HeaderLines = ()) -> None:
        super().__init__()
        self._lines = list(lines)

    def items(self) -> Any:
        return [*self._lines, *super().items()]


class RequestMessage:
    """A request with the URL its signature covers."""

    def __init__(self, request: HttpRequest) -> None:
        self.method = request.method
        self.url = build_url(request.registered_url, request.path)
        self.headers = Headers(request.headers)


class AnswerMessage:
    """An answer with the request it covers."""

    def __init__(self, status: int, headers: HeaderLines, request: HttpRequest) -> None:
        self.status_code = status
        self.headers = Headers(headers)
        self.request = RequestMessage(request)


class Keys(HTTPSignatureKeyResolver):
    """Keys by key id; only those the chain knows as message keys."""

    def __init__(self, is_message_key: KeyCheck) -> None:
        self._is_message_key = is_message_key

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
        """Key of an id, or the typed error why not."""
        parsed = parse_key_id(key_id)
        if not self._is_message_key(parsed):
            raise MessageKeyUnknownError(parsed.city)
        return Ed25519PublicKey.from_public_bytes(parsed.key)


class Verifier(HTTPMessageVerifier):
    """The library's verifier with the time as an argument instead of the system clock."""

    def __init__(self, keys: Keys, now_s: int) -> None:
        super().__init__(signature_algorithm=ED25519, key_resolver=keys)
        self._now_s = now_s

    def validate_created_and_expires(self, sig_input: Any, max_age: Any = None) -> None:
        """Judge the two times against `now_s`; the profile has one age limit, so no `max_age`."""
        assert max_age is None
        created, expires = sig_input.params.get("created"), sig_input.params.get("expires")
        if type(created) is not int or type(expires) is not int:
            raise MessageUnsignedError("created / expires")
        if created - self._now_s > MAX_FUTURE_S:
            raise MessageNotCurrentError("created")
        if self._now_s - created > MAX_AGE_S:
            raise MessageNotCurrentError("created")
        if expires <= self._now_s or expires <= created:
            raise MessageNotCurrentError("expires")
