"""Cases of systems without an interface: JSON files put into a watched folder, results beside.

Step 10. Spec: docs/spec/systems.md, "Watched folder". A file is claimed by an atomic rename and
settled after its case is stored; a file claimed by a killed process is taken up again, and handing
the same content in twice changes nothing.

Crash order: claimed -> case, step in one commit -> result durable -> file removed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from pathlib import Path
from typing import Final

import structlog

from ledger_node.core.canonical import JsonObject, encode_canonical
from ledger_node.core.case import read_case_file
from ledger_node.core.errors import (
    ConflictError,
    LedgerError,
    MalformedInputError,
    UnavailableError,
)
from ledger_node.flows.case_intake import hand_in
from ledger_node.flows.node import Node
from ledger_node.ports.case_folder import CaseFolders, CaseFolderUnavailableError, ClaimedFile
from ledger_node.ports.case_systems import CaseSystem, CaseSystems

RESULT_VERSION: Final = "tongban/case-result/v1"
BATCH: Final = 50
QUIET_S: Final = 10.0  # a damaged file that nobody writes to any more is refused after it
_NUMBER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class CaseFileDamagedError(MalformedInputError):
    """The file is no JSON, no regular file, or too large."""

    code = "case_file_damaged"


def resume_case_folders(
    node: Node, systems: CaseSystems, folders: CaseFolders, items: Collection[str]
) -> int:
    """Take in what lies in the folders; returns how many files were settled.

    Args:
        items: Codes of the catalogue in force.
    """
    settled = 0
    for system in systems.systems.values():
        if system.folder is None:
            continue
        try:
            settled += _take_folder(node, system, system.folder, folders, items)
        except CaseFolderUnavailableError as error:  # the other folders go on
            structlog.get_logger().warning(
                "case_folder_away", system=system.system, code=error.code
            )
    return settled


def _take_folder(
    node: Node, system: CaseSystem, folder: Path, folders: CaseFolders, items: Collection[str]
) -> int:
    settled = 0
    for file in folders.claim(folder, BATCH):
        try:
            result, refused = _take_in(node, system, file, items), False
        except CaseFileDamagedError as error:
            if not folders.was_quiet_since(file, node.clock.now().timestamp() - QUIET_S):
                continue  # perhaps its writer did not rename and is still at it
            result, refused = _describe_refusal(file, error), True
        except (UnavailableError, ConflictError):
            continue  # the next turn takes it up again
        except LedgerError as error:
            result, refused = _describe_refusal(file, error), True
        folders.settle(folder, file, encode_canonical(result), refused=refused)
        settled += 1
    return settled


def _take_in(
    node: Node, system: CaseSystem, file: ClaimedFile, items: Collection[str]
) -> JsonObject:
    try:
        value = json.loads(file.content or b"")
        number, body = read_case_file(value)
        content = encode_canonical(body)
    except (ValueError, RecursionError) as error:
        raise CaseFileDamagedError(
            "文件不是完整的 JSON，或超过 64 KiB。",
            "The file is no complete JSON, or exceeds 64 KiB.",
        ) from error
    if _NUMBER.fullmatch(number) is None:
        raise MalformedInputError("办件编号格式不对。", "No case number.", field="number")
    handed = hand_in(
        node,
        system.states,
        number,
        content,
        items,
        by=f"folder:{system.system}",
    )
    row = handed.case.row
    return {
        "v": RESULT_VERSION,
        "file": file.name,
        "outcome": "taken",
        "case": row.number,
        "stage": row.stage,
        "revision": row.revision,
    }


def _describe_refusal(file: ClaimedFile, error: LedgerError) -> JsonObject:
    structlog.get_logger().warning("case_file_refused", code=error.code)
    return {
        "v": RESULT_VERSION,
        "file": file.name,
        "outcome": "refused",
        "code": error.code,
        "zh": error.message_zh,
        "en": error.message_en,
    }
