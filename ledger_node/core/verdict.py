"""The verdict on a receipt: four lines, each with its state, its reason and what it rests on.

Step 9 of the data flow. Spec: design section 10, docs/spec/receipt.md, "Verdict".

Invariants:
    * A line fails with the code of the first check that does not hold; it is pending when nothing
      at hand confirms a fact of the chain. Only a line without either holds.
    * The whole holds only if every stated line holds.
Not here: the checks (verify.py, verify_reliance.py), sentences (verdict_sentences.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NoReturn

from ledger_node.core.receipt import ReceiptKind
from ledger_node.core.types import CityId
from ledger_node.core.verdict_codes import VerdictCode
from ledger_node.core.verdict_sentences import SENTENCES


class Question(StrEnum):
    """What a reader asks of a receipt."""

    UNCHANGED = "unchanged"
    ISSUER_ENTITLED = "issuer_entitled"
    VALID_AS_OF = "valid_as_of"
    RIGHT_PERSON = "right_person"


class LineState(StrEnum):
    """Answer to one question."""

    HOLDS = "holds"
    PENDING = "pending"
    FAILS = "fails"
    NOT_STATED = "not_stated"  # this kind of receipt does not speak of it


class RestsOn(StrEnum):
    """What the reader has to trust for a line, besides the arithmetic of the file itself."""

    TRUSTED_KEYS = "trusted_keys"  # keys and contracts of the trust file
    CHAIN = "chain"  # events the verifier read itself
    TRUST_FILE = "trust_file"  # events whoever wrote the trust file read
    SEALS = "seals"  # block headers that the validators of the trust file sealed
    ISSUING_CITY = "issuing_city"  # its word
    RECORDING_CITY = "recording_city"  # its word: that the person stood there
    RELYING_CITY = "relying_city"  # its word


@dataclass(frozen=True, slots=True)
class VerdictLine:
    """Answer to one question.

    Attributes:
        question: Which.
        state: The answer.
        code: Why it fails or is pending; None if it holds.
        sentence_zh, sentence_en: The same for people.
        rests_on: In ascending order.
    """

    question: Question
    state: LineState
    code: VerdictCode | None
    sentence_zh: str
    sentence_en: str
    rests_on: tuple[RestsOn, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Verdict on one receipt.

    Attributes:
        kind, city, receipt_id: Which receipt.
        lines: One per question, in the order of `Question`.
        as_of_block: Newest block the facts reach to; None if there were none.
    """

    kind: ReceiptKind
    city: CityId
    receipt_id: str
    lines: tuple[VerdictLine, ...]
    as_of_block: int | None

    @property
    def state(self) -> LineState:
        """Fails if a line fails, else pending if one is, else holds."""
        states = {line.state for line in self.lines}
        for state in (LineState.FAILS, LineState.PENDING):
            if state in states:
                return state
        return LineState.HOLDS

    @property
    def codes(self) -> tuple[VerdictCode, ...]:
        """Codes of all lines that fail or are pending, in the order of the lines."""
        return tuple(line.code for line in self.lines if line.code is not None)


class LineFailedError(Exception):
    """A check of the line under judgement does not hold; ends that line only."""

    def __init__(self, code: VerdictCode) -> None:
        super().__init__(code.value)
        self.code = code


@dataclass(slots=True)
class Judgement:
    """Notes of the line under judgement."""

    pending: list[VerdictCode] = field(default_factory=list)
    rests_on: set[RestsOn] = field(default_factory=set)

    def fail(self, code: VerdictCode) -> NoReturn:
        """End the line: the check does not hold."""
        raise LineFailedError(code)

    def demand(self, holds: bool, code: VerdictCode) -> None:
        """End the line unless the check holds."""
        if not holds:
            self.fail(code)

    def wait(self, code: VerdictCode) -> None:
        """Nothing at hand confirms this; the other checks of the line go on."""
        self.pending.append(code)

    def rest_on(self, *what: RestsOn) -> None:
        """Say what the line rests on."""
        self.rests_on.update(what)


def judge(question: Question, checks: Callable[[Judgement], None]) -> VerdictLine:
    """Run the checks of one line and answer its question."""
    judgement = Judgement()
    try:
        checks(judgement)
    except LineFailedError as failed:
        return _line(question, LineState.FAILS, failed.code, judgement)
    if judgement.pending:
        return _line(question, LineState.PENDING, judgement.pending[0], judgement)
    return _line(question, LineState.HOLDS, None, judgement)


def not_stated(question: Question) -> VerdictLine:
    """Line of a question this kind of receipt does not speak of."""
    return _line(question, LineState.NOT_STATED, None, Judgement())


def before_filing(line: VerdictLine) -> VerdictLine:
    """The line as it stands while a clerk still decides: that the receipt to be filed has no seal
    yet says nothing against the material. Any other open check comes before it and stays."""
    if line.code is not VerdictCode.RECEIPT_PENDING:
        return line
    zh, en = _ANSWERS[line.question, LineState.HOLDS]
    return VerdictLine(line.question, LineState.HOLDS, None, zh, en, line.rests_on)


_ANSWERS: dict[tuple[Question, LineState], tuple[str, str]] = {
    (Question.UNCHANGED, LineState.HOLDS): (
        "内容未被改动，与链上锚定的登记一致。",
        "Unchanged: the contents are those registered and anchored.",
    ),
    (Question.ISSUER_ENTITLED, LineState.HOLDS): (
        "出具城市是联盟成员，所用密钥当时有效。",
        "Issuer entitled: a member city, with keys that were valid and trusted then.",
    ),
    (Question.VALID_AS_OF, LineState.HOLDS): (
        "在所述时点有效，未被撤回、替代、使用或删除。",
        "Valid as of the stated time: not withdrawn, superseded, spent or erased.",
    ),
    (Question.RIGHT_PERSON, LineState.HOLDS): (
        "授权、用途与当事人相符。",
        "Right person: grant, purpose and subject fit together.",
    ),
    (Question.RIGHT_PERSON, LineState.NOT_STATED): (
        "登记凭证不说明当事人。",
        "A registration receipt does not speak of the person.",
    ),
}


def _line(
    question: Question, state: LineState, code: VerdictCode | None, judgement: Judgement
) -> VerdictLine:
    zh, en = SENTENCES[code] if code is not None else _ANSWERS[question, state]
    return VerdictLine(question, state, code, zh, en, tuple(sorted(judgement.rests_on)))
