"""Error families, sorted by whose fault it is; every class carries a stable `code`.

Messages are for people (Chinese and English) and may change; `code` and typed fields may not.
`api/problems.py` holds the one mapping to HTTP, `ledger_node/cli.py` the one to exit codes.
Modules of the core declare their own subclasses beside the rule that raises them.
"""

from __future__ import annotations

from typing import ClassVar


class LedgerError(Exception):
    """Base of every error this project raises on purpose.

    Attributes:
        code: Stable machine-readable name, snake case.
        message_zh: Plain sentence in Chinese: what is wrong and what to do.
        message_en: The same in English.
    """

    code: ClassVar[str] = "ledger_error"

    def __init__(self, message_zh: str, message_en: str, **fields: object) -> None:
        super().__init__(message_en)
        self.message_zh = message_zh
        self.message_en = message_en
        self.fields: dict[str, object] = fields


class MalformedInputError(LedgerError):
    """The sender's bytes are wrong: fix and resend."""

    code = "malformed_input"


class NotFoundError(LedgerError):
    """Nothing of that name is here (or the caller may not know whether it is)."""

    code = "not_found"


class ConflictError(LedgerError):
    """The order of events forbids it: reload and look again."""

    code = "conflict"


class NotPermittedError(LedgerError):
    """Rights are missing: ask the grantor or the member cities."""

    code = "not_permitted"


class VerificationError(LedgerError):
    """Evidence does not hold: distrust it."""

    code = "verification_failed"


class UnavailableError(LedgerError):
    """The outside world does not answer: retry later."""

    code = "unavailable"


class InvariantError(LedgerError):
    """Our own promise is broken: stop and call a person."""

    code = "invariant_broken"


class IllegalTransitionError(ConflictError):
    """A state machine has no such transition."""

    code = "illegal_transition"

    def __init__(self, machine: str, state: str, event: str) -> None:
        super().__init__(
            f"“{machine}”处于 {state} 时不能发生 {event}。请刷新后再试。",
            f"{machine}: {event} is not possible in state {state}; reload and look again.",
            machine=machine,
            state=state,
            event=event,
        )


class UnknownVersionError(MalformedInputError):
    """A stored or sent format carries a version this program does not know."""

    code = "unknown_version"


class CiphertextAuthError(InvariantError):
    """Stored ciphertext does not open under its key: it was changed, or the key is another's.

    Fields: name (of the item: a blob's address in hex, a key's name).
    """

    code = "ciphertext_auth"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"密文 {name} 无法用其密钥打开，可能已被改动。请停止使用并报告管理员。",
            f"The ciphertext {name} does not open under its key: it was changed; "
            "stop and tell the administrator.",
            name=name,
        )
