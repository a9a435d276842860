/** Grant, permit and the order of events of a reliance receipt (docs/spec/receipt.md, checks 6, 12, 13). */
import type { GrantFact, Place } from "./facts.ts";
import { computeReleaseCommitment, hashOf } from "./release.ts";
import type { RelianceBody } from "./reliance_body.ts";
import { BASES, type Terms } from "./terms.ts";
import { contractAt } from "./trust.ts";
import { type LineDraft, fail } from "./verdict.ts";
import type { Case } from "./verify.ts";
import { SKEW_S } from "./verify_parts.ts";

/** Check 6: the chain consumed this grant for exactly this request and answer, there. */
export function checkPermit(line: LineDraft, body: RelianceBody, at: Case): void {
  const release = computeReleaseCommitment(body.releaseSalt, hashOf(body.request), hashOf(body.answer));
  const { found, terms } = at.facts.locateConsumption(release, body.request.terms.grants, body.consumed);
  if (found === "absent") fail("permit_unknown");
  if (found === "elsewhere" || found === "other" || (terms !== null && terms !== body.request.terms.grantId))
    fail("permit_mismatch");
  if (found === "unknown") line.pend("permit_unconfirmed");
  else line.restOn(at.facts.source);
}

/** Check 12: recorded as the terms say, not revoked before the consumption, consumed in its window. */
export function checkGrant(line: LineDraft, body: RelianceBody, at: Case): void {
  const { terms } = body.request;
  const { recorded, consumed } = body;
  const current = contractAt(at.trust, "grants", consumed.block.number);
  const isOneContract = [current, consumed.contract, recorded.contract].every((each) => each === terms.grants);
  if (terms.chainId !== at.trust.chainId || !isOneContract) fail("chain_mismatch");
  const { found, grant } = at.facts.locateGrant(terms, recorded);
  if (found === "absent") fail("grant_unknown");
  if (found === "other") fail("terms_commitment_mismatch");
  if (found === "elsewhere") fail("grant_mismatch");
  if (found === "unknown") line.pend("grant_unconfirmed");
  else line.restOn(at.facts.source);
  if (grant !== null && !isAsRecorded(terms, grant)) fail("terms_commitment_mismatch");
  if (grant !== null && grant.revoked !== null && !isBefore(consumed, grant.revoked)) fail("grant_revoked");
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

/**
 * Order in the chain. Within a block the two ways to name a place cannot be compared: there the
 * contract refuses the other order.
 */
function isBefore(one: Place, other: Place): boolean {
  if (one.block.number !== other.block.number) return one.block.number < other.block.number;
  const [first, second] = [orderInBlock(one), orderInBlock(other)];
  if (first.length !== second.length) return true;
  const at = first.findIndex((each, index) => each !== second[index]);
  return at >= 0 && (first[at] as number) < (second[at] as number);
}

/** Block-wide log index of version 0, or transaction and log of version 1. */
function orderInBlock(place: Place): number[] {
  const parts = place.inBlock.split("/");
  return (parts[0] as string).length === 64 ? [Number(parts[1])] : parts.map(Number);
}

/** Check 13: recorded, consumed, state read, decided: in this order, up to the skew of clocks. */
export function checkOrder(body: RelianceBody): void {
  const { recorded, consumed, stateBlock } = body;
  const latest = body.decidedAt + SKEW_S;
  if (!isBefore(recorded, consumed)) fail("permit_mismatch");
  if (stateBlock.number < consumed.block.number || stateBlock.timestamp > latest) fail("state_block_impossible");
  if (consumed.block.timestamp > latest) fail("decision_before_permit");
}
