"""Sample facts for every paper: invented people, rare characters, long names, many materials."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

from ledger_node.core.receipt import ReceiptKind
from ledger_node.core.verdict import LineState, Question, RestsOn, VerdictLine
from ledger_node.papers import (
    AcceptanceNotice,
    AcceptedMaterial,
    CaseFacts,
    CompletionNotice,
    ConfirmedBy,
    ConsentLine,
    ConsentSlip,
    DeferredMaterial,
    Fonts,
    GrantorRole,
    MissingMaterial,
    Office,
    PaperSize,
    Party,
    RefusalDecision,
    RefusalGround,
    RegisteredPart,
    RegistrationSlip,
    Remedy,
    SeparatorSheet,
    ServedDocument,
    ServiceMethod,
    ServiceReceipt,
    VerificationCertificate,
    render_acceptance_notice,
    render_completion_notice,
    render_consent_slip,
    render_refusal_decision,
    render_registration_slip,
    render_separator_sheets,
    render_service_receipt,
    render_verification_certificate,
)

ROOT = Path(__file__).resolve().parents[2]
FONTS = Fonts(
    ROOT / "node_modules/@expo-google-fonts/noto-sans-sc/400Regular/NotoSansSC_400Regular.ttf"
)
MADE_AT = datetime(2026, 11, 20, 6, 5, tzinfo=UTC)
RARE = "㛃䶮𬭎"
LONG_NAME = "阿卜杜热合曼·买买提吐尔逊·阿不都拉江"
OFFICE = Office(
    "成都市武侯区行政审批局",
    "武侯区政务服务中心 3 号窗口",
    "成都市武侯区武侯祠大街 264 号",
    "028-8555 0000",
)
APPLICANT = Party(f"欧阳{RARE}", "5101**********4321", "身份证号")
CASE = CaseFacts(
    "510107-2026-000318",
    "提取住房公积金（购买自住住房）",
    "000739001000",
    APPLICANT,
    "Withdrawal of provident fund for buying a home",
    Party(LONG_NAME, "6501**********0017", "身份证号"),
)
BARE_CASE = CaseFacts("510107-2026-000319", "户口迁移", "000109002000", Party("李四"))


def build_acceptance(count: int = 5) -> AcceptanceNotice:
    """A notice with `count` materials."""
    materials = tuple(
        AcceptedMaterial(
            f"结婚证（第 {number} 份）"
            if number % 3
            else "不动产权证书及其附图、附记（含共有人页）",
            "原件核验" if number % 2 else "电子材料",
            "本人提交" if number % 2 else "绵阳市共享",
            1,
            number * 3,
        )
        for number in range(1, count + 1)
    )
    return AcceptanceNotice(
        OFFICE, "武审受〔2026〕18号", CASE, date(2026, 11, 18), date(2026, 11, 20), materials,
        date(2026, 11, 20), MADE_AT, 20, 3, date(2027, 1, 5), True,
        (DeferredMaterial("个人征信报告", date(2026, 12, 4)),),
        progress_url="https://wuhou.example/progress/7Q2M",
    )  # fmt: skip


def build_bare_acceptance() -> AcceptanceNotice:
    """Every optional field missing."""
    return AcceptanceNotice(
        Office("雁塔区行政审批服务局"), "", BARE_CASE, date(2026, 3, 5), date(2026, 3, 5), (),
        date(2026, 3, 5), MADE_AT,
    )  # fmt: skip


def build_completion() -> CompletionNotice:
    """Three things missing, two held."""
    return CompletionNotice(
        OFFICE, "武审补〔2026〕7号", CASE, date(2026, 11, 18),
        (
            MissingMaterial("购房合同", "未提交", "提交经备案的合同原件，窗口核验后当场退还",
                            "《住房公积金管理条例》第二十四条"),
            MissingMaterial("结婚证", "照片页模糊，无法辨认登记日期",
                            "重新出示原件；遗失的，可以向婚姻登记机关申请补领"),
            MissingMaterial("银行卡", "开户名与申请人姓名不一致", "提供本人名下一类账户的卡号"),
        ),
        date(2026, 11, 20), MADE_AT, date(2026, 12, 4), ("居民身份证", "户口簿"),
    )  # fmt: skip


def build_refusal() -> RefusalDecision:
    """Not competent."""
    return RefusalDecision(
        OFFICE, "武审不受〔2026〕2号", CASE, date(2026, 11, 18), RefusalGround.NOT_COMPETENT,
        "该房屋坐落于重庆市渝中区，住房公积金缴存地为重庆市",
        Remedy("成都市武侯区人民政府", "成都铁路运输第一法院"), date(2026, 11, 20), MADE_AT,
        "《住房公积金管理条例》第四条", "重庆市住房公积金管理中心",
    )  # fmt: skip


def build_service() -> ServiceReceipt:
    """Two papers handed over at the window."""
    return ServiceReceipt(
        OFFICE, "武审送〔2026〕31号", CASE, APPLICANT.name, "武侯区政务服务中心 3 号窗口",
        ServiceMethod.DIRECT,
        (
            ServedDocument("受理通知书", "武审受〔2026〕18号"),
            ServedDocument("住房公积金提取审批表", "510107-2026-000318-1", 2),
        ),
        MADE_AT, servers=("王敏", "陈立"),
    )  # fmt: skip


def build_consent(count: int = 3) -> ConsentSlip:
    """A slip over `count` materials, with a code and a line to sign on."""
    until = datetime(2026, 12, 20, 16, 0, tzinfo=UTC)
    named = ("结婚证", "不动产权证书", "户口簿", "个人所得税完税证明")
    lines = tuple(
        ConsentLine(
            named[number % len(named)],
            "整份文件" if number % 2 == 0 else "姓名、登记日期、证件状态",
            "绵阳市民政局" if number % 2 == 0 else "重庆市渝中区规划和自然资源局",
            "成都市武侯区行政审批局",
            CASE.item_name,
            until,
            1 + number % 2,
        )
        for number in range(count)
    )
    return ConsentSlip(
        OFFICE, "TY-2026-000088", APPLICANT, APPLICANT, GrantorRole.SELF, lines,
        "本人同意上列提供方将上列材料提供给上列接收方，仅用于上列用途，并在上列期限和次数以内。"
        "接收方据此作出决定的，所采信的内容随案卷依法保存。本人知道可以随时撤回。",
        "consent-text/2026-11", ConfirmedBy.SLIP, MADE_AT, MADE_AT, "K7QM-9F3T-XV2D",
        "tongban:revoke:v1:K7QM", "https://wuhou.example/me", ("登记员 1027",), CASE,
        signature_line=True,
    )  # fmt: skip


def build_certificate(state: LineState = LineState.HOLDS) -> VerificationCertificate:
    """A certificate whose third line is in `state`."""
    sentences = {
        Question.UNCHANGED: "文件与登记时一致，一个字节都没有改动。",
        Question.ISSUER_ENTITLED: "登记城市在登记时是成员，密钥有效。",
        Question.VALID_AS_OF: "没有撤销、更替或者异议的记录。",
        Question.RIGHT_PERSON: "材料所属人与申请人一致。",
    }
    lines = tuple(
        VerdictLine(
            question,
            state if question is Question.VALID_AS_OF else LineState.HOLDS,
            None,
            sentence,
            "",
            (RestsOn.TRUSTED_KEYS, RestsOn.CHAIN),
        )
        for question, sentence in sentences.items()
    )
    return VerificationCertificate(
        OFFICE, "HY-2026-000012", "0f8a6c1e-7c1b-4b8e-9b0e-3a5d2f6e9c11", ReceiptKind.RELIANCE,
        "绵阳市", lines, datetime(2026, 11, 20, 6, 4, tzinfo=UTC), 18342, MADE_AT, True,
        (
            ("日志根", "9f2c4e0b7a6d5c3f1e8b9a7d6c5f4e3b2a1908f7e6d5c4b3a29180f7e6d5c4b3"),
            ("日志大小", "1 204 条"),
            ("锚定交易", "0x51b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90"),
        ),
        MADE_AT, "结婚证", "https://wuhou.example/verify",
    )  # fmt: skip


def build_registration() -> RegistrationSlip:
    """A couple's certificate, typed by hand, still being recorded."""
    return RegistrationSlip(
        OFFICE, "0f8a6c1e-7c1b-4b8e-9b0e-3a5d2f6e9c11", "结婚证",
        (APPLICANT, Party(LONG_NAME, "6501**********0017", "身份证号")), "绵阳市民政局",
        (RegisteredPart("结婚证内页", 2), RegisteredPart("附页", 1)), "B", False, MADE_AT, MADE_AT,
        "J5107****0042", date(2019, 5, 20), None, True, "登记员 1027",
        "https://wuhou.example/verify",
    )  # fmt: skip


def build_separators() -> list[SeparatorSheet]:
    """Two sheets of one batch."""
    first = SeparatorSheet(
        "B-20261120-07", "marriage-certificate", 1, "结婚证", MADE_AT, "Marriage certificate"
    )
    return [first, replace(first, ordinal=2, type_code="household-register", type_name="户口簿")]


def list_samples() -> dict[str, Callable[[], bytes]]:
    """Every paper in every size, by file name."""
    a4, roll = PaperSize.A4, PaperSize.THERMAL_80
    failing = build_certificate(LineState.FAILS)
    return {
        "acceptance-a4": partial(render_acceptance_notice, build_acceptance(), a4, FONTS),
        "acceptance-many-a4": partial(render_acceptance_notice, build_acceptance(60), a4, FONTS),
        "acceptance-bare-a4": partial(render_acceptance_notice, build_bare_acceptance(), a4, FONTS),
        "acceptance-80mm": partial(render_acceptance_notice, build_acceptance(), roll, FONTS),
        "completion-a4": partial(render_completion_notice, build_completion(), a4, FONTS),
        "completion-80mm": partial(render_completion_notice, build_completion(), roll, FONTS),
        "refusal-a4": partial(render_refusal_decision, build_refusal(), a4, FONTS),
        "service-a4": partial(render_service_receipt, build_service(), a4, FONTS),
        "consent-a4": partial(render_consent_slip, build_consent(), a4, FONTS),
        "consent-many-a4": partial(render_consent_slip, build_consent(24), a4, FONTS),
        "consent-80mm": partial(render_consent_slip, build_consent(), roll, FONTS),
        "certificate-a4": partial(render_verification_certificate, build_certificate(), a4, FONTS),
        "certificate-fails-a4": partial(render_verification_certificate, failing, a4, FONTS),
        "certificate-80mm": partial(
            render_verification_certificate, build_certificate(), roll, FONTS
        ),
        "registration-a4": partial(render_registration_slip, build_registration(), a4, FONTS),
        "registration-80mm": partial(render_registration_slip, build_registration(), roll, FONTS),
        "separators-a4": partial(render_separator_sheets, build_separators(), FONTS),
    }
