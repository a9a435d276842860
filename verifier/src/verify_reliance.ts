/** Reliance receipts: the four lines (docs/spec/receipt.md, "Reliance"). */
import { type Hex, toHex } from "./bytes.ts";
import { computeCommitment, encodeEntry, encodeOrigin } from "./commitment.ts";
import { hashLeaf } from "./merkle.ts";
import type { Receipt } from "./receipt.ts";
import type { AnsweredMaterial } from "./release.ts";
import type { ReliedMaterial } from "./reliance_body.ts";
import { Refusal, once } from "./refusal.ts";
import { type Showing, verifyShowing } from "./statement.ts";
import type { Trust } from "./trust.ts";
import { type Line, LineDraft, fail } from "./verdict.ts";
import type { Case } from "./verify.ts";
import type { Needs } from "./verify_chain.ts";
import { checkGrant, checkOrder, checkPermit } from "./verify_grant.ts";
import { type SignedMessages, checkAcknowledgement, checkMessages } from "./verify_messages.ts";
import {
  SKEW_S,
  checkAnchorRight,
  checkAnchored,
  checkDocument,
  checkFlags,
  checkInclusion,
  checkMessageKey,
  checkSigned,
  checkValidity,
} from "./verify_parts.ts";
import { judgePerson, listCredentialLeaves } from "./verify_person.ts";

export type Reliance = Receipt & { readonly kind: "reliance" };

interface Relied {
  readonly relied: ReliedMaterial;
  readonly answered: AnsweredMaterial;
}

export const leafOfMaterial = (commitment: Hex): Hex => toHex(hashLeaf(encodeEntry("material", commitment)));

export function listRelianceNeeds(receipt: Reliance, trust: Trust): Needs {
  const { materials, recorded, consumed, stateBlock, request } = receipt.body;
  const { releasing } = request.terms;
  const flags = materials.map((each) => ({
    city: releasing,
    leafHash: leafOfMaterial(each.commitment),
    block: stateBlock.number,
  }));
  return {
    blocks: [...materials.map((each) => each.anchored.block), recorded.block, consumed.block, stateBlock],
    leaves: [...flags, ...listCredentialLeaves(request, trust.domain, recorded.block.number)],
  };
}

/** The materials relied on, each with its place in the answer. */
function listRelied(receipt: Reliance): Relied[] {
  const { materials, answer } = receipt.body;
  return materials.map((relied) => {
    const answered = answer.materials.find((each) => each.commitment === relied.commitment);
    if (answered === undefined) return fail("material_not_released");
    return { relied, answered };
  });
}

function showAll(receipt: Reliance, at: Case): Showing[] {
  const { terms } = receipt.body.request;
  return listRelied(receipt).map(({ relied, answered }) => {
    const origin = encodeOrigin(at.trust.domain, terms.releasing, answered.placement.generation);
    const showing = verifyShowing(origin, relied.commitment, answered.digests, relied.disclosed);
    if (!terms.types.some((each) => each.code === showing.typeCode)) fail("type_not_granted");
    return showing;
  });
}

export async function judgeReliance(receipt: Reliance, at: Case): Promise<Line[]> {
  const show = once(() => showAll(receipt, at));
  const messages = once(() => checkMessages(receipt.body));
  return [
    await new LineDraft("unchanged").judge((line) => judgeUnchanged(line, receipt, at, show, messages)),
    await new LineDraft("issuer_entitled").judge((line) => judgeIssuer(line, receipt, at, messages)),
    await new LineDraft("valid_as_of").judge((line) => judgeValid(line, receipt, at, show)),
    await new LineDraft("right_person").judge((line) => judgePerson(line, receipt, at, show)),
  ];
}

function judgeUnchanged(
  line: LineDraft,
  receipt: Reliance,
  at: Case,
  show: () => Showing[],
  messages: () => SignedMessages,
): void {
  const { releasing } = receipt.body.request.terms;
  checkSigned(line, receipt, at);
  for (const { relied, answered } of listRelied(receipt)) {
    checkInclusion(encodeEntry("material", relied.commitment), answered.placement);
    checkAnchored(line, at, releasing, answered.placement, relied.anchored, ["anchor_unknown", "anchor_mismatch"]);
  }
  checkDocument(at, show());
  checkAcknowledgement(receipt.body, messages().acknowledgement);
  checkPermit(line, receipt.body, at);
  judgeRelianceEntry(line, receipt, at);
}

/** Check 7: a `reliance` entry that commits to the body is in the relying city's log. */
function judgeRelianceEntry(line: LineDraft, receipt: Reliance, at: Case): void {
  const { body, seal } = receipt;
  if (seal === null) return line.pend("receipt_pending");
  if (seal.placement.generation !== body.generation) fail("generation_mismatch");
  const origin = encodeOrigin(at.trust.domain, body.city, body.generation);
  const commitment = computeCommitment("reliance", origin, seal.salt as Hex, receipt.bodyJson);
  try {
    checkInclusion(encodeEntry("reliance", commitment), seal.placement);
  } catch (error) {
    if (error instanceof Refusal) fail("reliance_inclusion_mismatch");
    throw error;
  }
  const codes = ["reliance_anchor_unknown", "reliance_anchor_mismatch"] as const;
  checkAnchored(line, at, body.city, seal.placement, seal.anchored, [...codes]);
}

function judgeIssuer(line: LineDraft, receipt: Reliance, at: Case, messages: () => SignedMessages): void {
  const { body, seal, signer } = receipt;
  const { terms } = body.request;
  if (signer.city !== body.city) fail("receipt_signer_mismatch");
  if (body.city !== terms.receiving) fail("receiver_mismatch");
  for (const { anchored } of body.materials) checkAnchorRight(at, terms.releasing, anchored);
  line.restOn("trusted_keys");
  const keys = messages();
  const { number, timestamp } = seal === null ? body.stateBlock : seal.anchored.block;
  checkMessageKey(at, signer, body.city, timestamp, number, ["receipt_key_unknown", "receipt_key_distrusted"]);
  const both = (code: "request_key_invalid" | "answer_key_invalid" | "acknowledgement_key_invalid") =>
    [code, code] as const;
  checkMessageKey(at, keys.request, terms.receiving, timestamp, number, [...both("request_key_invalid")]);
  checkMessageKey(at, keys.answer, terms.releasing, timestamp, number, [...both("answer_key_invalid")]);
  checkMessageKey(at, keys.acknowledgement.key, terms.receiving, timestamp, number, [
    ...both("acknowledgement_key_invalid"),
  ]);
  if (seal === null) return line.pend("receipt_pending");
  checkAnchorRight(at, body.city, seal.anchored);
  if (body.decidedAt > timestamp + SKEW_S) fail("receipt_time_impossible");
}

function judgeValid(line: LineDraft, receipt: Reliance, at: Case, show: () => Showing[]): void {
  const { body } = receipt;
  checkGrant(line, body, at);
  checkOrder(body);
  line.restOn("relying_city"); // open objections are its word
  for (const relied of body.materials) {
    const leafHash = leafOfMaterial(relied.commitment);
    const flags = at.facts.flagsAt(body.request.terms.releasing, leafHash, body.stateBlock.number);
    if (flags === null) line.pend("status_unconfirmed");
    else if (flags !== relied.status) fail("status_mismatch");
    checkFlags(line, relied.status);
    if (relied.openObjections > 0) line.pend("status_disputed");
  }
  for (const showing of show()) checkValidity(showing, body.decidedAt);
}
