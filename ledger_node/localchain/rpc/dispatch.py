"""JSON-RPC 2.0 envelope: bytes in, bytes out, never an exception.

Spec: https://www.jsonrpc.org/specification (batches and notifications included).
"""

from __future__ import annotations

import inspect
import json
import re
import traceback
from collections.abc import Callable, Mapping

from ledger_node.localchain.report import report
from ledger_node.localchain.rpc.errors import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    RpcError,
    invalid_params,
)

MAX_BATCH = 1_000
MAX_NESTING = 32
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")
Method = Callable[..., object]


class Dispatcher:
    """Methods by name."""

    def __init__(self, methods: Mapping[str, Method]) -> None:
        self._methods = {name: _Handler(method) for name, method in methods.items()}

    def answer(self, body: bytes) -> bytes | None:
        """Answer one request or batch; None when nothing is to be answered (notifications)."""
        try:
            _refuse_deep(body)
            request = json.loads(body, parse_constant=_refuse_constant)
        except ValueError:
            return encode_failure(RpcError(PARSE_ERROR, "parse error"))
        if not isinstance(request, list):
            found = self._answer_one(request)
            return _encode(found) if found is not None else None
        if not 0 < len(request) <= MAX_BATCH:
            return encode_failure(
                RpcError(INVALID_REQUEST, f"a batch holds 1 to {MAX_BATCH} requests")
            )
        answers = [found for item in request if (found := self._answer_one(item)) is not None]
        return _encode(answers) if answers else None

    def _answer_one(self, request: object) -> dict[str, object] | None:
        if not _is_request(request):
            known = request.get("id") if isinstance(request, dict) else None
            request_id = known if _is_id(known) else None
            return _failure(request_id, RpcError(INVALID_REQUEST, "invalid request"))
        assert isinstance(request, dict)
        answer = self._run(request)
        return answer if "id" in request else None

    def _run(self, request: dict[str, object]) -> dict[str, object]:
        request_id = request.get("id")
        try:
            result = self._call(str(request["method"]), request.get("params", []))
        except RpcError as error:
            return _failure(request_id, error)
        except Exception as error:  # noqa: BLE001 -- the last net: an answer, never a traceback
            report(
                "rpc_failed",
                method=str(request["method"]),
                error=repr(error),
                where=traceback.format_exc(limit=-3),
            )
            return _failure(request_id, RpcError(INTERNAL_ERROR, "internal error"))
        return {"jsonrpc": "2.0", "id": request_id, "result": result}

    def _call(self, name: str, params: object) -> object:
        handler = self._methods.get(name)
        if handler is None:
            raise RpcError(METHOD_NOT_FOUND, f"the method {name[:100]} is not available")
        if not isinstance(params, list):
            raise invalid_params("params must be a list")
        return handler(params)


class _Handler:
    """A method with the number of parameters it takes."""

    def __init__(self, method: Method) -> None:
        self._method = method
        kinds = [] if method is list else list(inspect.signature(method).parameters.values())
        self._most = len(kinds)
        self._least = sum(1 for kind in kinds if kind.default is inspect.Parameter.empty)

    def __call__(self, params: list[object]) -> object:
        if not self._least <= len(params) <= self._most:
            raise invalid_params(f"takes {self._least} to {self._most} params, got {len(params)}")
        return self._method(*params)


def _is_request(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.get("jsonrpc") == "2.0"
        and isinstance(value.get("method"), str)
        and isinstance(value.get("params", []), list | dict)
        and _is_id(value.get("id"))
    )


def _is_id(value: object) -> bool:
    return value is None or (isinstance(value, str | int | float) and not isinstance(value, bool))


def encode_failure(error: RpcError) -> bytes:
    """An answer to a request that could not be read."""
    return _encode(_failure(None, error))


def _failure(request_id: object, error: RpcError) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": request_id, "error": error.as_object()}


def _refuse_deep(body: bytes) -> None:
    """Refuse nesting before the parser recurses.

    py-evm raises the interpreter's recursion limit for its own calls; with it, the C parser of
    `json` overflows the stack on a few hundred kilobytes of brackets and takes the process down.
    """
    if body.count(b"[") + body.count(b"{") <= MAX_NESTING:
        return
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", body)):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_NESTING:
            raise ValueError("nested too deeply")


def _refuse_constant(name: str) -> object:
    raise ValueError(name)


def _encode(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
