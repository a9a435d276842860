"""A verdict in plain words: one line, four behind it, how old it is, and what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from api.pages.audit_words import FINDINGS
from api.pages.cities import name_city
from api.pages.language import Speech
from ledger_node.core.catalogue import Necessity
from ledger_node.core.chain_facts import FactSource
from ledger_node.core.freshness import Light
from ledger_node.core.receipt import ReceiptKind
from ledger_node.core.status import Standing
from ledger_node.core.verdict import LineState, Question, RestsOn
from ledger_node.core.verdict_codes import VerdictCode
from ledger_node.flows.verifying import LogNote, Verification

QUESTIONS: Final[Mapping[Question, tuple[str, str]]] = {
    Question.UNCHANGED: ("未被改动", "Unchanged"),
    Question.ISSUER_ENTITLED: ("出具方有权", "Issuer entitled"),
    Question.VALID_AS_OF: ("当时有效", "Valid then"),
    Question.RIGHT_PERSON: ("当事人相符", "Right person"),
}
RESTS_ON: Final[Mapping[RestsOn, tuple[str, str]]] = {
    RestsOn.TRUSTED_KEYS: (
        "各成员城市登记的签名密钥。",
        "The signing keys the member cities registered.",
    ),
    RestsOn.CHAIN: (
        "五市共同维护的账本，由本市节点自己读取。",
        "The ledger the cities keep together, as this node read it itself.",
    ),
    RestsOn.TRUST_FILE: (
        "您带来的信任文件里写的账本事实；它对不对，取决于给您文件的人。",
        "The facts in the trust file you brought: they are as good as whoever gave it to you.",
    ),
    RestsOn.SEALS: (
        "凭证所附区块头上验证者的印章。",
        "The validators' seals on the block headers the receipt carries.",
    ),
    RestsOn.ISSUING_CITY: ("出具城市自己说的话。", "The word of the issuing city."),
    RestsOn.RECORDING_CITY: (
        "办理授权的城市说：当事人当时确实在场。",
        "The word of the city that took the consent: that the person was really there.",
    ),
    RestsOn.RELYING_CITY: ("采信城市自己说的话。", "The word of the city that relied on it."),
}
SUMMARIES: Final[Mapping[tuple[ReceiptKind, LineState], tuple[str, str]]] = {
    (ReceiptKind.REGISTRATION, LineState.HOLDS): (
        "材料确由该市登记，内容未被改动，现在有效。",
        "Registered by that city, unchanged, and valid.",
    ),
    (ReceiptKind.RELIANCE, LineState.HOLDS): (
        "采信时材料属实有效，手续齐全。",
        "When it was relied on the material was true and valid, and everything was in order.",
    ),
}
PENDING: Final = (
    "凭证刚开出，存证还没完成；过几分钟换取完整凭证再核验。",
    "The receipt is new and not recorded yet; fetch the complete one in a few minutes.",
)
NO_FACTS: Final = (
    "您带来的信任文件没有账本事实，因此不能确认凭证是否已存证、材料是否仍然有效。"
    "请向提供方要一份含账本事实的信任文件；或者不带信任文件，由本市节点核验。",
    "The trust file you brought carries no facts of the ledger, so nothing confirms that the "
    "receipt is recorded or that the material still counts. Ask whoever gave it to you for one "
    "with facts, or check without a trust file: this node then reads the ledger itself.",
)
OLD_FACTS: Final = (
    "您带来的信任文件没有记到这份凭证所说的事。"
    "请要一份更新的信任文件；或者不带信任文件，由本市节点核验。",
    "The trust file you brought does not reach to what the receipt speaks of. Ask for a newer one, "
    "or check without a trust file: this node then reads the ledger itself.",
)
FAILS: Final = (
    "有一项不成立，请勿据此办理；原因见下。",
    "One of the lines does not hold: do not act on it. The reason is below.",
)
KINDS: Final[Mapping[ReceiptKind, tuple[str, str]]] = {
    ReceiptKind.REGISTRATION: ("登记凭证", "Registration receipt"),
    ReceiptKind.RELIANCE: ("采信凭证", "Reliance receipt"),
}
LIGHTS: Final[Mapping[Light, tuple[str, str]]] = {
    Light.GREEN: ("状态新近，可据此办理。", "The state is recent: it may be acted on."),
    Light.AMBER: (
        "可先收件；存证或最新状态须补齐后再定。",
        "It may be taken in; the record or the newest state has to follow before the decision.",
    ),
    Light.RED: ("不可据此办理。", "It must not be acted on."),
}
NECESSITIES: Final[Mapping[Necessity, tuple[str, str]]] = {
    Necessity.REQUIRED: (
        "必备材料：账本状态须在一天以内。",
        "Required paper: the state may be a day old at most.",
    ),
    Necessity.DEFER: (
        "可容缺后补的材料：账本状态旧了，也可先收件。",
        "Paper that may follow: it may be taken in on an older state.",
    ),
    Necessity.OPTIONAL: (
        "选交材料：账本状态旧了，也可先收件。",
        "Optional paper: it may be taken in on an older state.",
    ),
}
LATER: Final[Mapping[Standing, tuple[str, str]]] = {
    Standing.DISPUTED: ("现在有人对它提出异议，正在处理。", "It is disputed now."),
    Standing.SUPERSEDED: ("现在已被新的材料替代。", "It has been superseded by a newer one."),
    Standing.SPENT: ("它只能用一次，现在已用过。", "It counts once and has been used."),
    Standing.WITHDRAWN: ("现在已被出具城市撤回。", "Its city has withdrawn it."),
    Standing.ERASED: ("登记件现在已被删除。", "The registered copy has been erased."),
}


@dataclass(frozen=True, slots=True)
class Result:
    """What the page shows.

    Attributes:
        state: holds, pending or fails.
        word: The state in two or three words.
        summary: One sentence; for a pending one, what is missing and what to do.
        lines: (state, question, sentence), as the verdict macro takes them.
        as_of: Time and age in one phrase; empty if there is none.
        said: What a screen reader hears first.
        later: What is known now against it.
        light: green, amber or red, and what that means.
        measured: The rule the light goes by.
        logs: Who witnessed the logs it rests on.
        rests_on: Sentences.
        codes: Stable codes of what fails or is pending.
    """

    state: str
    word: str
    summary: str
    kind: str
    city: str
    receipt_id: str
    lines: tuple[tuple[str, str, str], ...]
    as_of: str
    block: int | None
    said: str
    document_checked: bool
    later: tuple[str, ...]
    light: tuple[str, str]
    measured: str
    logs: tuple[str, ...]
    rests_on: tuple[str, ...]
    codes: tuple[str, ...]


def describe_verification(
    speech: Speech, verification: Verification, necessity: Necessity
) -> Result:
    """The answer in the reader's language.

    Args:
        necessity: Of the material for the item at hand, as whoever asks has said.
    """
    verdict = verification.verdict
    codes = tuple(dict.fromkeys(code.value for code in verdict.codes))
    rests = {each for line in verdict.lines for each in line.rests_on}
    city = verification.city_name
    if city == verdict.city:
        city = name_city(verdict.city, speech.language)
    summary = speech.t(*_choose_summary(verification))
    word = speech.t(*_choose_word(verification))
    return Result(
        state=verdict.state.value,
        word=word,
        summary=summary,
        kind=speech.t(*KINDS[verdict.kind]),
        city=city,
        receipt_id=verdict.receipt_id,
        lines=tuple(
            (
                line.state.value,
                speech.t(*QUESTIONS[line.question]),
                speech.t(line.sentence_zh, line.sentence_en),
            )
            for line in verdict.lines
        ),
        as_of=_as_of(speech, verification),
        block=None if verification.as_of is None else verification.as_of.number,
        said=speech.t(f"核验结果：{word}。{summary}", f"Result: {word}. {summary}"),
        document_checked=verification.document_checked,
        light=(verification.light.value, speech.t(*LIGHTS[verification.light])),
        measured=speech.t(*NECESSITIES[necessity]),
        logs=tuple(_describe_log(speech, each) for each in verification.logs),
        later=tuple(
            speech.t(*LATER[each.standing])
            for each in verification.later
            if f"status_{each.standing.value}" not in codes  # the verdict says so itself
        ),
        rests_on=tuple(speech.t(*RESTS_ON[each]) for each in sorted(rests)),
        codes=codes,
    )


def _choose_word(verification: Verification) -> tuple[str, str]:
    state = verification.verdict.state
    if state is LineState.HOLDS:
        return ("可以采信", "May be relied on")
    if state is LineState.FAILS:
        return ("不能采信", "Must not be relied on")
    return (
        ("尚待存证", "Not yet recorded") if _is_new(verification) else ("无法确认", "Unconfirmed")
    )


def _choose_summary(verification: Verification) -> tuple[str, str]:
    verdict = verification.verdict
    if verdict.state is LineState.HOLDS:
        return SUMMARIES[verdict.kind, verdict.state]
    if verdict.state is LineState.FAILS:
        return FAILS
    if _is_new(verification):
        return PENDING
    return NO_FACTS if verification.as_of is None else OLD_FACTS


def _is_new(verification: Verification) -> bool:
    """Whether a pending answer waits for the record and not for a better trust file."""
    unsealed = _UNSEALED.intersection(verification.verdict.codes)
    return bool(unsealed) or verification.source is FactSource.CHAIN


_UNSEALED: Final = frozenset({VerdictCode.RECEIPT_PENDING, VerdictCode.CHAIN_EVIDENCE_MISSING})


def _describe_log(speech: Speech, log: LogNote) -> str:
    city = name_city(log.city, speech.language)
    count, of = log.witnessed.count
    sentence = speech.t(
        f"{city}的日志：其他 {of} 个城市中有 {count} 个已复算并见证。",
        f"The log of {city}: {count} of {of} other cities recomputed and witnessed it.",
    )
    if log.findings:
        found = [speech.t(*FINDINGS[kind][:2]) for kind in log.findings]
        sentence += speech.t("现有问题：", " Wrong now: ") + speech.t("、", ", ").join(found)
    return sentence


def _as_of(speech: Speech, verification: Verification) -> str:
    as_of, age_s = verification.as_of, verification.age_s
    if as_of is None or age_s is None:
        return speech.t("没有账本事实", "No facts of the ledger")
    when, age = speech.moment(as_of.block_timestamp_s), speech.span(age_s)
    if verification.source is FactSource.TRUST_FILE:
        return speech.t(
            f"截至{when}（{age}前，信任文件所载）", f"As of {when} ({age} ago, by the trust file)"
        )
    return speech.t(f"截至{when}（{age}前）", f"As of {when} ({age} ago)")
