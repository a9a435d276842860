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
