"""Group `consent`: ceremonies, whom grants are about, passkeys, providers, revocation codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from ledger_node.core.types import CityId, GrantId
from ledger_node.edges.database.rows import build_rows, fetch_one, row_values, select_rows
from ledger_node.edges.database.tables_consent import (
    ceremonies,
    grant_subjects,
    identity_providers,
    passkey_challenges,
    passkeys,
    revocation_codes,
    revocation_requests,
)
from ledger_node.edges.database.tables_exchange import finds, releases
from ledger_node.ports.database_consent import (
    CeremonyRow,
    GrantSubjectRow,
    PasskeyRow,
    ProviderRow,
    RevocationCodeRow,
    RevocationRow,
)
from ledger_node.ports.database_exchange import FindRow, ReleaseRow


class SqlConsent:
    """`ports.database_consent.ConsentGroup` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save_ceremony(self, row: CeremonyRow) -> None:
        self._connection.execute(insert(ceremonies).values(row_values(row)))

    def find_ceremony(self, ceremony_id: str) -> CeremonyRow | None:
        return fetch_one(
            self._connection, ceremonies, CeremonyRow, ceremonies.c.ceremony_id == ceremony_id
        )

    def find_screen(self, screen_hash: bytes) -> CeremonyRow | None:
        return fetch_one(
            self._connection, ceremonies, CeremonyRow, ceremonies.c.screen_hash == screen_hash
        )

    def list_ceremonies(self, subject_tag: bytes, limit: int = 200) -> list[CeremonyRow]:
        query = (
            select_rows(ceremonies, CeremonyRow)
            .where(ceremonies.c.subject_tag == subject_tag)
            .order_by(ceremonies.c.created_at.desc(), ceremonies.c.ceremony_id)
            .limit(limit)
        )
        return build_rows(CeremonyRow, self._connection.execute(query).all())

    def list_overdue(
        self, states: Sequence[str], now: datetime, limit: int = 200
    ) -> list[CeremonyRow]:
        query = (
            select_rows(ceremonies, CeremonyRow)
            .where(ceremonies.c.state.in_(states), ceremonies.c.expires_at <= now)
            .order_by(ceremonies.c.expires_at)
            .limit(limit)
        )
        return build_rows(CeremonyRow, self._connection.execute(query).all())

    def advance_ceremony(self, before: CeremonyRow, after: CeremonyRow) -> bool:
        stored = replace(after, revision=before.revision + 1)
        change = (
            update(ceremonies)
            .where(
                ceremonies.c.ceremony_id == before.ceremony_id,
                ceremonies.c.revision == before.revision,
            )
            .values(row_values(stored))
        )
        return self._connection.execute(change).rowcount == 1

    def link_grant(self, row: GrantSubjectRow) -> None:
        held = select(grant_subjects.c.grant_id).where(
            grant_subjects.c.grant_id == row.grant_id,
            grant_subjects.c.subject_tag == row.subject_tag,
        )
        if self._connection.execute(held).first() is None:
            self._connection.execute(insert(grant_subjects).values(row_values(row)))

    def list_grants_of_subject(self, subject_tag: bytes, limit: int = 500) -> list[GrantSubjectRow]:
        query = (
            select_rows(grant_subjects, GrantSubjectRow)
            .where(grant_subjects.c.subject_tag == subject_tag)
            .order_by(grant_subjects.c.created_at.desc(), grant_subjects.c.grant_id)
            .limit(limit)
        )
        return build_rows(GrantSubjectRow, self._connection.execute(query).all())

    def list_grants_of_ceremony(self, ceremony_id: str) -> list[GrantId]:
        query = (
            select(grant_subjects.c.grant_id)
            .where(grant_subjects.c.ceremony_id == ceremony_id)
            .order_by(grant_subjects.c.grant_id)
        )
        return [GrantId(row.grant_id) for row in self._connection.execute(query)]

    def list_finds_of_subject(self, subject_tag: bytes, limit: int = 500) -> list[FindRow]:
        query = (
            select_rows(finds, FindRow)
            .join(grant_subjects, grant_subjects.c.grant_id == finds.c.grant_id)
            .where(grant_subjects.c.subject_tag == subject_tag)
            .order_by(finds.c.created_at.desc(), finds.c.request_digest)
            .limit(limit)
        )
        return build_rows(FindRow, self._connection.execute(query).all())

    def list_releases_of_subject(self, subject_tag: bytes, limit: int = 500) -> list[ReleaseRow]:
        query = (
            select_rows(releases, ReleaseRow)
            .join(grant_subjects, grant_subjects.c.grant_id == releases.c.grant_id)
            .where(grant_subjects.c.subject_tag == subject_tag)
            .order_by(releases.c.created_at.desc(), releases.c.request_digest)
            .limit(limit)
        )
        return build_rows(ReleaseRow, self._connection.execute(query).all())

    def store_challenge(
        self, challenge_hash: bytes, subject_tag: bytes, expires_at: datetime
    ) -> None:
        self._connection.execute(
            insert(passkey_challenges).values(
                challenge_hash=challenge_hash, subject_tag=subject_tag, expires_at=expires_at
            )
        )

    def take_challenge(self, challenge_hash: bytes, subject_tag: bytes, now: datetime) -> bool:
        taken = delete(passkey_challenges).where(
            passkey_challenges.c.challenge_hash == challenge_hash,
            passkey_challenges.c.subject_tag == subject_tag,
            passkey_challenges.c.expires_at > now,
        )
        return self._connection.execute(taken).rowcount == 1

    def find_oldest_challenge(self) -> datetime | None:
        query = select(passkey_challenges.c.expires_at).order_by(passkey_challenges.c.expires_at)
        found: datetime | None = self._connection.execute(query.limit(1)).scalar()
        return found

    def drop_challenges_before(self, now: datetime) -> int:
        old = delete(passkey_challenges).where(passkey_challenges.c.expires_at <= now)
        return self._connection.execute(old).rowcount

    def save_passkey(self, row: PasskeyRow) -> None:
        self._connection.execute(insert(passkeys).values(row_values(row)))

    def list_passkeys(self, subject_tag: bytes) -> list[PasskeyRow]:
        query = (
            select_rows(passkeys, PasskeyRow)
            .where(passkeys.c.subject_tag == subject_tag)
            .order_by(passkeys.c.created_at)
        )
        return build_rows(PasskeyRow, self._connection.execute(query).all())

    def find_passkey(self, credential_hash: bytes) -> PasskeyRow | None:
        return fetch_one(
            self._connection, passkeys, PasskeyRow, passkeys.c.credential_hash == credential_hash
        )

    def set_sign_count(self, credential_hash: bytes, before: int, after: int) -> bool:
        change = (
            update(passkeys)
            .where(passkeys.c.credential_hash == credential_hash, passkeys.c.sign_count == before)
            .values(sign_count=after)
        )
        return self._connection.execute(change).rowcount == 1

    def save_provider(self, row: ProviderRow) -> None:
        self._connection.execute(insert(identity_providers).values(row_values(row)))

    def list_providers(self) -> list[ProviderRow]:
        query = select_rows(identity_providers, ProviderRow).order_by(
            identity_providers.c.created_at.desc()
        )
        return build_rows(ProviderRow, self._connection.execute(query).all())

    def save_code(self, row: RevocationCodeRow) -> None:
        self._connection.execute(insert(revocation_codes).values(row_values(row)))

    def drop_codes(self, ceremony_id: str) -> None:
        self._connection.execute(
            delete(revocation_codes).where(revocation_codes.c.ceremony_id == ceremony_id)
        )

    def find_code(self, selector: str) -> RevocationCodeRow | None:
        return fetch_one(
            self._connection,
            revocation_codes,
            RevocationCodeRow,
            revocation_codes.c.selector == selector,
        )

    def set_failures(self, selector: str, failures: int, locked_until: datetime | None) -> None:
        self._connection.execute(
            update(revocation_codes)
            .where(revocation_codes.c.selector == selector)
            .values(failures=failures, locked_until=locked_until)
        )

    def save_revocation(self, row: RevocationRow) -> None:
        self._connection.execute(insert(revocation_requests).values(row_values(row)))

    def find_revocation(self, request_digest: bytes, direction: str) -> RevocationRow | None:
        return fetch_one(
            self._connection,
            revocation_requests,
            RevocationRow,
            revocation_requests.c.request_digest == request_digest,
            revocation_requests.c.direction == direction,
        )

    def count_revocations_since(self, city: CityId, direction: str, since: datetime) -> int:
        query = (
            select(func.count())
            .select_from(revocation_requests)
            .where(
                revocation_requests.c.city == city,
                revocation_requests.c.direction == direction,
                revocation_requests.c.at >= since,
            )
        )
        return int(self._connection.execute(query).scalar_one())

    def list_revocations_of_subject(self, subject_tag: bytes) -> list[RevocationRow]:
        query = (
            select_rows(revocation_requests, RevocationRow)
            .join(ceremonies, ceremonies.c.ceremony_id == revocation_requests.c.ceremony_id)
            .where(ceremonies.c.subject_tag == subject_tag)
            .order_by(revocation_requests.c.at.desc())
        )
        return build_rows(RevocationRow, self._connection.execute(query).all())
