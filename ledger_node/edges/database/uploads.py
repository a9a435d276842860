"""Group `uploads`: slots for documents on their way to a material."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from ledger_node.edges.database.rows import build_rows, fetch_one, row_values, select_rows
from ledger_node.edges.database.tables_api import uploads
from ledger_node.ports.database_api import UploadRow, UploadState


class SqlUploads:
    """`UploadGroup` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save_upload(self, row: UploadRow) -> None:
        """One slot."""
        self._connection.execute(insert(uploads).values(row_values(row)))

    def find_upload(self, upload_id: str) -> UploadRow | None:
        """One slot by id."""
        return fetch_one(self._connection, uploads, UploadRow, uploads.c.upload_id == upload_id)

    def count_uploads(self, account_id: str) -> int:
        """Not used ones."""
        statement = select(func.count(uploads.c.upload_id)).where(
            uploads.c.account_id == account_id, uploads.c.state != UploadState.USED
        )
        return int(self._connection.execute(statement).scalar_one())

    def store_upload(self, upload_id: str, digest_tag: bytes, size_bytes: int) -> bool:
        """Who is first stores."""
        moved = self._connection.execute(
            update(uploads)
            .where(uploads.c.upload_id == upload_id, uploads.c.state == UploadState.OPEN)
            .values(state=UploadState.STORED, digest_tag=digest_tag, size_bytes=size_bytes)
        )
        return moved.rowcount == 1

    def use_uploads(self, upload_ids: Sequence[str], material_id: str) -> int:
        """All that are stored."""
        moved = self._connection.execute(
            update(uploads)
            .where(uploads.c.upload_id.in_(upload_ids), uploads.c.state == UploadState.STORED)
            .values(state=UploadState.USED, material_id=material_id)
        )
        return moved.rowcount

    def list_uploads_before(self, at: datetime, limit: int) -> list[UploadRow]:
        """By expiry, oldest first."""
        statement = (
            select_rows(uploads, UploadRow)
            .where(uploads.c.expires_at < at)
            .order_by(uploads.c.expires_at)
            .limit(limit)
        )
        return build_rows(UploadRow, self._connection.execute(statement).all())

    def drop_upload(self, upload_id: str) -> None:
        """The row; its file goes before it."""
        self._connection.execute(delete(uploads).where(uploads.c.upload_id == upload_id))
