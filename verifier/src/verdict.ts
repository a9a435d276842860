/** Verdicts: four lines, their states, their codes (docs/spec/receipt.md, "Verdict", "Codes"). */
import { Refusal } from "./refusal.ts";

export const QUESTIONS = ["unchanged", "issuer_entitled", "valid_as_of", "right_person"] as const;
export const STATES = ["holds", "pending", "fails", "not_stated"] as const;
export type Question = (typeof QUESTIONS)[number];
export type LineState = (typeof STATES)[number];
export type RestsOn =
  "trusted_keys" | "seals" | "chain" | "trust_file" | "issuing_city" | "recording_city" | "relying_city";

export const PENDING_CODES = [
  "receipt_pending",
  "anchor_unconfirmed",
  "status_unconfirmed",
  "grant_unconfirmed",
  "permit_unconfirmed",
  "evidence_unconfirmed",
  "status_superseded",
  "status_disputed",
  "chain_evidence_missing",
] as const;
export const FAILING_CODES = [
  "receipt_signature_invalid",
  "receipt_signer_mismatch",
  "receipt_key_unknown",
  "receipt_key_distrusted",
  "receipt_time_impossible",
  "reliance_inclusion_mismatch",
  "reliance_anchor_unknown",
  "reliance_anchor_mismatch",
  "inclusion_proof_malformed",
  "inclusion_root_mismatch",
  "generation_mismatch",
  "anchor_unknown",
  "anchor_mismatch",
  "anchor_contract_unknown",
  "anchor_key_unknown",
  "anchor_key_distrusted",
  "statement_commitment_mismatch",
  "disclosure_digest_mismatch",
  "disclosure_malformed",
  "document_digest_mismatch",
  "material_not_released",
  "type_not_granted",
  "status_mismatch",
  "status_withdrawn",
  "status_spent",
  "status_erased",
  "validity_not_begun",
  "validity_over",
  "validity_unreadable",
  "header_malformed",
  "header_hash_mismatch",
  "seal_invalid",
  "seal_foreign",
  "seal_duplicated",
  "seals_insufficient",
  "log_proof_invalid",
  "storage_proof_invalid",
  "contract_code_mismatch",
  "request_signature_invalid",
  "request_key_invalid",
  "answer_signature_invalid",
  "answer_key_invalid",
  "answer_digest_mismatch",
  "acknowledgement_invalid",
  "acknowledgement_mismatch",
  "acknowledgement_key_invalid",
  "chain_mismatch",
  "receiver_mismatch",
  "grant_unknown",
  "grant_mismatch",
  "terms_commitment_mismatch",
  "grant_revoked",
  "grant_outside_window",
  "permit_unknown",
  "permit_mismatch",
  "decision_before_permit",
  "state_block_impossible",
  "evidence_commitment_mismatch",
  "evidence_invalid",
  "evidence_officer",
  "evidence_passkey",
  "evidence_credential",
  "subject_mismatch",
  "subject_not_in_material",
  "purpose_mismatch",
] as const;
export const CODES = [...PENDING_CODES, ...FAILING_CODES] as const;
export type PendingCode = (typeof PENDING_CODES)[number];
export type FailingCode = (typeof FAILING_CODES)[number];
export type Code = (typeof CODES)[number];

export interface Line {
  readonly question: Question;
  readonly state: LineState;
  readonly code: Code | null;
  readonly restsOn: readonly RestsOn[];
}

export interface Verdict {
  readonly state: LineState;
  readonly kind: "registration" | "reliance";
  readonly receipt: string;
  readonly city: string;
  readonly lines: readonly Line[];
  /** Newest block the facts reach to, and its time; null: none. */
  readonly asOf: { readonly block: number; readonly timestamp: number } | null;
}

export const codesOf = (verdict: Verdict): Code[] =>
  verdict.lines.flatMap((line) => (line.code === null ? [] : [line.code]));

/** One line while it is judged: the first check that fails ends it, the first pending one is kept. */
export class LineDraft {
  private pendingCode: PendingCode | null = null;
  private readonly rests = new Set<RestsOn>();
  readonly question: Question;

  constructor(question: Question) {
    this.question = question;
  }

  pend(code: PendingCode): void {
    this.pendingCode ??= code;
  }

  restOn(what: RestsOn): void {
    this.rests.add(what);
  }

  async judge(checks: (line: LineDraft) => void | Promise<void>): Promise<Line> {
    let failed: Code | null = null;
    try {
      await checks(this);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      failed = asFailing(error);
    }
    const code = failed ?? this.pendingCode;
    const state = failed !== null ? "fails" : code !== null ? "pending" : "holds";
    return { question: this.question, state, code, restsOn: [...this.rests].sort() };
  }
}

/** A refusal without a place among the codes is our own mistake, never a verdict. */
function asFailing(error: Refusal): Code {
  const code = FAILING_CODES.find((each) => each === error.code);
  if (code === undefined) throw new Error(`no code of a verdict: ${error.message}`);
  return code;
}

export function fail(code: FailingCode, detail = ""): never {
  throw new Refusal(code, detail);
}

/** The whole: fails if a line fails, else is pending if one is, else holds. */
export function summarize(lines: readonly Line[]): LineState {
  for (const state of ["fails", "pending"] as const) {
    if (lines.some((line) => line.state === state)) return state;
  }
  return "holds";
}
