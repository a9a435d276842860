"""Papers: frozen facts in, PDF bytes out. Pure but for reading the font file it is given.

Every paper has a dataclass with all it shows and one function that draws it:

    render_acceptance_notice(notice: AcceptanceNotice, paper: PaperSize, fonts: Fonts) -> bytes
    render_completion_notice(notice: CompletionNotice, paper: PaperSize, fonts: Fonts) -> bytes
    render_refusal_decision(decision: RefusalDecision, paper: PaperSize, fonts: Fonts) -> bytes
    render_service_receipt(receipt: ServiceReceipt, paper: PaperSize, fonts: Fonts) -> bytes
    render_consent_slip(slip: ConsentSlip, paper: PaperSize, fonts: Fonts) -> bytes
    render_verification_certificate(
        certificate: VerificationCertificate, paper: PaperSize, fonts: Fonts) -> bytes
    render_registration_slip(slip: RegistrationSlip, paper: PaperSize, fonts: Fonts) -> bytes
    render_separator_sheets(sheets: Sequence[SeparatorSheet], fonts: Fonts) -> bytes

Same facts and font, same bytes: the only time inside is `made_at`. Raises `GlyphMissingError`
when the font lacks a character (no boxes in silence), `PaperSizeNotOfferedError`,
`PaperFactsError`, `QrContentError`. What each paper holds and the law it follows:
docs/spec/papers.md.
"""

from ledger_node.papers.acceptance import (
    AcceptanceNotice,
    AcceptedMaterial,
    DeferredMaterial,
    render_acceptance_notice,
)
from ledger_node.papers.completion import (
    CompletionNotice,
    MissingMaterial,
    render_completion_notice,
)
from ledger_node.papers.consent import (
    ConfirmedBy,
    ConsentLine,
    ConsentSlip,
    GrantorRole,
    render_consent_slip,
)
from ledger_node.papers.numerals import (
    format_count,
    format_day,
    format_document_number,
    format_moment,
)
from ledger_node.papers.refusal import (
    RefusalDecision,
    RefusalGround,
    Remedy,
    render_refusal_decision,
)
from ledger_node.papers.registration import (
    RegisteredPart,
    RegistrationSlip,
    render_registration_slip,
)
from ledger_node.papers.separators import (
    SEPARATOR_PREFIX,
    SeparatorSheet,
    build_separator_text,
    render_separator_sheets,
)
from ledger_node.papers.service import (
    ServedDocument,
    ServiceMethod,
    ServiceReceipt,
    render_service_receipt,
)
from ledger_node.papers.sheet import FontUnreadableError, GlyphMissingError
from ledger_node.papers.values import (
    CaseFacts,
    Fonts,
    Office,
    PaperFactsError,
    PaperSize,
    PaperSizeNotOfferedError,
    Party,
    QrContentError,
    mask_number,
)
from ledger_node.papers.verification import (
    VerificationCertificate,
    render_verification_certificate,
)

__all__ = [
    "SEPARATOR_PREFIX",
    "AcceptanceNotice",
    "AcceptedMaterial",
    "CaseFacts",
    "CompletionNotice",
    "ConfirmedBy",
    "ConsentLine",
    "ConsentSlip",
    "DeferredMaterial",
    "FontUnreadableError",
    "Fonts",
    "GlyphMissingError",
    "GrantorRole",
    "MissingMaterial",
    "Office",
    "PaperFactsError",
    "PaperSize",
    "PaperSizeNotOfferedError",
    "Party",
    "QrContentError",
    "RefusalDecision",
    "RefusalGround",
    "RegisteredPart",
    "RegistrationSlip",
    "Remedy",
    "SeparatorSheet",
    "ServedDocument",
    "ServiceMethod",
    "ServiceReceipt",
    "VerificationCertificate",
    "build_separator_text",
    "format_count",
    "format_day",
    "format_document_number",
    "format_moment",
    "mask_number",
    "render_acceptance_notice",
    "render_completion_notice",
    "render_consent_slip",
    "render_refusal_decision",
    "render_registration_slip",
    "render_separator_sheets",
    "render_service_receipt",
    "render_verification_certificate",
]
