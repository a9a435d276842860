"""The whole way of one material, told: registered in Wuhou, relied on in Mianyang, then attacked.

Everything is real: a chain process, five node processes talking HTTP, files on disk. The story ends
with 1 when anything it claims does not hold.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ledger_node.core.errors import NotFoundError
from ledger_node.core.evidence_parts import OfficerRole
from ledger_node.core.find_messages import Candidate
from ledger_node.core.receipt_v1 import encode_receipt_of_any_version
from ledger_node.core.release import IncomingState
from ledger_node.core.trust_format import parse_trust
from ledger_node.core.types import Commitment, Digest, GrantId
from ledger_node.core.verdict import LineState
from ledger_node.core.verify import verify_receipt
from ledger_node.demo import cheats
from ledger_node.demo.papers import Paper, Person, build_papers
from ledger_node.demo.stage import Stage
from ledger_node.demo.telling import CheckFailedError, Teller, demand
from ledger_node.demo.window import Window
from ledger_node.flows.auditing import replay_ledger
from ledger_node.flows.finding import FindOutcome, find_materials
from ledger_node.flows.granting import revoke_grant
from ledger_node.flows.intake import Registered
from ledger_node.flows.receipts import build_registration_receipt
from ledger_node.flows.receiving import open_document
from ledger_node.flows.relying import complete_receipt, rely
from ledger_node.flows.trusting import build_trust_file
from ledger_node.seed import load_catalogue
from ledger_node.wiring import configure_logging

CITIZEN = Person("何雨晴", "510107199003070049")
OWN_FILE_TYPE = "marriage-cert"
NOT_SHOWN = (
    (
        "单机链由一个进程出块，不展示多城验证者的容错；联盟用 QBFT 网络。",
        "The local chain has one operator; fault tolerance of validators is for a QBFT network.",
    ),
    (
        "窗口页面、读卡器与市民手机确认不在本演示中；证据为柜台类。",
        "Pages, card readers and phones are not shown; evidence is of the counter kind.",
    ),
    (
        "城市间未用 TLS（同一台机器）；文件内容真伪由签发单位负责。",
        "No TLS on one machine; whether a paper tells the truth is its issuer's word.",
    ),
)


class DemoFileError(NotFoundError):
    """A file given for the demonstration cannot be read."""

    code = "demo_file_missing"


def run_demo(
    keep: Path | None, files: Sequence[Path], *, as_json: bool = False
) -> tuple[int, dict[str, Any]]:
    """Run the demonstration.

    Args:
        keep: Directory to leave everything in; a temporary one is removed otherwise.
        files: Documents to register instead of the made ones.
        as_json: Print nothing; the caller prints the result.

    Returns:
        Exit code (0 everything held, 1 something did not) and the result for machines.

    Raises:
        DemoFileError: A file cannot be read.
        UnavailableError: A process of the stage did not start.
    """
    configure_logging(json_lines=True)
    papers = [_paper_of(path) for path in files] or build_papers(CITIZEN)
    with _directory(keep) as path:
        stage = Stage(path)
        teller = Teller(stage.clock.monotonic_s, quiet=as_json)
        began_s = stage.clock.monotonic_s()
        problem = None
        attempts: list[cheats.Attempt] = []
        try:
            attempts = _Story(stage, teller, papers).tell()
        except CheckFailedError as error:
            problem = str(error)
            teller.say(f"\n[red]✗ {problem}[/red]")
        finally:
            stage.close()
        seconds = round(stage.clock.monotonic_s() - began_s, 1)
        if problem is None:
            _close(teller, seconds, keep)
    return (0 if problem is None else 1), {
        "holds": problem is None,
        "problem": problem,
        "seconds": seconds,
        "steps": [
            {"name": s.name, "zh": s.zh, "en": s.en, "checks": s.checks, "seconds": s.seconds}
            for s in teller.steps
        ],
        "attempts": [
            {"name": a.name, "zh": a.zh, "en": a.en, "refused": a.refused, "reason": a.reason}
            for a in attempts
        ],
        "not_shown": [en for _, en in NOT_SHOWN],
    }


class _Story:
    """One telling; later steps use what earlier ones left."""

    def __init__(self, stage: Stage, teller: Teller, papers: Sequence[Paper]) -> None:
        self.stage = stage
        self.teller = teller
        self.papers = papers
        self.wuhou = Window(stage, "wuhou")
        self.mianyang = Window(stage, "mianyang")
        self.registered: list[Registered] = []
        self.grants: tuple[GrantId, ...] = ()
        self.candidates: tuple[Candidate, ...] = ()
        self.release = b""
        self.receipt = b""
        self.trust = b""

    def tell(self) -> list[cheats.Attempt]:
        """All steps in order; returns the attempts to cheat."""
        self.found()
        self.intake()
        self.anchor()
        self.terms()
        self.find()
        self.grant_and_release()
        self.rely()
        attempts = self.cheat()
        self.revoke()
        self.audit()
        return attempts

    def found(self) -> None:
        with self.teller.step(
            "govern",
            "五座城市建链入盟：各自生成密钥，表决登记合约",
            "Five cities found the consortium: own keys, contracts registered by vote",
        ) as step:
            self.stage.start_chain()
            deployment = self.stage.found()
            self.stage.start_nodes()
            demand(
                step,
                len(deployment.contracts) == 3,
                "三份合约经五城表决生效",
                "three contracts in force by the votes of five cities",
            )
            demand(
                step,
                len(self.stage.processes) == 6,
                "一条链、五个节点进程在本机运行",
                "one chain and five node processes run on this machine",
            )

    def intake(self) -> None:
        with self.teller.step(
            "intake",
            f"武侯窗口收下{CITIZEN.name}的 {len(self.papers)} 份材料：加密、承诺、登记",
            "The window in Wuhou takes the papers: sealed, committed to, registered",
        ) as step:
            self.registered = [self.wuhou.register(paper, CITIZEN) for paper in self.papers]
            digests = [hashlib.sha256(paper.content).digest() for paper in self.papers]
            got = [each.digests[0] for each in self.registered]
            demand(step, got == digests, "摘要与原件一致", "digests equal those of the originals")
            node = self.stage.open("wuhou").node
            pending = build_registration_receipt(node, self.registered[0].material_id)
            demand(
                step,
                pending.signature,
                "登记凭证已签发（待存证）",
                "registration receipt signed (pending)",
            )
            demand(
                step,
                not _appears_below(self.stage.path / "wuhou" / "documents", self.papers),
                "文件库里找不到明文",
                "no plaintext in the document store",
            )

    def anchor(self) -> None:
        commitments = [each.commitment for each in self.registered]
        with self.teller.step(
            "anchor",
            "编号入日志，树头上链；合约核对日志只增不改",
            "Entries get their index, the tree head goes on chain; the contract checks growth",
        ) as step:
            self.stage.wait(lambda: self.wuhou.is_anchored(commitments), "anchor")
            node = self.stage.open("wuhou").node
            receipt = build_registration_receipt(node, self.registered[0].material_id)
            demand(
                step,
                receipt.seal is not None,
                "凭证补上序号、包含证明与上链位置",
                "the receipt now has leaf index, inclusion proof and anchor facts",
            )
            verdict = verify_receipt(
                encode_receipt_of_any_version(receipt), parse_trust(build_trust_file(node))
            )
            demand(step, verdict.state is LineState.HOLDS, "离线核验通过", "it verifies offline")

    def terms(self) -> None:
        with self.teller.step(
            "grant",
            "绵阳柜台：本人签字同意，两名经办人签名，一城一份授权",
            "At the counter in Mianyang: the person signs, two officers sign, one grant per city",
        ) as step:
            enrolled = [
                self.mianyang.enrol("my-registrar-01", OfficerRole.REGISTRAR),
                self.mianyang.enrol("my-supervisor-01", OfficerRole.SUPERVISOR),
            ]
            self.stage.wait(lambda: self.mianyang.is_anchored(enrolled), "credentials")
            self.stage.clock.sleep(1.1)  # a credential counts from the second after its block on
            self.grants = self.mianyang.consent(
                CITIZEN, self._others(), self._types(), "MY-2026-000118"
            )
            demand(
                step,
                len(self.grants) == 4,
                "四份授权，一次签字；经办人凭据已先行存证",
                "four grants, one signature; officers' credentials anchored before",
            )

    def find(self) -> None:
        with self.teller.step(
            "find",
            "绵阳向另外四城查询：只问有无，不取内容",
            "Mianyang asks the four other cities what exists; no content moves",
        ) as step:
            node = self.stage.open("mianyang").node
            outcomes: list[FindOutcome] = find_materials(node, self.grants, "my-registrar-01")
            answered = [each for each in outcomes if each.outcome == "answered"]
            demand(step, len(answered) == 4, "四城均已答复", "all four cities answered")
            found = {each.city: each.candidates for each in answered}
            self.candidates = found[self.wuhou.city]
            demand(
                step,
                len(self.candidates) == len(self.papers),
                f"武侯有 {len(self.candidates)} 份，其余三城答“没有”",
                "Wuhou holds them, the other three answer: nothing",
            )
            others = [each for city, each in found.items() if city != self.wuhou.city]
            demand(
                step,
                not any(others),
                "“没有”也是答复，双方均留查阅记录",
                "nothing found is an answer; both sides keep an access entry",
            )

    def grant_and_release(self) -> None:
        grant_id = self._grant_for_wuhou()
        with self.teller.step(
            "release",
            "授权上链，链先记下放行许可，武侯才交出密钥与披露项",
            "The grant is recorded; only after the chain's permit does Wuhou hand over keys",
        ) as step:
            self.mianyang.record(grant_id)
            row = self.mianyang.request(grant_id, self.candidates)
            demand(
                step,
                row.state == IncomingState.ACKNOWLEDGED,
                "许可已确认，文件逐一核对摘要后签回执",
                "permit final, every document's digest matched, acknowledged",
            )
            self.release = row.request_digest
            node = self.stage.open("mianyang").node
            with tempfile.TemporaryDirectory(dir=self.stage.path) as folder:
                target = Path(folder) / "paper"
                open_document(node, self.release, self.candidates[0].commitment, 0, target)
                content = target.read_bytes()
            demand(
                step,
                content in [paper.content for paper in self.papers],
                "绵阳打开的文件与武侯收下的逐字节相同",
                "the document opened in Mianyang equals the original byte by byte",
            )

    def rely(self) -> None:
        with self.teller.step(
            "rely",
            "绵阳审批人采信并办结，形成一份采信凭证",
            "The reviewer in Mianyang relies on them; one receipt keeps all evidence",
        ) as step:
            node = self.stage.open("mianyang").node
            receipt_id = rely(
                node, self.release, "my-supervisor-01", OfficerRole.SUPERVISOR, "granted"
            )
            with node.database.read() as tx:
                entry = tx.receipts.load_receipt(receipt_id).commitment
            self.stage.wait(lambda: self.mianyang.is_anchored([Commitment(entry)]), "reliance")
            self.receipt = complete_receipt(node, receipt_id)
            self.trust = build_trust_file(node)
            self.stage.keep("receipt.json", self.receipt)
            self.stage.keep("trust.json", self.trust)
            document = Digest(hashlib.sha256(self.papers[0].content).digest())
            verdict = verify_receipt(
                self.receipt,
                parse_trust(self.trust),
                document=document,
                sensitive_types=load_catalogue().sensitive_types,
            )
            for line in verdict.lines:
                demand(step, line.state is LineState.HOLDS, line.sentence_zh, line.sentence_en)

    def cheat(self) -> list[cheats.Attempt]:
        sensitive = load_catalogue().sensitive_types
        attempts: list[cheats.Attempt] = []
        with self.teller.step(
            "cheat", "八次作弊，逐一拒绝", "Eight attempts to cheat, each refused"
        ) as step:
            first = self._grant_for_wuhou()
            spare = [self._spare_grant(f"MY-2026-00020{n}") for n in (1, 2)]
            thief = Window(self.stage, "yuzhong")
            attempts += [
                cheats.change_a_byte(self.receipt, parse_trust(self.trust), sensitive),
                cheats.change_a_tile(self.wuhou),
                cheats.use_twice(self.mianyang, first, self.candidates[:1]),
                cheats.use_foreign_grant(self.mianyang, thief, first),
                cheats.record_again(self.mianyang, first),
                cheats.swap_document(self.mianyang, self.wuhou, spare[0], self.candidates[0]),
                cheats.use_revoked_grant(self.mianyang, self.wuhou, spare[1], self.candidates[:1]),
                cheats.fork_log(self.wuhou),
            ]
            for each in attempts:
                demand(step, each.refused, f"{each.zh}：已拒绝", f"{each.en}: {each.reason}")
        return attempts

    def revoke(self) -> None:
        grant_id = self._grant_for_wuhou()
        with self.teller.step(
            "revoke",
            "市民撤回授权：已采信的照旧有据，今后不得再取",
            "The citizen withdraws: what was relied on stands, nothing new is released",
        ) as step:
            revoke_grant(self.stage.open("mianyang").node, grant_id)
            self.stage.wait(lambda: self.wuhou.sees_revocation(grant_id), "GrantRevoked")
            demand(step, True, "撤回已上链，武侯已知", "revoked on chain, and Wuhou knows")
            verdict = verify_receipt(
                self.receipt,
                parse_trust(build_trust_file(self.stage.open("mianyang").node)),
                sensitive_types=load_catalogue().sensitive_types,
            )
            demand(
                step,
                verdict.state is LineState.HOLDS,
                "此前的采信凭证仍然成立",
                "the earlier reliance receipt still holds",
            )

    def audit(self) -> None:
        with self.teller.step(
            "audit",
            "审计：只凭链上事件与日志瓦片，从创世重放全部历史",
            "Audit: the whole history replayed from events and tiles alone",
        ) as step:
            self.mianyang.settle_outbox()
            self.wuhou.settle_outbox()
            node = self.stage.open("mianyang").node
            report = replay_ledger(
                node.chain,
                node.contracts,
                node.profile,
                node.domain,
                node.peers.fetch_log_file,
                database=node.database,
            )
            demand(
                step,
                report.discrepancy_count == 0,
                f"{report.blocks} 个区块、{report.events} 个事件、{report.entries} 条日志，差异 0",
                f"{report.blocks} blocks, {report.events} events, {report.entries} log entries, "
                "no discrepancy",
            )
            demand(
                step,
                report.storage_reads and report.database_rows,
                "重放所得与合约存储、绵阳节点数据库一致",
                "the replayed state equals contract storage and Mianyang's database",
            )

    def _others(self) -> list[Any]:
        return [plan.city for slug, plan in self.stage.plans.items() if slug != "mianyang"]

    def _types(self) -> list[str]:
        return sorted({paper.type_code for paper in self.papers})

    def _grant_for_wuhou(self) -> GrantId:
        return self.grants[self._others().index(self.wuhou.city)]

    def _spare_grant(self, case: str) -> GrantId:
        """Another grant of the same person for the same papers, recorded and unused."""
        (grant_id,) = self.mianyang.consent(CITIZEN, [self.wuhou.city], self._types(), case)
        self.mianyang.record(grant_id)
        return grant_id


def _close(teller: Teller, seconds: float, keep: Path | None) -> None:
    teller.say(f"\n[bold green]全部成立 / everything held[/bold green]  {seconds} s")
    teller.say("\n[bold]没有演示的 / what this did not show[/bold]")
    for zh, en in NOT_SHOWN:
        teller.say(f"  · {zh}\n    [dim]{en}[/dim]")
    if keep is not None:
        teller.say(
            f"\n留在 {keep} / left there: receipt.json, trust.json\n"
            "  tongban verify receipt.json --trust trust.json"
        )


def _paper_of(path: Path) -> Paper:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DemoFileError(
            f"读不了文件 {path.name}。请核对路径。", f"{path.name} cannot be read; check the path."
        ) from error
    number = hashlib.sha256(content).hexdigest()[:12].upper()
    issuer = ("11510107MB1A2B3C4D", "成都市武侯区民政局")
    return Paper(
        OWN_FILE_TYPE,
        path.name,
        "application/octet-stream",
        content,
        number,
        issuer,
        "2026-03-02",
        path.name,
    )


def _appears_below(folder: Path, papers: Sequence[Paper]) -> bool:
    """Whether a stretch of any paper stands in any file of a folder."""
    probes = [paper.content[len(paper.content) // 2 :][:64] for paper in papers]
    stored = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    return any(probe in data for probe in probes for data in stored)


@contextmanager
def _directory(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    path = Path(tempfile.mkdtemp(prefix="tongban-demo-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
