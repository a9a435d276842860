"""JSON-RPC over HTTP that believes only answers to its own questions.

web3's provider carries the request; ids, shapes and errors are checked here, because web3 hands
on an answer with another request's id and retries on its own clock. No redirects, no proxies
from the environment, no CCIP reads, no caching.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError as TransportError
from web3 import HTTPProvider
from web3.types import RPCEndpoint

from ledger_node.ports.chain import ChainUnavailableError

BATCH_LIMIT: Final = 200
_POOL_CONNECTIONS: Final = 8
_NULL_ID: Final = (None,)


class RpcAnswerError(Exception):
    """The endpoint understood the question and answered with an error object."""

    def __init__(self, code: int, message: str, data: object) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.data = data


class Rpc(HTTPProvider):
    """One endpoint; safe to share between threads.

    Promises: a result belongs to the question asked; anything else raises
    `ChainUnavailableError` (nobody knows) or `RpcAnswerError` (the endpoint said no).
    """

    def __init__(self, url: str, timeout_s: float) -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=_POOL_CONNECTIONS)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        super().__init__(
            url,
            request_kwargs={"timeout": timeout_s, "allow_redirects": False},
            session=self._session,
            exception_retry_configuration=None,
        )
        self._ids = itertools.count(1)

    def close(self) -> None:
        self._session.close()

    def ask(self, method: str, params: Sequence[object]) -> Any:
        """One question, one result.

        Raises:
            ChainUnavailableError: No answer, or not one to this question.
            RpcAnswerError: The endpoint answered with an error.
        """
        question = self._question(method, params)
        answer = self._post(method, question)
        return _unwrap(answer, question["id"])

    def ask_all(self, questions: Sequence[tuple[str, Sequence[object]]]) -> list[Any]:
        """Results in the order of the questions; raises as `ask` for the first that failed."""
        return [_raised(result) for result in self.try_all(questions)]

    def try_all(self, questions: Sequence[tuple[str, Sequence[object]]]) -> list[Any]:
        """As `ask_all`, but an error object stands as an `RpcAnswerError` in its place."""
        results: list[Any] = []
        for start in range(0, len(questions), BATCH_LIMIT):
            results += self._ask_batch(questions[start : start + BATCH_LIMIT])
        return results

    def _ask_batch(self, questions: Sequence[tuple[str, Sequence[object]]]) -> list[Any]:
        batch = [self._question(method, params) for method, params in questions]
        answers = self._post(questions[0][0], batch)
        if isinstance(answers, dict):  # the whole batch was refused
            _unwrap(answers, None)
        if not isinstance(answers, list) or len(answers) != len(batch):
            raise ChainUnavailableError("batch answer incomplete")
        by_id = {answer.get("id"): answer for answer in answers if isinstance(answer, dict)}
        if len(by_id) != len(batch):
            raise ChainUnavailableError("batch answer with wrong ids")
        return [_try_unwrap(by_id.get(question["id"]), question["id"]) for question in batch]

    def _question(self, method: str, params: Sequence[object]) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": list(params)}

    def _post(self, method: str, body: object) -> Any:
        data = json.dumps(body, separators=(",", ":")).encode("ascii")
        try:
            return json.loads(self._post_once_more(RPCEndpoint(method), data))
        except (requests.RequestException, TransportError, OSError) as error:
            raise ChainUnavailableError(type(error).__name__) from error
        except (ValueError, RecursionError) as error:
            raise ChainUnavailableError("answer is not JSON") from error

    def _post_once_more(self, method: RPCEndpoint, data: bytes) -> bytes:
        """A kept-alive connection may have been closed by a restart: try once on a new one.

        Every question may be asked twice, transactions included: their bytes are the same.
        """
        try:
            return self._make_request(method, data)
        except requests.Timeout:
            raise
        except requests.ConnectionError:
            return self._make_request(method, data)


def _unwrap(answer: Any, question_id: int | None) -> Any:
    if not isinstance(answer, dict):
        raise ChainUnavailableError("answer is not an object")
    error = answer.get("error")
    if error is not None:
        if answer.get("id") not in (question_id, *_NULL_ID):
            raise ChainUnavailableError("answer to another question")
        raise _parse_error(error)
    if question_id is None or answer.get("id") != question_id:
        raise ChainUnavailableError("answer to another question")
    if "result" not in answer:
        raise ChainUnavailableError("answer without a result")
    return answer["result"]


def _try_unwrap(answer: Any, question_id: int) -> Any:
    try:
        return _unwrap(answer, question_id)
    except RpcAnswerError as error:
        return error


def _raised(result: Any) -> Any:
    if isinstance(result, RpcAnswerError):
        raise result
    return result


def _parse_error(error: Any) -> RpcAnswerError:
    if not isinstance(error, dict):
        return RpcAnswerError(0, str(error), None)
    code = error.get("code")
    return RpcAnswerError(
        code if isinstance(code, int) else 0, str(error.get("message", "")), error.get("data")
    )
