/** Checks that both kinds of receipt share: heads, keys, anchors, dates (docs/spec/receipt.md). */
import type { Bytes } from "./bytes.ts";
import type { Json } from "./canonical.ts";
import type { Place } from "./facts.ts";
import { type Placement, verifyPlacement } from "./placement.ts";
import type { Receipt } from "./receipt.ts";
import { Refusal } from "./refusal.ts";
import type { Showing } from "./statement.ts";
import { listDocumentDigests } from "./statement.ts";
import { contractAt, isDistrusted, keyAt } from "./trust.ts";
import type { MessageKey } from "./signatures.ts";
import { type FailingCode, type LineDraft, fail } from "./verdict.ts";
import type { Case } from "./verify.ts";

export const SKEW_S = 30;

/** The signature, then what is carried of the chain. */
export function checkSigned(line: LineDraft, receipt: Receipt, at: Case): void {
  if (!receipt.isSigned) fail("receipt_signature_invalid");
  if (receipt.version === 0) return;
  if (at.chainProblem !== null) throw at.chainProblem;
  if (receipt.chain === null) line.pend("chain_evidence_missing");
}

/** The entry leads to the head; refuses with `inclusion_…`. */
export function checkInclusion(entry: Bytes, placement: Placement): void {
  try {
    verifyPlacement(entry, placement);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    fail(error.code === "root_mismatch" ? "inclusion_root_mismatch" : "inclusion_proof_malformed");
  }
}

/** The chain took this head exactly there. */
export function checkAnchored(
  line: LineDraft,
  at: Case,
  city: string,
  placement: Placement,
  place: Place,
  codes: [FailingCode, FailingCode],
): void {
  const head = { city, generation: placement.generation, size: placement.treeSize, root: placement.root };
  const found = at.facts.locateHead(head, place);
  if (found === "absent" || found === "other") fail(codes[0]);
  if (found === "elsewhere") fail(codes[1]);
  if (found === "unknown") line.pend("anchor_unconfirmed");
  else line.restOn(at.facts.source);
}

/** Contract current, anchor account valid and trusted at the block. */
export function checkAnchorRight(at: Case, city: string, place: Place): void {
  const { number, timestamp } = place.block;
  if (contractAt(at.trust, "city_log", number) !== place.contract) fail("anchor_contract_unknown");
  const key = keyAt(at.trust, city, "anchor", timestamp);
  if (key === null) fail("anchor_key_unknown");
  if (isDistrusted(key, number)) fail("anchor_key_distrusted");
}

/** The named key is a message key of the city, valid at the time and trusted in the block. */
export function checkMessageKey(
  at: Case,
  signer: MessageKey,
  city: string,
  time: number,
  block: number,
  codes: [FailingCode, FailingCode],
): void {
  const key = keyAt(at.trust, city, "message", time);
  if (key === null || key.key !== signer.key || signer.city !== city) fail(codes[0]);
  if (isDistrusted(key, block)) fail(codes[1]);
}

/** The file at hand, if any, is a document shown; values of documents are read in any case. */
export function checkDocument(at: Case, showings: readonly Showing[]): void {
  const digests = showings.flatMap(listDocumentDigests);
  if (at.document !== null && !digests.includes(at.document)) fail("document_digest_mismatch");
}

/** Flags that end a material. */
export function checkFlags(line: LineDraft, flags: number): void {
  if ((flags & 8) !== 0) fail("status_erased");
  if ((flags & 1) !== 0) fail("status_withdrawn");
  if ((flags & 4) !== 0) fail("status_spent");
  if ((flags & 2) !== 0) line.pend("status_superseded");
}

const CHINA_OFFSET_S = 8 * 3600;

/** `valid_from` and `valid_until`, if shown, hold on the day of `time` in China. */
export function checkValidity(showing: Showing, time: number): void {
  const today = new Date((time + CHINA_OFFSET_S) * 1000).toISOString().slice(0, 10);
  const from = readDay(showing.values.get("valid_from"));
  const until = readDay(showing.values.get("valid_until"));
  if (from !== null && today < from) fail("validity_not_begun");
  if (until !== null && today > until) fail("validity_over");
}

function readDay(value: Json | undefined): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== "string" || !/^\d{4}-\d\d-\d\d$/.test(value)) return fail("validity_unreadable");
  const date = new Date(`${value}T00:00:00Z`);
  const isDay = !Number.isNaN(date.getTime()) && date.toISOString().startsWith(value);
  return isDay && !value.startsWith("0000") ? value : fail("validity_unreadable");
}
