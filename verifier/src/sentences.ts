/** What each code means, in Chinese and in English, for people. */
import type { Code, Question } from "./verdict.ts";

export interface Sentence {
  readonly zh: string;
  readonly en: string;
}

export const say = (zh: string, en: string): Sentence => ({ zh, en });

export const TITLES: { readonly [question in Question]: Sentence } = {
  unchanged: say("未被改动", "Unchanged"),
  issuer_entitled: say("出具方有权", "Issuer entitled"),
  valid_as_of: say("时点有效", "Valid as of"),
  right_person: say("当事人相符", "Right person"),
};

export const SUMMARY = {
  holds: say("成立", "holds"),
  fails: say("不成立", "does not hold"),
  pending: say("待定，现在还不能采信", "pending: do not rely on it yet"),
  not_stated: say("未涉及", "not stated"),
} as const;

export const HOLDING: { readonly [question in Question]: Sentence } = {
  unchanged: say("内容与登记并存证时完全一致。", "The contents are exactly those registered and anchored."),
  issuer_entitled: say(
    "出具城市是联盟成员，签名和存证所用的密钥当时有效。",
    "A member city issued it, with keys that were valid and trusted at the time.",
  ),
  valid_as_of: say(
    "在所示时点有效，没有撤回、替代、用完或删除。",
    "Valid at the time shown: not withdrawn, superseded, spent or erased.",
  ),
  right_person: say(
    "当事人、事项和授权依据都与条款一致。",
    "Person, purpose and evidence are those the grant commits to.",
  ),
};

export const NOT_STATED = say("登记凭证不说明当事人。", "A registration receipt says nothing of the person.");

export const SENTENCES: { readonly [code in Code]: Sentence } = {
  receipt_pending: say(
    "凭证尚未封存，日志条目还没有上链存证。",
    "The receipt is not sealed yet: its log entry is not anchored.",
  ),
  anchor_unconfirmed: say("手头的数据确认不了这次存证。", "Nothing at hand confirms this anchor."),
  status_unconfirmed: say("手头的数据确认不了材料的状态。", "Nothing at hand confirms the state of the material."),
  grant_unconfirmed: say("手头的数据确认不了授权登记。", "Nothing at hand confirms that the grant was recorded."),
  permit_unconfirmed: say("手头的数据确认不了放行许可。", "Nothing at hand confirms the permit."),
  evidence_unconfirmed: say("手头的数据确认不了授权凭据。", "Nothing at hand confirms the evidence of the grant."),
  chain_evidence_missing: say("凭证没有附上链上证据。", "The receipt carries no evidence of the chain."),
  status_superseded: say("材料已有新版本替代，请人工判断。", "The material was superseded: a person has to judge."),
  status_disputed: say(
    "材料当时有未了结的异议，请人工判断。",
    "The material was disputed then: a person has to judge.",
  ),
  receipt_signature_invalid: say(
    "凭证上的签名与内容对不上，内容被改过。",
    "The signature does not fit the contents: they were changed.",
  ),
  receipt_signer_mismatch: say(
    "签名的城市与凭证所写的城市不是同一个。",
    "The city that signed is not the one the receipt names.",
  ),
  receipt_key_unknown: say("签名密钥当时不是该城市的有效密钥。", "The signing key was no valid key of the city then."),
  receipt_key_distrusted: say("签名密钥当时已被宣布不可信。", "The signing key had been declared untrusted."),
  receipt_time_impossible: say("凭证所写时间晚于存证的区块。", "The time claimed is later than the anchoring block."),
  reliance_inclusion_mismatch: say(
    "采信条目与凭证正文对不上，归档后被改过。",
    "The logged entry does not fit the body: it was changed after filing.",
  ),
  reliance_anchor_unknown: say(
    "链上没有采信条目所在的日志头。",
    "The chain holds no such log head for the reliance entry.",
  ),
  reliance_anchor_mismatch: say(
    "采信条目的存证位置与链上不同。",
    "The reliance entry was anchored elsewhere than stated.",
  ),
  inclusion_proof_malformed: say(
    "材料的包含证明残缺或多余。",
    "The inclusion proof is too short, too long or malformed.",
  ),
  inclusion_root_mismatch: say(
    "材料的包含证明推不出所写的日志头。",
    "The inclusion proof does not lead to the log head stated.",
  ),
  generation_mismatch: say("封存的日志代次与正文不同。", "Seal and body name different generations of the log."),
  anchor_unknown: say(
    "链上没有这个日志头，材料未经存证。",
    "The chain holds no such log head: nothing anchors the material.",
  ),
  anchor_mismatch: say("存证位置与链上不同。", "The material was anchored elsewhere than stated."),
  anchor_contract_unknown: say("存证不在联盟当时的日志合约里。", "The anchor is not in the log contract of that time."),
  anchor_key_unknown: say(
    "该城市当时不是成员，或没有有效的存证账户。",
    "The city was no member then, or had no valid anchor account.",
  ),
  anchor_key_distrusted: say("该城市的存证账户当时已被宣布不可信。", "The anchor account had been declared untrusted."),
  statement_commitment_mismatch: say(
    "字段摘要与登记的承诺值对不上。",
    "The field digests do not lead to the commitment.",
  ),
  disclosure_digest_mismatch: say("出示的字段不是登记的那一个。", "A field shown is not the one registered."),
  disclosure_malformed: say("出示的字段格式或名称不对。", "A field shown is malformed or misnamed."),
  document_digest_mismatch: say("手头的文件不是凭证所出示的文件。", "The file at hand is none of the documents shown."),
  material_not_released: say("所依据的材料不在对方的答复里。", "A material relied on is not in the answer."),
  type_not_granted: say("授权条款没有列出这类材料。", "The terms name no such type of material."),
  status_mismatch: say("凭证所写的状态与链上不同。", "The state claimed is not the state on chain."),
  status_withdrawn: say("材料已被撤回。", "The material was withdrawn."),
  status_spent: say("一次性材料已经用过。", "The material served once and is spent."),
  status_erased: say("材料已被删除。", "The material was erased."),
  validity_not_begun: say("材料当时还没有生效。", "The material was not valid yet."),
  validity_over: say("材料当时已经过期。", "The material had expired."),
  validity_unreadable: say("有效期不是可读的日期。", "The validity is no readable date."),
  header_malformed: say("所附区块头读不出，或次序不对。", "A block header is unreadable or out of order."),
  header_hash_mismatch: say("所附区块头不是凭证所写的区块。", "A block header is not that of the block named."),
  seal_invalid: say("区块头上有一枚印章不是签名。", "A seal on a block header is no signature."),
  seal_foreign: say("区块头上有一枚印章不是验证者盖的。", "A seal on a block header is by no validator."),
  seal_duplicated: say("同一验证者在区块头上盖了两次。", "A validator sealed the same header twice."),
  seals_insufficient: say("盖章的验证者不足三分之二。", "Fewer than two thirds of the validators sealed."),
  log_proof_invalid: say("链上事件的证明推不到区块头。", "The proof of an event does not lead to its header."),
  storage_proof_invalid: say(
    "合约状态的证明推不到区块头。",
    "The proof of contract state does not lead to its header.",
  ),
  contract_code_mismatch: say(
    "被证明的合约不是联盟的合约代码。",
    "The contract proven does not run the consortium's code.",
  ),
  request_signature_invalid: say("请求上的签名不成立。", "The signature on the request does not hold."),
  request_key_invalid: say(
    "请求不是接收城市当时的有效密钥所签。",
    "The request was not signed by a valid key of the receiving city.",
  ),
  answer_signature_invalid: say("答复上的签名不成立。", "The signature on the answer does not hold."),
  answer_key_invalid: say(
    "答复不是提供城市当时的有效密钥所签。",
    "The answer was not signed by a valid key of the releasing city.",
  ),
  answer_digest_mismatch: say("这份答复对应的是另一份请求。", "The answer belongs to another request."),
  acknowledgement_invalid: say(
    "收讫回执的签名或格式不成立。",
    "The acknowledgement is malformed or not properly signed.",
  ),
  acknowledgement_mismatch: say("收讫回执对应的是另一次放行。", "The acknowledgement belongs to another release."),
  acknowledgement_key_invalid: say(
    "收讫回执不是接收城市当时的有效密钥所签。",
    "The acknowledgement was not signed by a valid key of the receiving city.",
  ),
  chain_mismatch: say("授权条款写的是另一条链或另一份合约。", "The terms are for another chain or contract."),
  receiver_mismatch: say("采信的城市不是条款写明的接收城市。", "The relying city is not the receiver in the terms."),
  grant_unknown: say("链上没有登记这项授权。", "The chain records no such grant."),
  grant_mismatch: say("授权登记的位置与链上不同。", "The grant was recorded elsewhere than stated."),
  terms_commitment_mismatch: say("条款与链上登记的授权不同。", "The terms are not those recorded on chain."),
  grant_revoked: say("放行之前授权已被撤回。", "The grant had been revoked before the release."),
  grant_outside_window: say("放行不在授权期限之内。", "The release was outside the window of the grant."),
  permit_unknown: say(
    "链上没有对应这份请求和答复的放行许可。",
    "The chain holds no permit for this request and answer.",
  ),
  permit_mismatch: say(
    "放行许可属于另一项授权，或位置、次序不符。",
    "The permit is of another grant, elsewhere, or out of order.",
  ),
  decision_before_permit: say("决定早于放行许可。", "The decision came before the permit."),
  state_block_impossible: say(
    "读取状态的区块与放行、决定的先后不符。",
    "The block of the state does not fit permit and decision.",
  ),
  evidence_commitment_mismatch: say(
    "授权凭据不是与授权一起登记的那一份。",
    "The evidence is not the one recorded with the grant.",
  ),
  evidence_invalid: say("授权凭据不成立。", "The evidence of the grant does not hold."),
  evidence_officer: say("经办人的签名或人数不够。", "Officers' signatures, or their number, do not suffice."),
  evidence_passkey: say("通行密钥的签名不成立。", "The passkey's signature does not hold."),
  evidence_credential: say(
    "有一项凭据登记不成立，或使用前未存证、已撤回。",
    "A credential is wrong, was not anchored before its use, or was withdrawn.",
  ),
  subject_mismatch: say("所示的人不是条款所承诺的人。", "The person shown is not the one in the terms."),
  subject_not_in_material: say("材料里没有这位当事人。", "The person is not among the subjects of the material."),
  purpose_mismatch: say("事项或办件与条款不符。", "Item or case are not those in the terms."),
};
