/** Grant, permit and the order of events of a reliance receipt (docs/spec/receipt.md, checks 6, 12, 13). */
import type { GrantFact, Place } from "./facts.ts";
import { computeReleaseCommitment, hashOf } from "./release.ts";
import type { RelianceBody } from "./reliance_body.ts";
import { BASES, type Terms } from "./terms.ts";
import { contractAt } from "./trust.ts";
import { type LineDraft, fail } from "./verdict.ts";
import type { Case } from "./verify.ts";

/** Check 6: the chain consumed this grant for exactly this request and answer, there. */
export function checkPermit(line: LineDraft, body: RelianceBody, at: Case): void {
  const release = computeReleaseCommitment(body.releaseSalt, hashOf(body.request), hashOf(body.answer));
  const { found, terms } = at.facts.locateConsumption(release, body.consumed);
  if (found === "absent") fail("permit_unknown");
  if (found === "elsewhere" || found === "other" || (terms !== null && terms !== body.request.terms.grantId)) fail("permit_mismatch");
  if (found === "unknown") line.pend("permit_unconfirmed");
  else line.restOn(at.facts.source);
}

/** Check 12: recorded as the terms say, not revoked before the consumption, consumed in its window. */
export function checkGrant(line: LineDraft, body: RelianceBody, at: Case): void {
  const { terms } = body.request;
  const { recorded, consumed } = body;
  const contract = contractAt(at.trust, "grants", recorded.block.number);
  if (terms.chainId !== at.trust.chainId || terms.grants !== recorded.contract || terms.grants !== contract) fail("chain_mismatch");
  const { found, grant } = at.facts.locateGrant(terms.grantId, recorded);
  if (found === "absent") fail("grant_unknown");
  if (found === "other") fail("terms_commitment_mismatch");
  if (found === "elsewhere") fail("grant_mismatch");
  if (found === "unknown" || grant === null) return line.pend("grant_unconfirmed");
  line.restOn(at.facts.source);
  if (!isAsRecorded(terms, grant)) fail("terms_commitment_mismatch");
  if (grant.revoked !== null && isBefore(grant.revoked, consumed)) fail("grant_revoked");
  const time = consumed.block.timestamp;
  if (time < terms.notBefore || time >= terms.notAfter) fail("grant_outside_window");
}

function isAsRecorded(terms: Terms, grant: GrantFact): boolean {
  return (
    grant.releasing === terms.releasing &&
    grant.receiving === terms.receiving &&
    grant.recorder === terms.recording &&
    grant.notBefore === terms.notBefore &&
    grant.notAfter === terms.notAfter &&
    grant.uses === terms.uses &&
    grant.basis === BASES.indexOf(terms.basis) + 1
  );
}

/** Order in the chain; within a block by log index, or by transaction and log. */
function isBefore(one: Place, other: Place): boolean {
  if (one.block.number !== other.block.number) return one.block.number < other.block.number;
  const [first, second] = [one, other].map((each) => each.inBlock.split("/").map(Number) as [number, number]);
  const isIndexed = /^[0-9]+$/.test(one.inBlock.split("/")[0] as string);
  if (isIndexed && first?.[0] !== second?.[0]) return (first?.[0] ?? 0) < (second?.[0] ?? 0);
  return (first?.[1] ?? 0) < (second?.[1] ?? 0);
}

/** Check 13: recorded, consumed, state read, decided: in this order. */
export function checkOrder(body: RelianceBody): void {
  const { recorded, consumed, stateBlock, decidedAt } = body;
  if (!isBefore(recorded, consumed)) fail("permit_mismatch");
  if (decidedAt < consumed.block.timestamp) fail("decision_before_permit");
  if (stateBlock.number < consumed.block.number || stateBlock.timestamp > decidedAt) fail("state_block_impossible");
}
