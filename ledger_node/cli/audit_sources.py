"""What an audit reads: a city's own node, or trust file with endpoint or copy, and the tiles."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ledger_node.cli.inputs import MalformedArgumentError, read_input

if TYPE_CHECKING:
    from ledger_node.core.trust import Trust
    from ledger_node.core.types import CityId
    from ledger_node.flows.audit_chain import ChainReading
    from ledger_node.flows.auditing import ChainReplay
    from ledger_node.ports.audit import AuditFolder
    from ledger_node.ports.chain import ChainProfile
    from ledger_node.ports.contracts import Contracts

TrustOption = Annotated[
    Path | None, typer.Option("--trust", help="信任文件，无需节点 / trust file, no node needed")
]
RpcOption = Annotated[
    str | None, typer.Option("--rpc", help="链的 JSON-RPC 地址 / URL of the chain")
]
CopyOption = Annotated[
    Path | None, typer.Option("--copy", help="链副本目录，代替 --rpc / a copy of the chain instead")
]
WorkOption = Annotated[
    Path | None,
    typer.Option("--work", help="工作目录，中断后可续 / folder that keeps how far it is"),
]
TilesOption = Annotated[
    str | None, typer.Option("--tiles", help="日志镜像：目录或网址 / mirror: directory or URL")
]
BEAT_S = 1.0


@dataclass(frozen=True)
class Source:
    """An open source of the chain.

    Attributes:
        trust: As given.
        profile: What pins the chain.
        contracts: Views of storage; None for a copy.
        engine: What the endpoint calls itself.
        begin: Begins a pass up to a block (the newest final one for None).
    """

    trust: Trust
    profile: ChainProfile
    contracts: Contracts | None
    engine: str
    begin: Callable[[int | None], ChainReading]

    @property
    def kind(self) -> str:
        """`rpc` or `copy`."""
        return "copy" if self.contracts is None else "rpc"


@contextmanager
def open_source(
    trust: Path | None, rpc: str | None, copy: Path | None, work: Path | None
) -> Iterator[Source]:
    """Open what the options name.

    Raises:
        MalformedArgumentError: No trust file, or not exactly one of endpoint and copy.
    """
    if trust is None or (rpc is None) == (copy is None):
        raise MalformedArgumentError(
            "--trust/--rpc/--copy",
            "须给出 --trust，并在 --rpc 与 --copy 中择一",
            "--trust is needed, and either --rpc or --copy",
        )
    from ledger_node.core.types import BlockNumber
    from ledger_node.flows.audit_chain import open_chain as begin_chain
    from ledger_node.flows.audit_chain import open_copy
    from ledger_node.wiring import open_audit_folder, open_chain

    known = read_trust(trust)
    profile = profile_of(known)

    def number(at: int | None) -> BlockNumber | None:
        return None if at is None else BlockNumber(at)

    if rpc is None:
        assert copy is not None
        if not copy.is_dir():
            raise MalformedArgumentError("--copy", "不是目录", "it is no directory")
        folder = open_audit_folder(copy)
        yield Source(
            known, profile, None, "copy", lambda at: open_copy(folder, profile, at=number(at))
        )
        return
    kept = None if work is None else open_audit_folder(work)
    with open_chain(rpc, known.chain_id) as (chain, contracts):
        yield Source(
            known,
            profile,
            contracts,
            chain.fetch_engine(),
            lambda at: begin_chain(chain, profile, folder=kept, at=number(at)),
        )


def open_folder(work: Path | None) -> AuditFolder | None:
    """The auditor's folder, if one is named."""
    from ledger_node.wiring import open_audit_folder

    return None if work is None else open_audit_folder(work)


@contextmanager
def open_tiles(
    tiles: str | None, source: Source, replayed: ChainReplay
) -> Iterator[Callable[[CityId, str], bytes]]:
    """Public files of the logs: from one mirror, or from the members' registered addresses."""
    from ledger_node.wiring import open_log_files, open_mirrored_files

    if tiles is None:
        with open_log_files(replayed.url_of) as logs:
            yield logs.fetch_log_file
    else:
        with open_mirrored_files(tiles, source.trust.domain) as mirrored:
            yield mirrored.fetch_log_file


def read_trust(path: Path) -> Trust:
    """A trust file."""
    from ledger_node.core.trust_format import MAX_TRUST_BYTES, parse_trust

    return parse_trust(read_input(path, MAX_TRUST_BYTES))


def profile_of(trust: Trust) -> ChainProfile:
    """What pins the chain, as a trust file says it; reading starts at the first block.

    Raises:
        MalformedArgumentError: The trust file names no Membership contract.
    """
    from ledger_node.core.anchor import FinalityKind, FinalityPolicy
    from ledger_node.core.event_types import ContractRole
    from ledger_node.core.types import BlockNumber
    from ledger_node.ports.chain import ChainProfile

    for contract in trust.contracts:
        if contract.role is ContractRole.MEMBERSHIP:
            return ChainProfile(
                chain_id=trust.chain_id,
                genesis_hash=trust.genesis,
                membership=contract.registration.address,
                first_block=BlockNumber(0),
                finality=FinalityPolicy(FinalityKind.IMMEDIATE, 0),
            )
    raise MalformedArgumentError(
        "--trust", "中没有 Membership 合约", "the file names no Membership contract"
    )


@contextmanager
def show_progress(*, as_json: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Progress on standard error: a bar per stage for people, a JSON line a second for machines."""
    if as_json:
        yield _JsonLines().told
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(file=sys.stderr)) as bars:
        tasks = {}

        def told(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield told


class _JsonLines:
    """One line when a stage begins or ends, and about every second."""

    def __init__(self) -> None:
        self._stage, self._last_s = "", 0.0

    def told(self, stage: str, done: int, total: int) -> None:
        now_s = time.monotonic()
        if stage == self._stage and done < total and now_s - self._last_s < BEAT_S:
            return
        self._stage, self._last_s = stage, now_s
        line = {"stage": stage, "done": done, "total": total}
        sys.stderr.write(json.dumps(line) + "\n")
        sys.stderr.flush()
