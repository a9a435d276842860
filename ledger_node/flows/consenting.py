"""Step 7: a consent ceremony as a row, from the first draft to the grants or to its end.

The person ticks what may be asked for; terms are drawn up anew for exactly that, and one signature
covers them all. Every change is a compare-and-swap on the row's revision. A ceremony belongs to the
account that opened it; the screen turned to the person is reached by a random token instead, of
which only the digest is kept.

Crash orders. Drawing up: record key durable -> row. Confirming: officers sign -> grants, whom they
are about, and the ceremony's end in one commit: asked again, a confirmed ceremony gives its grants.
Not here: passkeys (passkeys.py), providers (providers.py), revocation codes (revoking.py).
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from ledger_node.core.canonical import encode_base64url
from ledger_node.core.ceremony import (
    OPEN_STATES,
    CeremonyEvent,
    CeremonyState,
    ConsentOption,
    advance_ceremony,
    build_type_options,
    choose,
)
from ledger_node.core.ceremony_format import (
    CeremonyBody,
    DraftedTerms,
    encode_ceremony_body,
    parse_ceremony_body,
)
from ledger_node.core.errors import ConflictError, NotFoundError
from ledger_node.core.evidence_counter import find_need_of_second
from ledger_node.core.evidence_parts import SignatureMeans
from ledger_node.core.pad_image import read_pad_image, read_slip_image
from ledger_node.core.shapes import Opening
from ledger_node.core.terms import GrantBasis
from ledger_node.core.terms_format import compute_grant_id
from ledger_node.core.types import CityId, Digest, GrantId
from ledger_node.flows.granting import (
    ConsentRequest,
    CounterCeremony,
    DraftGrant,
    compute_draft_challenge,
    confirm_at_counter,
    draft_terms,
)
from ledger_node.flows.node import Node
from ledger_node.flows.preparing import compute_subject_tag
from ledger_node.flows.records import open_record, seal_record
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_consent import CeremonyRow, GrantSubjectRow

CEREMONY_LIFE: Final = timedelta(minutes=30)
SCREEN_LIFE: Final = timedelta(minutes=15)
TOKEN_BYTES: Final = 32
Signer = tuple[str, Callable[[bytes], bytes]]


class CeremonyNotFoundError(NotFoundError):
    """No such ceremony of this account, or its screen is closed."""

    code = "ceremony_not_found"

    def __init__(self) -> None:
        super().__init__(
            "没有找到这次授权，或页面已过期。请窗口人员重新打开。",
            "There is no such consent here, or its screen has closed; ask the window to reopen it.",
        )


class CeremonyMovedError(ConflictError):
    """The ceremony went on meanwhile, here or on the other screen."""

    code = "ceremony_moved"

    def __init__(self) -> None:
        super().__init__(
            "授权内容已有变化，请看清新的内容再确认。",
            "The consent has changed meanwhile; look at it again before confirming.",
        )


class SignatureMissingError(ConflictError):
    """The person has not signed what stands there now."""

    code = "consent_unsigned"

    def __init__(self) -> None:
        super().__init__(
            "市民还没有签名。请在屏幕上签名，或扫描签好的纸质授权书。",
            "The person has not signed yet: on the screen, or on the slip that is scanned.",
        )


class SecondOfficerNeededError(ConflictError):
    """One officer is not enough; `reason` says why."""

    code = "second_officer_needed"

    def __init__(self, reason: str) -> None:
        super().__init__(
            "此次授权须由第二名工作人员当场确认。",
            f"A second officer has to confirm this consent at the window ({reason}).",
            reason=reason,
        )


@dataclass(frozen=True, slots=True)
class CeremonyRequest:
    """What a window or a person at home begins a ceremony with.

    Attributes:
        consent: Cities, person, types, purpose and window, as drawn up by the caller.
        account_id: Whose ceremony it is.
        officer: Officer of the session; None at home.
        document_scheme, read_by_device: How the person was identified.
        outlet, window: Where.
        case_id: Case it belongs to.
        basis: Kind of evidence it is to end in.
        options: Single materials to be ticked; the types of `consent` when empty.
        opening: One opening of the subject for all cities (passkey, provider).
    """

    consent: ConsentRequest
    account_id: str
    officer: str | None
    document_scheme: str
    read_by_device: bool
    outlet: str = ""
    window: str = ""
    case_id: str | None = None
    basis: GrantBasis = GrantBasis.COUNTER
    options: tuple[ConsentOption, ...] = ()
    opening: Opening | None = None


@dataclass(frozen=True, slots=True)
class Ceremony:
    """A ceremony, opened."""

    row: CeremonyRow
    body: CeremonyBody

    @property
    def ceremony_id(self) -> str:
        """Its id."""
        return self.row.ceremony_id

    @property
    def state(self) -> CeremonyState:
        """Where it stands."""
        return CeremonyState(self.row.state)

    @property
    def challenge(self) -> bytes | None:
        """What is signed for everything ticked, 32 bytes; None while nothing is."""
        return compute_draft_challenge(self.drafts) if self.body.drafts else None

    @property
    def drafts(self) -> tuple[DraftGrant, ...]:
        """Terms drawn up for what is ticked."""
        return tuple(DraftGrant(each.terms, each.openings) for each in self.body.drafts)

    @property
    def grants(self) -> tuple[tuple[CityId, GrantId], ...]:
        """(releasing city, grant id) once confirmed."""
        if self.state is not CeremonyState.CONFIRMED:
            return ()
        return tuple(
            (each.terms.releasing, compute_grant_id(each.terms)) for each in self.body.drafts
        )


def begin_ceremony(node: Node, request: CeremonyRequest) -> Ceremony:
    """Draw up a ceremony; nothing is ticked and nobody has seen it.

    Raises:
        MalformedInputError: A number or another value is not acceptable.
    """
    consent = request.consent
    number = node.normalise_identifier(consent.subject.scheme, consent.subject.number)
    body = CeremonyBody(
        releasing=consent.releasing,
        receiving=consent.receiving,
        subject=replace(consent.subject, number=number),
        grantor=consent.grantor,
        options=request.options or build_type_options(consent.types),
        item=consent.item,
        case=consent.case,
        window_s=consent.window_s,
        uses=consent.uses,
        text=consent.text,
        document_scheme=request.document_scheme,
        read_by_device=request.read_by_device,
        outlet=request.outlet,
        window=request.window,
        opening=request.opening,
    )
    ceremony_id = str(uuid.UUID(bytes=node.entropy(16), version=4))
    now = node.clock.now()
    row = CeremonyRow(
        ceremony_id=ceremony_id,
        account_id=request.account_id,
        officer=request.officer,
        state=CeremonyState.DRAFTED,
        revision=0,
        basis=request.basis,
        subject_tag=compute_subject_tag(node, consent.subject.scheme, number),
        screen_hash=None,
        screen_until=None,
        case_id=request.case_id,
        sealed_body=_seal_body(node, ceremony_id, body),
        sealed_signature=None,
        signature_how=None,
        created_at=now,
        updated_at=now,
        expires_at=now + CEREMONY_LIFE,
    )
    with node.database.transaction() as tx:
        tx.consent.save_ceremony(row)
    return Ceremony(row, body)


def load_ceremony(node: Node, ceremony_id: str, account_id: str) -> Ceremony:
    """A ceremony of this account.

    Raises:
        CeremonyNotFoundError: There is none, or it is somebody else's.
    """
    with node.database.read() as tx:
        row = tx.consent.find_ceremony(ceremony_id)
    if row is None or row.account_id != account_id:
        raise CeremonyNotFoundError
    return _settle(node, open_ceremony(node, row))


def open_screen(node: Node, ceremony: Ceremony) -> tuple[Ceremony, str]:
    """Turn the screen to the person: a fresh token, the old one is void; nothing stays ticked.

    Raises:
        IllegalTransitionError: The ceremony is over.
        CeremonyMovedError: It went on meanwhile.
    """
    token = encode_base64url(node.entropy(TOKEN_BYTES))
    body = replace(ceremony.body, ticked=(), drafts=())
    changed = _move(
        node,
        ceremony,
        CeremonyEvent.SCREEN_OPENED,
        body,
        screen_hash=_hash_token(token),
        screen_until=node.clock.now() + SCREEN_LIFE,
        sealed_signature=None,
        signature_how=None,
    )
    return changed, token


def load_screen(node: Node, token: str) -> Ceremony:
    """The ceremony whose screen a token opens, for whoever looks at that screen.

    Raises:
        CeremonyNotFoundError: No such screen, or its time is over.
    """
    with node.database.read() as tx:
        row = tx.consent.find_screen(_hash_token(token))
    if row is None or row.screen_until is None or row.screen_until <= node.clock.now():
        raise CeremonyNotFoundError
    return _settle(node, open_ceremony(node, row))


def choose_options(node: Node, ceremony: Ceremony, ticked: Collection[str]) -> Ceremony:
    """Draw up terms for exactly what is ticked; a signature for another choice is void.

    Raises:
        UnknownOptionError: Nothing is ticked, or something that is not offered.
        IllegalTransitionError, CeremonyMovedError: It cannot be changed any more.
    """
    body = ceremony.body
    drafts = _draw_up(node, body, GrantBasis(ceremony.row.basis), ticked)
    changed = replace(
        body,
        ticked=tuple(option.key for option in body.options if option.key in ticked),
        drafts=drafts,
    )
    void = {"sealed_signature": None, "signature_how": None}
    return _move(node, ceremony, CeremonyEvent.CHOSEN, changed, **void)


def change_basis(
    node: Node, ceremony: Ceremony, basis: GrantBasis, opening: Opening | None
) -> Ceremony:
    """Draw up the same choice for another kind of evidence; a signature for the former is void.

    Raises:
        UnknownOptionError: Nothing is ticked.
        IllegalTransitionError, CeremonyMovedError: It cannot be changed any more.
    """
    body = replace(ceremony.body, opening=opening)
    changed = replace(body, drafts=_draw_up(node, body, basis, body.ticked))
    void = {"sealed_signature": None, "signature_how": None}
    return _move(node, ceremony, CeremonyEvent.CHOSEN, changed, basis=basis, **void)


def sign_on_pad(node: Node, ceremony: Ceremony, png: bytes, challenge: bytes) -> Ceremony:
    """Keep the signature the person drew under what the screen showed.

    Args:
        png: Image of the pad.
        challenge: What the page showed the person; another one since then is refused.

    Raises:
        PadImageError: Not an image of a signature.
        CeremonyMovedError: Something else is drawn up by now.
    """
    read_pad_image(png)
    if ceremony.challenge is None or ceremony.challenge != challenge:
        raise CeremonyMovedError
    return _move(
        node,
        ceremony,
        CeremonyEvent.PERSON_SIGNED,
        sealed_signature=_seal_signature(node, ceremony.ceremony_id, png),
        signature_how=SignatureMeans.PAD.value,
    )


def confirm_ceremony_at_counter(
    node: Node,
    ceremony: Ceremony,
    officers: Sequence[Signer],
    *,
    slip: bytes | None = None,
) -> Ceremony:
    """The officers sign for what the person signed; the grants stand. Idempotent.

    Args:
        officers: (officer id, signing function), the officer of the session first.
        slip: Scanned slip with the person's signature, instead of the pad.

    Raises:
        SignatureMissingError: Nothing is ticked, or nothing signed.
        SecondOfficerNeededError: The evidence rules want two.
        EvidenceError, NotYetAnchoredError: The ceremony does not suffice.
        CeremonyMovedError, IllegalTransitionError: It went on meanwhile, or is over.
    """
    if ceremony.state is CeremonyState.CONFIRMED:
        return ceremony
    image, how = _find_signature(node, ceremony, slip)
    reason = find_reason_for_second(node, ceremony)
    if reason is not None and len(officers) < 2:
        raise SecondOfficerNeededError(reason)
    after = _advanced(
        node,
        ceremony,
        CeremonyEvent.CONFIRMED,
        sealed_signature=_seal_signature(node, ceremony.ceremony_id, image),
        signature_how=how.value,
        screen_hash=None,
        screen_until=None,
    )
    counter = CounterCeremony(
        ceremony.body.document_scheme,
        ceremony.body.read_by_device,
        Digest(hashlib.sha256(image).digest()),
        how,
        tuple(officers),
    )
    confirm_at_counter(node, ceremony.drafts, counter, link_confirmed(node, ceremony, after))
    return Ceremony(replace(after, revision=ceremony.row.revision + 1), ceremony.body)


def link_confirmed(
    node: Node, ceremony: Ceremony, after: CeremonyRow
) -> Callable[[Transaction], None]:
    """Rows written in the commit that stores the grants: the ceremony's end, and whom they are
    about."""
    ids = [compute_grant_id(draft.terms) for draft in ceremony.drafts]
    now = node.clock.now()

    def link(tx: Transaction) -> None:
        if not tx.consent.advance_ceremony(ceremony.row, after):
            raise CeremonyMovedError
        for grant_id in ids:
            tx.consent.link_grant(
                GrantSubjectRow(grant_id, ceremony.row.subject_tag, ceremony.ceremony_id, now)
            )

    return link


def find_reason_for_second(node: Node, ceremony: Ceremony) -> str | None:
    """Why a second officer has to sign, by the rules every releasing city applies; None if one is
    enough. Everything offered counts while nothing is ticked."""
    body = ceremony.body
    if body.drafts:
        codes = {granted.code for draft in body.drafts for granted in draft.terms.types}
    else:
        codes = {option.grant.code for option in body.options}
    subject = body.subject
    minor = node.is_minor(subject.scheme, subject.number, node.clock.now().date())
    return find_need_of_second(
        body.read_by_device, codes, body.grantor.kind, node.sensitive_types, minor
    )


def decline_ceremony(node: Node, ceremony: Ceremony) -> Ceremony:
    """The person says no."""
    return _end(node, ceremony, CeremonyEvent.DECLINED)


def strike_ceremony(node: Node, ceremony: Ceremony) -> Ceremony:
    """The window takes it back."""
    return _end(node, ceremony, CeremonyEvent.STRUCK)


def expire_ceremonies(node: Node) -> int:
    """End what nobody confirmed in time and forget its signature; returns how many it saw.

    One that went on between the look and the change is left alone. Nothing is opened for it: what
    can no longer be read ends, too.
    """
    now = node.clock.now()
    with node.database.read() as tx:
        rows = tx.consent.list_overdue(OPEN_STATES, now)
    for row in rows:
        after = replace(
            row,
            state=advance_ceremony(CeremonyState(row.state), CeremonyEvent.TIME_OVER),
            updated_at=now,
            sealed_signature=None,
            signature_how=None,
        )
        with node.database.transaction() as tx:
            tx.consent.advance_ceremony(row, after)
    return len(rows)


def sweep_consents(node: Node) -> int:
    """One turn of the loop: overdue ceremonies end, challenges and one-time addresses past their
    time go. Nothing is written while nothing is overdue; returns how much was."""
    ended = expire_ceremonies(node)
    now = node.clock.now()
    with node.database.read() as tx:
        oldest = tx.consent.find_oldest_challenge()
    if oldest is None or oldest > now:
        return ended
    with node.database.transaction() as tx:
        return ended + tx.consent.drop_challenges_before(now)


def open_signature(node: Node, ceremony: Ceremony) -> bytes | None:
    """Pad image or slip as kept; None where there is none."""
    sealed = ceremony.row.sealed_signature
    if sealed is None:
        return None
    return open_record(node, _record_name(ceremony.ceremony_id), "signature", sealed)


def finish_row(node: Node, ceremony: Ceremony) -> CeremonyRow:
    """The row as confirmed without an image: by passkey or provider."""
    return _advanced(node, ceremony, CeremonyEvent.CONFIRMED, screen_hash=None, screen_until=None)


def _draw_up(
    node: Node, body: CeremonyBody, basis: GrantBasis, ticked: Collection[str]
) -> tuple[DraftedTerms, ...]:
    """Terms for exactly what is ticked."""
    drafts: list[DraftGrant] = []
    for choice in choose(body.options, body.releasing, ticked):
        request = ConsentRequest(
            releasing=(choice.city,),
            receiving=body.receiving,
            subject=body.subject,
            grantor=body.grantor,
            types=choice.types,
            item=body.item,
            case=body.case,
            window_s=body.window_s,
            uses=body.uses,
            text=body.text,
        )
        drafts += draft_terms(
            node, request, basis=basis, materials=choice.materials, subject=body.opening
        )
    return tuple(DraftedTerms(each.terms, each.openings) for each in drafts)


def _find_signature(
    node: Node, ceremony: Ceremony, slip: bytes | None
) -> tuple[bytes, SignatureMeans]:
    if not ceremony.body.drafts:
        raise SignatureMissingError
    if slip is not None:
        read_slip_image(slip)
        return slip, SignatureMeans.SLIP
    image = open_signature(node, ceremony)
    if image is None or ceremony.state is not CeremonyState.SIGNED:
        raise SignatureMissingError
    return image, SignatureMeans.PAD


def _end(node: Node, ceremony: Ceremony, event: CeremonyEvent) -> Ceremony:
    """A screen that is open shows the end until its time is over; the drawn signature goes."""
    return _move(node, ceremony, event, sealed_signature=None, signature_how=None)


def _settle(node: Node, ceremony: Ceremony) -> Ceremony:
    """The ceremony as it is now: its time may be over."""
    if ceremony.state not in OPEN_STATES or ceremony.row.expires_at > node.clock.now():
        return ceremony
    return _end(node, ceremony, CeremonyEvent.TIME_OVER)


def _advanced(
    node: Node, ceremony: Ceremony, event: CeremonyEvent, **changes: object
) -> CeremonyRow:
    state = advance_ceremony(ceremony.state, event)
    return replace(
        ceremony.row,
        state=state,
        updated_at=node.clock.now(),
        **changes,  # type: ignore[arg-type]
    )


def _move(
    node: Node,
    ceremony: Ceremony,
    event: CeremonyEvent,
    body: CeremonyBody | None = None,
    **changes: object,
) -> Ceremony:
    if body is not None:
        changes["sealed_body"] = _seal_body(node, ceremony.ceremony_id, body)
    after = _advanced(node, ceremony, event, **changes)
    with node.database.transaction() as tx:
        if not tx.consent.advance_ceremony(ceremony.row, after):
            raise CeremonyMovedError
    return Ceremony(replace(after, revision=ceremony.row.revision + 1), body or ceremony.body)


def open_ceremony(node: Node, row: CeremonyRow) -> Ceremony:
    """A stored ceremony with its private body."""
    data = open_record(node, _record_name(row.ceremony_id), "body", row.sealed_body)
    return Ceremony(row, parse_ceremony_body(data))


def _seal_body(node: Node, ceremony_id: str, body: CeremonyBody) -> bytes:
    return seal_record(node, _record_name(ceremony_id), "body", encode_ceremony_body(body))


def _seal_signature(node: Node, ceremony_id: str, image: bytes) -> bytes:
    return seal_record(node, _record_name(ceremony_id), "signature", image)


def _hash_token(token: str) -> bytes:
    return hashlib.sha256(b"tongban/consent-screen/v1\n" + token.encode()).digest()


def _record_name(ceremony_id: str) -> str:
    return f"ceremony/{ceremony_id}"
