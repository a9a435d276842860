"""The one mapping from error families to HTTP: problem+json (RFC 9457) with stable codes.

An error that is not ours becomes 500 without detail; what happened goes to the operational log.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from ledger_node.core.errors import (
    ConflictError,
    InvariantError,
    LedgerError,
    MalformedInputError,
    NotFoundError,
    NotPermittedError,
    UnavailableError,
    VerificationError,
)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5

STATUS_BY_FAMILY: Mapping[type[LedgerError], int] = {
    MalformedInputError: 422,
    NotFoundError: 404,
    ConflictError: 409,
    NotPermittedError: 403,
    VerificationError: 422,
    UnavailableError: 503,
    InvariantError: 500,
}

# Where HTTP has a status of its own for what a family would answer.
STATUS_BY_CODE: Mapping[str, int] = {
    "not_signed_in": 401,
    "method_not_allowed": 405,
    "upload_too_large": 413,
    "request_too_large": 413,
    "brought_too_large": 413,
    "media_type_unsupported": 415,
    "unknown_host": 421,
    "rate_limited": 429,
}
RETRIED_CODES = frozenset({"request_in_progress"})

OURS_ZH = "本市节点内部出现问题，已停止处理并通知管理员。请稍后再试。"
OURS_EN = "Something is wrong inside this node; it has stopped and told a person. Try later."


def status_of(error: BaseException) -> int:
    """HTTP status of an error by its code or family; 500 for anything that is not ours."""
    if isinstance(error, LedgerError) and error.code in STATUS_BY_CODE:
        return STATUS_BY_CODE[error.code]
    for family, status in STATUS_BY_FAMILY.items():
        if isinstance(error, family):
            return status
    return 500


def build_problem(
    error: BaseException, status: int | None = None, request_id: str | None = None
) -> tuple[int, bytes, dict[str, str]]:
    """Status (that of the error's family unless given), body and extra headers of the problem
    answer for an error. The problem names the request, and the field if one is wrong."""
    status = status or status_of(error)
    if isinstance(error, LedgerError) and status != 500:
        code, detail, detail_zh = error.code, error.message_en, error.message_zh
    else:
        code, detail, detail_zh = "internal", OURS_EN, OURS_ZH
    body = {
        "type": f"urn:tongban:problem:{code}",
        "title": code,
        "status": status,
        "code": code,
        "detail": detail,
        "detail_zh": detail_zh,
    }
    if request_id is not None:
        body["request_id"] = request_id
    if isinstance(error, LedgerError) and status != 500:
        field = error.fields.get("field")
        body |= {"field": field} if isinstance(field, str) else {}
    headers = _build_headers(error, status, code)
    return status, json.dumps(body, ensure_ascii=False, sort_keys=True).encode(), headers


def _build_headers(error: BaseException, status: int, code: str) -> dict[str, str]:
    if status == 401:
        return {"WWW-Authenticate": 'Bearer realm="tongban"'}
    if status in (429, 503) or code in RETRIED_CODES:
        after_s = error.fields.get("retry_after_s") if isinstance(error, LedgerError) else None
        return {"Retry-After": str(after_s if isinstance(after_s, int) else RETRY_AFTER_S)}
    return {}
