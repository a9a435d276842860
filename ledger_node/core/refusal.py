"""Why a find or a release is refused: stable codes, their errors and their sentences.

Steps 6 and 8 of the data flow. A refusal is a normal outcome, so decisions return a `Decision`;
flows turn it into the error that `build_refusal_error` makes. Spec: docs/spec/terms.md.

Invariants:
    * Each reason has exactly one error class; what leaves the city is the class's `code`.
    * An unknown material and a material of another person leave as one and the same code: a
      refusal never reveals what exists.
Not here: when which reason applies (grant.py, query.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ledger_node.core.errors import ConflictError, LedgerError, NotPermittedError, UnavailableError


class Refusal(StrEnum):
    """Reasons, as logged inside the city."""

    WRONG_CHAIN = "wrong_chain"
    NOT_RELEASER = "not_releaser"
    NOT_RECEIVER = "not_receiver"
    NOT_IN_GOOD_STANDING = "not_in_good_standing"
    FOREIGN_ENCRYPTION_KEY = "foreign_encryption_key"
    GRANT_MISSING = "grant_missing"
    GRANT_REVOKED = "grant_revoked"
    GRANT_NOT_YET_VALID = "grant_not_yet_valid"
    GRANT_EXPIRED = "grant_expired"
    GRANT_USED_UP = "grant_used_up"
    GRANT_DIFFERS = "grant_differs"
    EVIDENCE_DIFFERS = "evidence_differs"
    BASIS_REFUSED = "basis_refused"
    CHAIN_STALE = "chain_stale"
    NOTHING_ASKED = "nothing_asked"
    MATERIAL_NOT_GRANTED = "material_not_granted"
    TYPE_NOT_GRANTED = "type_not_granted"
    FIELD_NOT_GRANTED = "field_not_granted"
    DOCUMENTS_NOT_GRANTED = "documents_not_granted"
    PURPOSE_MISMATCH = "purpose_mismatch"
    MATERIAL_UNKNOWN = "material_unknown"
    SUBJECT_MISMATCH = "subject_mismatch"
    MATERIAL_NOT_ANCHORED = "material_not_anchored"
    MATERIAL_WITHDRAWN = "material_withdrawn"
    MATERIAL_SPENT = "material_spent"
    MATERIAL_ERASED = "material_erased"


class WrongChainError(NotPermittedError):
    """The terms name another chain or contract."""

    code = "wrong_chain"


class NotReleaserError(NotPermittedError):
    """The terms name another releasing city."""

    code = "not_releaser"


class NotReceiverError(NotPermittedError):
    """The terms name another receiving city than the one that asks."""

    code = "not_receiver"


class NotInGoodStandingError(NotPermittedError):
    """One of the three cities of the grant is no member in good standing."""

    code = "not_in_good_standing"


class ForeignEncryptionKeyError(NotPermittedError):
    """The encryption key of the request is not a current one of the receiving city."""

    code = "foreign_encryption_key"


class GrantMissingError(NotPermittedError):
    """The chain holds no such grant."""

    code = "grant_missing"


class GrantRevokedError(NotPermittedError):
    """The grant was revoked."""

    code = "grant_revoked"


class GrantNotYetValidError(NotPermittedError):
    """The window of the grant has not begun."""

    code = "grant_not_yet_valid"


class GrantExpiredError(NotPermittedError):
    """The window of the grant is over."""

    code = "grant_expired"


class GrantUsedUpError(NotPermittedError):
    """All uses of the grant were consumed."""

    code = "grant_used_up"


class GrantDiffersError(NotPermittedError):
    """What the chain recorded is not what the terms say."""

    code = "grant_differs"


class EvidenceDiffersError(NotPermittedError):
    """The evidence shown is not the one the chain has the commitment of."""

    code = "evidence_differs"


class BasisRefusedError(NotPermittedError):
    """This city does not release on this basis."""

    code = "basis_refused"


class ChainStaleError(UnavailableError):
    """Head time and own clock are too far apart to decide on."""

    code = "chain_stale"


class NothingAskedError(NotPermittedError):
    """The request asks for nothing."""

    code = "nothing_asked"


class NotGrantedError(NotPermittedError):
    """More is asked for than the terms grant: a material, type, field or document."""

    code = "not_granted"


class PurposeMismatchError(NotPermittedError):
    """Service item or case are not those of the terms."""

    code = "purpose_mismatch"


class MaterialNotAvailableError(NotPermittedError):
    """No such material of this person here, or not yet anchored: which of these is not said."""

    code = "material_not_available"


class MaterialWithdrawnError(ConflictError):
    """The issuer withdrew the material."""

    code = "material_withdrawn"


class MaterialSpentError(ConflictError):
    """The paper counts once and was used."""

    code = "material_spent"


class MaterialErasedError(ConflictError):
    """The material was erased."""

    code = "material_erased"


@dataclass(frozen=True, slots=True)
class Decision:
    """Outcome of a check that may normally go either way.

    Attributes:
        refusal: None if allowed.
    """

    refusal: Refusal | None = None

    @property
    def allowed(self) -> bool:
        """True if nothing stands against it."""
        return self.refusal is None


ALLOWED = Decision()

_NOT_GRANTED = (NotGrantedError, "所要内容超出授权范围。", "more is asked for than was granted.")
_NOT_AVAILABLE = (MaterialNotAvailableError, "没有可提供的材料。", "there is nothing to release.")
_ERRORS: Mapping[Refusal, tuple[type[LedgerError], str, str]] = {
    Refusal.WRONG_CHAIN: (
        WrongChainError,
        "授权写明的是另一条链或另一份合约。",
        "the terms name another chain or contract.",
    ),
    Refusal.NOT_RELEASER: (
        NotReleaserError,
        "授权写明的提供城市不是本市。",
        "the terms name another releasing city.",
    ),
    Refusal.NOT_RECEIVER: (
        NotReceiverError,
        "授权写明的接收城市不是请求方。",
        "the terms name another receiving city than the one that asks.",
    ),
    Refusal.NOT_IN_GOOD_STANDING: (
        NotInGoodStandingError,
        "授权所涉城市中有一方目前不具成员资格。",
        "a city of this grant is no member in good standing.",
    ),
    Refusal.FOREIGN_ENCRYPTION_KEY: (
        ForeignEncryptionKeyError,
        "请求中的加密公钥不属于接收城市。",
        "the encryption key of the request does not belong to the receiving city.",
    ),
    Refusal.GRANT_MISSING: (
        GrantMissingError,
        "链上没有这项授权，请先记录授权。",
        "the chain holds no such grant; record it first.",
    ),
    Refusal.GRANT_REVOKED: (GrantRevokedError, "授权已被撤回。", "the grant was revoked."),
    Refusal.GRANT_NOT_YET_VALID: (
        GrantNotYetValidError,
        "授权尚未生效。",
        "the grant is not valid yet.",
    ),
    Refusal.GRANT_EXPIRED: (GrantExpiredError, "授权已过期。", "the grant has expired."),
    Refusal.GRANT_USED_UP: (
        GrantUsedUpError,
        "授权的使用次数已用完。",
        "all uses of the grant were consumed.",
    ),
    Refusal.GRANT_DIFFERS: (
        GrantDiffersError,
        "链上记录的授权与所示条款不一致。",
        "the recorded grant differs from the terms shown.",
    ),
    Refusal.EVIDENCE_DIFFERS: (
        EvidenceDiffersError,
        "所示证据不是记录授权时的那一份。",
        "the evidence shown is not the one recorded with the grant.",
    ),
    Refusal.BASIS_REFUSED: (
        BasisRefusedError,
        "本市对该事项不接受这种依据。",
        "this city does not release on this basis.",
    ),
    Refusal.CHAIN_STALE: (
        ChainStaleError,
        "链上时间与本机时间相差过大，请稍后再试。",
        "chain time and local clock are too far apart; retry later.",
    ),
    Refusal.NOTHING_ASKED: (NothingAskedError, "没有要任何材料。", "nothing is asked for."),
    Refusal.MATERIAL_NOT_GRANTED: _NOT_GRANTED,
    Refusal.TYPE_NOT_GRANTED: _NOT_GRANTED,
    Refusal.FIELD_NOT_GRANTED: _NOT_GRANTED,
    Refusal.DOCUMENTS_NOT_GRANTED: _NOT_GRANTED,
    Refusal.PURPOSE_MISMATCH: (
        PurposeMismatchError,
        "事项或办件与授权写明的不一致。",
        "service item or case are not those of the grant.",
    ),
    Refusal.MATERIAL_UNKNOWN: _NOT_AVAILABLE,
    Refusal.SUBJECT_MISMATCH: _NOT_AVAILABLE,
    Refusal.MATERIAL_NOT_ANCHORED: _NOT_AVAILABLE,
    Refusal.MATERIAL_WITHDRAWN: (
        MaterialWithdrawnError,
        "材料已被签发方撤回。",
        "the issuer withdrew the material.",
    ),
    Refusal.MATERIAL_SPENT: (
        MaterialSpentError,
        "该材料只能用一次，已用过。",
        "the paper counts once and was used.",
    ),
    Refusal.MATERIAL_ERASED: (MaterialErasedError, "材料已被清除。", "the material was erased."),
}


def build_refusal_error(refusal: Refusal) -> LedgerError:
    """Error that tells the other side as much as it may know."""
    kind, message_zh, message_en = _ERRORS[refusal]
    return kind(message_zh, message_en)


def get_public_code(refusal: Refusal) -> str:
    """Code that may leave the city for a reason."""
    return _ERRORS[refusal][0].code
