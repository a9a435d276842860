"""Groups `accounts` and `trail`: who may sign in, who is signed in, who read what."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, insert, select, true, update

from ledger_node.core.errors import NotFoundError
from ledger_node.core.trail import TrailAction
from ledger_node.edges.database.rows import build_rows, fetch_one, row_values, select_rows
from ledger_node.edges.database.tables_accounts import (
    access_log,
    accounts,
    login_states,
    outlets,
    sessions,
    staff_passkeys,
)
from ledger_node.ports.database_accounts import (
    AccessRow,
    AccountRow,
    LoginStateRow,
    OutletRow,
    SessionRow,
    StaffPasskeyRow,
)


class AccountNotFoundError(NotFoundError):
    """This city has no such account."""

    code = "account_not_found"


class SqlAccounts:
    """`ports.database_accounts.AccountGroup` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save_outlet(self, row: OutletRow) -> None:
        self._connection.execute(insert(outlets).values(row_values(row)))

    def list_outlets(self) -> list[OutletRow]:
        query = select_rows(outlets, OutletRow).order_by(outlets.c.outlet)
        return build_rows(OutletRow, self._connection.execute(query).all())

    def save_account(self, row: AccountRow) -> None:
        self._connection.execute(insert(accounts).values(row_values(row)))

    def update_account(self, row: AccountRow) -> None:
        query = update(accounts).where(accounts.c.account_id == row.account_id)
        self._connection.execute(query.values(row_values(row)))

    def load_account(self, account_id: str) -> AccountRow:
        row = fetch_one(self._connection, accounts, AccountRow, accounts.c.account_id == account_id)
        if row is None:
            raise AccountNotFoundError("没有这个账号。", "There is no such account.")
        return row

    def find_by_login(self, login: str) -> AccountRow | None:
        return fetch_one(self._connection, accounts, AccountRow, accounts.c.login == login)

    def find_by_key(self, key_hash: bytes) -> AccountRow | None:
        return fetch_one(self._connection, accounts, AccountRow, accounts.c.key_hash == key_hash)

    def find_by_external(self, external_tag: bytes) -> AccountRow | None:
        return fetch_one(
            self._connection, accounts, AccountRow, accounts.c.external_tag == external_tag
        )

    def list_accounts(self, after: str, limit: int) -> list[AccountRow]:
        query = select_rows(accounts, AccountRow).where(accounts.c.login > after)
        records = self._connection.execute(query.order_by(accounts.c.login).limit(limit))
        return build_rows(AccountRow, records.all())

    def find_logins(self, account_ids: Collection[str]) -> dict[str, str]:
        columns = (accounts.c.account_id, accounts.c.login)
        query = select(*columns).where(accounts.c.account_id.in_(sorted(account_ids)))
        return {row.account_id: row.login for row in self._connection.execute(query)}

    def set_lock(self, account_id: str, failures: int, locked_until: datetime | None) -> None:
        query = update(accounts).where(accounts.c.account_id == account_id)
        self._connection.execute(query.values(failures=failures, locked_until=locked_until))

    def take_totp_step(self, account_id: str, step: int) -> bool:
        query = update(accounts).where(
            accounts.c.account_id == account_id, accounts.c.totp_step < step
        )
        return self._connection.execute(query.values(totp_step=step)).rowcount == 1

    def save_staff_passkey(self, row: StaffPasskeyRow) -> None:
        self._connection.execute(insert(staff_passkeys).values(row_values(row)))

    def find_staff_passkey(self, credential_hash: bytes) -> StaffPasskeyRow | None:
        where = staff_passkeys.c.credential_hash == credential_hash
        return fetch_one(self._connection, staff_passkeys, StaffPasskeyRow, where)

    def list_staff_passkeys(self, account_id: str) -> list[StaffPasskeyRow]:
        query = select_rows(staff_passkeys, StaffPasskeyRow).where(
            staff_passkeys.c.account_id == account_id
        )
        order = (staff_passkeys.c.created_at, staff_passkeys.c.credential_hash)
        return build_rows(StaffPasskeyRow, self._connection.execute(query.order_by(*order)).all())

    def take_passkey_count(self, credential_hash: bytes, before: int, after: int) -> bool:
        query = update(staff_passkeys).where(
            staff_passkeys.c.credential_hash == credential_hash,
            staff_passkeys.c.sign_count == before,
        )
        return self._connection.execute(query.values(sign_count=after)).rowcount == 1

    def drop_staff_passkeys(self, account_id: str, credential_hash: bytes | None = None) -> int:
        query = delete(staff_passkeys).where(staff_passkeys.c.account_id == account_id)
        if credential_hash is not None:
            query = query.where(staff_passkeys.c.credential_hash == credential_hash)
        return self._connection.execute(query).rowcount

    def save_session(self, row: SessionRow) -> None:
        self._connection.execute(insert(sessions).values(row_values(row)))

    def find_session(self, session_hash: bytes) -> SessionRow | None:
        return fetch_one(
            self._connection, sessions, SessionRow, sessions.c.session_hash == session_hash
        )

    def touch_session(self, session_hash: bytes, seen_at: datetime) -> None:
        query = update(sessions).where(sessions.c.session_hash == session_hash)
        self._connection.execute(query.values(seen_at=seen_at))

    def claim_check(self, session_hash: bytes, before: datetime, after: datetime) -> bool:
        query = update(sessions).where(
            sessions.c.session_hash == session_hash, sessions.c.checked_at == before
        )
        return self._connection.execute(query.values(checked_at=after)).rowcount == 1

    def keep_refresh(self, session_hash: bytes, sealed_refresh: bytes) -> None:
        query = update(sessions).where(sessions.c.session_hash == session_hash)
        self._connection.execute(query.values(sealed_refresh=sealed_refresh))

    def end_session(self, session_hash: bytes) -> None:
        query = delete(sessions).where(sessions.c.session_hash == session_hash)
        self._connection.execute(query)

    def end_sessions_of(self, account_id: str) -> int:
        query = delete(sessions).where(sessions.c.account_id == account_id)
        return self._connection.execute(query).rowcount

    def list_sessions_of(self, account_id: str) -> list[SessionRow]:
        query = select_rows(sessions, SessionRow).where(sessions.c.account_id == account_id)
        records = self._connection.execute(query.order_by(sessions.c.created_at))
        return build_rows(SessionRow, records.all())

    def delete_expired(self, now: datetime) -> int:
        ended = self._connection.execute(delete(sessions).where(sessions.c.expires_at <= now))
        stale = delete(login_states).where(login_states.c.expires_at <= now)
        return ended.rowcount + self._connection.execute(stale).rowcount

    def save_login_state(self, row: LoginStateRow) -> None:
        self._connection.execute(insert(login_states).values(row_values(row)))

    def take_login_state(self, state_hash: bytes) -> LoginStateRow | None:
        where = login_states.c.state_hash == state_hash
        row = fetch_one(self._connection, login_states, LoginStateRow, where)
        if row is None or self._connection.execute(delete(login_states).where(where)).rowcount != 1:
            return None
        return row


class SqlTrail:
    """`ports.database_accounts.TrailGroup` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def log_access(
        self, at: datetime, account_id: str, action: TrailAction, object_kind: str, object_id: str
    ) -> None:
        row = AccessRow(at, account_id, action, object_kind, object_id)
        self._connection.execute(insert(access_log).values(row_values(row)))

    def list_access(self, before: int | None, limit: int) -> Sequence[tuple[int, AccessRow]]:
        below = true() if before is None else access_log.c.access_id < before
        return self._list(below, limit)

    def list_access_of(
        self, object_kind: str, object_id: str, limit: int
    ) -> Sequence[tuple[int, AccessRow]]:
        of = (access_log.c.object_kind == object_kind) & (access_log.c.object_id == object_id)
        return self._list(of, limit)

    def _list(self, where: ColumnElement[bool], limit: int) -> Sequence[tuple[int, AccessRow]]:
        columns = [access_log.c[name] for name in AccessRow.__slots__]
        query = select(access_log.c.access_id, *columns).where(where)
        records = self._connection.execute(
            query.order_by(access_log.c.access_id.desc()).limit(limit)
        )
        return [(record[0], AccessRow(*record[1:])) for record in records]
