"""What commands print and how they end: one JSON object or plain lines, four exit codes.

Exit codes: 0 holds, 1 does not hold, 2 bad input, 3 unavailable. The one error boundary of the
command line: no traceback ever reaches a user.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, ParamSpec

import typer
from rich.console import Console

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

HOLDS, DOES_NOT_HOLD, BAD_INPUT, UNAVAILABLE = 0, 1, 2, 3
INTERRUPTED = 130

_EXIT_BY_FAMILY: Mapping[type[LedgerError], int] = {
    MalformedInputError: BAD_INPUT,
    NotFoundError: BAD_INPUT,
    ConflictError: DOES_NOT_HOLD,
    NotPermittedError: DOES_NOT_HOLD,
    VerificationError: DOES_NOT_HOLD,
    UnavailableError: UNAVAILABLE,
    InvariantError: UNAVAILABLE,
}


class UsageError(MalformedInputError):
    """A command, option or argument is unknown or missing; the message says which."""

    code = "usage"

    def __init__(self, message_en: str) -> None:
        super().__init__("命令用法不对，请用 --help 查看。", message_en)


class ArgumentNotTextError(MalformedInputError):
    """An argument's bytes are no UTF-8 text."""

    code = "argument_not_text"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"参数 {name} 不是合格的文本。", f"{name}: not text in UTF-8.", argument=name
        )


JsonOption = Annotated[bool, typer.Option("--json", help="只输出一个 JSON 对象 / one JSON object")]

P = ParamSpec("P")


def exit_code_of(error: BaseException) -> int:
    """Exit code of an error by its family; 3 for anything that is not ours."""
    for family, code in _EXIT_BY_FAMILY.items():
        if isinstance(error, family):
            return code
    return UNAVAILABLE


def print_result(result: Mapping[str, Any], lines: list[str], *, as_json: bool) -> None:
    """Print a command's result: the object for machines, or lines for people."""
    if as_json:
        sys.stdout.write(json.dumps(result, ensure_ascii=False, sort_keys=True) + "\n")
    else:
        sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def print_error(error: BaseException, *, as_json: bool) -> None:
    """Say what is wrong and what to do, in both languages; never a traceback."""
    if isinstance(error, LedgerError):
        code, zh, en = error.code, error.message_zh, error.message_en
    else:
        code = "internal"
        zh = f"程序内部出错（{type(error).__name__}）。请保留现场并联系管理员。"
        en = f"Something is wrong inside the program ({type(error).__name__}); call a person."
    if as_json:
        body = {"error": {"code": code, "message_zh": zh, "message_en": en}}
        sys.stdout.write(json.dumps(body, ensure_ascii=False, sort_keys=True) + "\n")
    else:
        sys.stderr.write(f"{zh}\n{en}\n[{code}]\n")


def command(function: Callable[P, int | None]) -> Callable[P, None]:
    """Wrap a command: its return value is the exit code, its errors become sentences."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            _demand_text(kwargs)
            code = function(*args, **kwargs)
        except LedgerError as error:
            print_error(error, as_json=bool(kwargs.get("as_json", False)))
            raise typer.Exit(exit_code_of(error)) from None
        except (typer.Exit, typer.Abort):
            raise
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except Exception as error:  # noqa: BLE001 (the boundary: a person sees a sentence)
            print_error(error, as_json=bool(kwargs.get("as_json", False)))
            raise typer.Exit(UNAVAILABLE) from None
        raise typer.Exit(code or HOLDS)

    return run


def _demand_text(arguments: Mapping[str, object]) -> None:
    """Bytes that are no UTF-8 arrive as lone surrogates, which no store or message takes."""
    for name, value in arguments.items():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and not is_text(text):
                raise ArgumentNotTextError(name)


def is_text(text: str) -> bool:
    """Whether a text can be written as UTF-8."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


@contextmanager
def progress(zh: str, en: str) -> Iterator[Callable[[str], None]]:
    """Show on standard error how far something is; yields what takes the newest word on it."""
    with Console(file=sys.stderr).status(f"{zh} / {en}") as status:
        yield lambda text: status.update(f"{zh} / {en}  {text}")


@contextmanager
def waiting(zh: str, en: str) -> Iterator[None]:
    """Show on standard error that something takes a while."""
    with Console(file=sys.stderr).status(f"{zh} / {en}"):
        yield
