"""Why a line of a verdict fails or is pending, in one Chinese and one English sentence per code.

Step 9 of the data flow. Sentences may change, codes (verdict_codes.py) may not.
"""

from __future__ import annotations

from collections.abc import Mapping

from ledger_node.core.verdict_codes import VerdictCode

_C = VerdictCode

SENTENCES: Mapping[VerdictCode, tuple[str, str]] = {
    _C.RECEIPT_PENDING: (
        "凭证尚未封存：对应的日志条目还没有上链锚定。",
        "The receipt is pending: its log entry is not anchored yet.",
    ),
    _C.ANCHOR_UNCONFIRMED: (
        "手头没有链上数据可以确认该锚定。",
        "Nothing at hand confirms the anchor: no chain facts, or older ones.",
    ),
    _C.STATUS_UNCONFIRMED: (
        "手头没有链上数据可以确认材料状态。",
        "Nothing at hand confirms the state of the material.",
    ),
    _C.GRANT_UNCONFIRMED: (
        "手头没有链上数据可以确认授权登记。",
        "Nothing at hand confirms that the grant was recorded.",
    ),
    _C.PERMIT_UNCONFIRMED: (
        "手头没有链上数据可以确认放行许可。",
        "Nothing at hand confirms the permit.",
    ),
    _C.EVIDENCE_UNCONFIRMED: (
        "手头没有链上数据可以确认授权证据。",
        "Nothing at hand confirms the credentials behind the evidence.",
    ),
    _C.CHAIN_EVIDENCE_MISSING: (
        "凭证尚未附上链上证据。",
        "The receipt carries no evidence of the chain yet.",
    ),
    _C.RECEIPT_SIGNATURE_INVALID: (
        "凭证签名不成立，内容已被改动。",
        "The signature of the receipt does not hold: its contents were changed.",
    ),
    _C.RECEIPT_SIGNER_MISMATCH: (
        "签名的城市不是凭证所写的城市。",
        "Another city than the one named signed the receipt.",
    ),
    _C.RECEIPT_KEY_UNKNOWN: (
        "签名密钥在锚定时不是该城市的有效消息密钥。",
        "The signing key was no valid message key of the city at the anchoring block.",
    ),
    _C.RECEIPT_KEY_DISTRUSTED: (
        "签名密钥在锚定时已不被信任。",
        "The signing key was distrusted at the anchoring block.",
    ),
    _C.RECEIPT_TIME_IMPOSSIBLE: (
        "凭证所写时间晚于锚定区块。",
        "The time the receipt claims lies after the block that anchors it.",
    ),
    _C.RELIANCE_INCLUSION_MISMATCH: (
        "采信条目不在依据城市的日志中，或正文与条目不符。",
        "The reliance entry does not lead to the log head: body, salt or proof were changed.",
    ),
    _C.RELIANCE_ANCHOR_UNKNOWN: (
        "链上没有采信条目所在的日志头。",
        "The chain holds no such head for the reliance entry.",
    ),
    _C.RELIANCE_ANCHOR_MISMATCH: (
        "采信条目的锚定位置与链上不符。",
        "The reliance entry's head was anchored elsewhere than stated.",
    ),
    _C.INCLUSION_PROOF_MALFORMED: (
        "材料的包含证明格式不对。",
        "The inclusion proof of the material is malformed.",
    ),
    _C.INCLUSION_ROOT_MISMATCH: (
        "材料的包含证明推算不到所述日志头。",
        "The inclusion proof of the material does not lead to the stated head.",
    ),
    _C.GENERATION_MISMATCH: (
        "封存所用的日志代次与正文不符。",
        "The seal is of another generation of the log than the body.",
    ),
    _C.ANCHOR_UNKNOWN: (
        "链上没有这个日志头：材料没有被锚定。",
        "The chain holds no such head: the material is not anchored.",
    ),
    _C.ANCHOR_MISMATCH: (
        "锚定位置（区块、交易或日志序号）与链上不符。",
        "Block, transaction or log index of the anchor are not those of the chain.",
    ),
    _C.ANCHOR_CONTRACT_UNKNOWN: (
        "锚定不在联盟当时的日志合约中。",
        "The anchor is not in the consortium's log contract of that block.",
    ),
    _C.ANCHOR_KEY_UNKNOWN: (
        "该城市当时不是成员，或没有有效的锚定账户。",
        "The city was no member then, or had no valid anchor account.",
    ),
    _C.ANCHOR_KEY_DISTRUSTED: (
        "该城市的锚定账户在该区块已不被信任。",
        "The city's anchor account was distrusted at that block.",
    ),
    _C.STATEMENT_COMMITMENT_MISMATCH: (
        "字段摘要与已登记的承诺不符。",
        "The field digests do not lead to the registered commitment.",
    ),
    _C.DISCLOSURE_DIGEST_MISMATCH: (
        "所出示的字段与登记的不符。",
        "A field shown is not the registered one.",
    ),
    _C.DISCLOSURE_MALFORMED: (
        "所出示的字段格式或名称不对。",
        "A field shown is malformed or bears the name of another.",
    ),
    _C.DOCUMENT_DIGEST_MISMATCH: (
        "文件不是登记的那一份，或已被改动。",
        "The file is not the registered document, or was changed.",
    ),
    _C.MATERIAL_NOT_RELEASED: (
        "凭证所列材料不在对方的回答中。",
        "A material relied on is not in the releasing city's answer.",
    ),
    _C.TYPE_NOT_GRANTED: (
        "材料类型不在授权范围内。",
        "The terms do not name this type of material.",
    ),
    _C.STATUS_MISMATCH: (
        "凭证所写材料状态与链上不符。",
        "The state the receipt claims is not the chain's at that block.",
    ),
    _C.STATUS_WITHDRAWN: ("材料已被撤回。", "The material was withdrawn."),
    _C.STATUS_SUPERSEDED: ("材料已被新材料替代。", "The material was superseded."),
    _C.STATUS_SPENT: (
        "材料为一次性使用且已使用。",
        "The material was for one use and is spent.",
    ),
    _C.STATUS_ERASED: ("材料已被删除。", "The material was erased."),
    _C.STATUS_DISPUTED: (
        "材料当时存在未了结的异议。",
        "The material was under an open objection.",
    ),
    _C.VALIDITY_NOT_BEGUN: ("材料当时尚未生效。", "The material was not yet valid then."),
    _C.VALIDITY_OVER: ("材料当时已过有效期。", "The material had expired then."),
    _C.VALIDITY_UNREADABLE: (
        "有效期不是可读的日期。",
        "The validity is not a readable date.",
    ),
    _C.HEADER_MALFORMED: (
        "凭证所附区块头读不出，或次序不对。",
        "A block header in the receipt is not readable, or out of order.",
    ),
    _C.HEADER_HASH_MISMATCH: (
        "凭证所附区块头不是所写的区块。",
        "A block header in the receipt is not that of the block the receipt names.",
    ),
    _C.SEAL_INVALID: (
        "区块头上有一枚印章不是有效签名。",
        "A seal of a block header is no signature.",
    ),
    _C.SEAL_FOREIGN: (
        "区块头上有一枚印章不是该区块的验证者所签。",
        "A seal of a block header is by no validator of that block.",
    ),
    _C.SEAL_DUPLICATED: (
        "区块头上有验证者重复盖章。",
        "A validator sealed a block header twice.",
    ),
    _C.SEALS_INSUFFICIENT: (
        "区块头上的印章不足验证者的三分之二。",
        "Fewer than two thirds of the validators sealed a block header.",
    ),
    _C.LOG_PROOF_INVALID: (
        "链上事件的证明推算不到区块头。",
        "The proof of an event does not lead to its block header.",
    ),
    _C.STORAGE_PROOF_INVALID: (
        "合约状态的证明推算不到区块头。",
        "The proof of a contract's state does not lead to its block header.",
    ),
    _C.CONTRACT_CODE_MISMATCH: (
        "所证明的状态不属于联盟的合约代码。",
        "The state proven is not that of the consortium's contract code.",
    ),
    _C.REQUEST_SIGNATURE_INVALID: (
        "请求的签名不成立。",
        "The signature of the request does not hold.",
    ),
    _C.REQUEST_KEY_INVALID: (
        "请求的签名密钥不是接收城市当时有效的密钥。",
        "The request was not signed with a valid key of the receiving city.",
    ),
    _C.ANSWER_SIGNATURE_INVALID: (
        "回答的签名不成立。",
        "The signature of the answer does not hold.",
    ),
    _C.ANSWER_KEY_INVALID: (
        "回答的签名密钥不是出具城市当时有效的密钥。",
        "The answer was not signed with a valid key of the releasing city.",
    ),
    _C.ANSWER_DIGEST_MISMATCH: (
        "回答对应的不是这份请求。",
        "The answer is to another request.",
    ),
    _C.ACKNOWLEDGEMENT_INVALID: (
        "收讫回执的签名或格式不成立。",
        "The acknowledgement is malformed or its signature does not hold.",
    ),
    _C.ACKNOWLEDGEMENT_MISMATCH: (
        "收讫回执对应的不是这次放行。",
        "The acknowledgement is of another release.",
    ),
    _C.ACKNOWLEDGEMENT_KEY_INVALID: (
        "收讫回执的密钥不是接收城市当时有效的密钥。",
        "The acknowledgement was not signed with a valid key of the receiving city.",
    ),
    _C.CHAIN_MISMATCH: (
        "授权条款属于另一条链或另一份合约。",
        "The terms name another chain or contract.",
    ),
    _C.RECEIVER_MISMATCH: (
        "采信城市不是条款写明的接收城市。",
        "The relying city is not the receiver the terms name.",
    ),
    _C.GRANT_UNKNOWN: (
        "链上没有登记这项授权。",
        "The chain holds no such grant: these terms were never recorded.",
    ),
    _C.GRANT_MISMATCH: (
        "授权登记的位置与链上不符。",
        "The grant was recorded elsewhere than stated.",
    ),
    _C.TERMS_COMMITMENT_MISMATCH: (
        "条款与链上登记的授权不符。",
        "The terms are not those the chain recorded.",
    ),
    _C.GRANT_REVOKED: (
        "授权在放行之前已被撤销。",
        "The grant was revoked before the release.",
    ),
    _C.GRANT_OUTSIDE_WINDOW: (
        "放行不在授权期限之内。",
        "The release lies outside the grant's window.",
    ),
    _C.PERMIT_UNKNOWN: (
        "链上没有对应这份请求和回答的放行许可。",
        "The chain holds no permit for exactly this request and answer.",
    ),
    _C.PERMIT_MISMATCH: (
        "放行许可的位置或授权与链上不符。",
        "The permit is of another grant, or stands elsewhere than stated.",
    ),
    _C.DECISION_BEFORE_PERMIT: (
        "决定早于放行许可。",
        "The decision lies before the permit.",
    ),
    _C.STATE_BLOCK_IMPOSSIBLE: (
        "读取状态的区块与决定时间不符。",
        "The block the state was read at does not fit the time of the decision.",
    ),
    _C.EVIDENCE_COMMITMENT_MISMATCH: (
        "授权证据与链上登记的证据承诺不符。",
        "The evidence is not the one the chain recorded with the grant.",
    ),
    _C.EVIDENCE_INVALID: ("授权证据不成立。", "The evidence of the grant does not hold."),
    _C.EVIDENCE_OFFICER: (
        "经办人的签名或人数不符合要求。",
        "An officer's signature, or the number of officers, does not suffice.",
    ),
    _C.EVIDENCE_PASSKEY: (
        "通行密钥的签名不成立。",
        "The passkey assertion does not hold.",
    ),
    _C.EVIDENCE_CREDENTIAL: (
        "经办人或当事人的凭据未在使用前锚定，或已撤销。",
        "A credential was not anchored before its use, was withdrawn, or is malformed.",
    ),
    _C.SUBJECT_MISMATCH: (
        "当事人与条款中的承诺不符。",
        "The person shown is not the one the terms commit to.",
    ),
    _C.SUBJECT_NOT_IN_MATERIAL: (
        "材料中没有这位当事人。",
        "The person is not among the subjects of the material.",
    ),
    _C.PURPOSE_MISMATCH: (
        "事项或案件与条款中的承诺不符。",
        "Service item or case are not those the terms commit to.",
    ),
}
