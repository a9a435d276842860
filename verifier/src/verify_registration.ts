/** Registration receipts: three lines of the four (docs/spec/receipt.md, "Registration"). */
import { toHex } from "./bytes.ts";
import { encodeEntry, encodeOrigin } from "./commitment.ts";
import { hashLeaf } from "./merkle.ts";
import type { Receipt } from "./receipt.ts";
import { type Showing, verifyShowing } from "./statement.ts";
import { isDistrusted, keyAt } from "./trust.ts";
import { type Line, LineDraft, fail } from "./verdict.ts";
import type { Case } from "./verify.ts";
import type { Needs } from "./verify_chain.ts";
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

type Registration = Receipt & { readonly kind: "registration" };

const entryOf = (receipt: Registration): Uint8Array => encodeEntry("material", receipt.body.commitment);
const leafOf = (receipt: Registration): string => toHex(hashLeaf(entryOf(receipt)));

/** Flags of the material's leaf may be carried after any block. */
export function listRegistrationNeeds(receipt: Registration): Needs {
  return { blocks: [], leaves: [{ city: receipt.body.city, leafHash: leafOf(receipt), block: null }] };
}

export async function judgeRegistration(receipt: Registration, at: Case): Promise<Line[]> {
  const showing = (): Showing => {
    const { city, generation, commitment, digests, disclosed } = receipt.body;
    return verifyShowing(encodeOrigin(at.trust.domain, city, generation), commitment, digests, disclosed);
  };
  return [
    await new LineDraft("unchanged").judge((line) => judgeUnchanged(line, receipt, at, showing)),
    await new LineDraft("issuer_entitled").judge((line) => judgeIssuer(line, receipt, at)),
    await new LineDraft("valid_as_of").judge((line) => judgeValid(line, receipt, at, showing)),
    { question: "right_person", state: "not_stated", code: null, restsOn: [] },
  ];
}

function judgeUnchanged(line: LineDraft, receipt: Registration, at: Case, showing: () => Showing): void {
  const { body, seal } = receipt;
  checkSigned(line, receipt, at);
  checkDocument(at, [showing()]);
  if (seal === null) return line.pend("receipt_pending");
  if (seal.placement.generation !== body.generation) fail("generation_mismatch");
  checkInclusion(entryOf(receipt), seal.placement);
  checkAnchored(line, at, body.city, seal.placement, seal.anchored, ["anchor_unknown", "anchor_mismatch"]);
}

function judgeIssuer(line: LineDraft, receipt: Registration, at: Case): void {
  const { body, seal, signer } = receipt;
  if (signer.city !== body.city) fail("receipt_signer_mismatch");
  if (seal === null) {
    const key = keyAt(at.trust, body.city, "message", body.registeredAt);
    if (key === null || key.key !== signer.key) fail("receipt_key_unknown");
    if (isDistrusted(key, Number.MAX_SAFE_INTEGER)) fail("receipt_key_distrusted");
    line.restOn("trusted_keys");
    return line.pend("receipt_pending");
  }
  const { number, timestamp } = seal.anchored.block;
  checkMessageKey(at, signer, body.city, timestamp, number, ["receipt_key_unknown", "receipt_key_distrusted"]);
  line.restOn("trusted_keys");
  checkAnchorRight(at, body.city, seal.anchored);
  if (body.registeredAt > timestamp + SKEW_S) fail("receipt_time_impossible");
}

function judgeValid(line: LineDraft, receipt: Registration, at: Case, showing: () => Showing): void {
  const { body, seal } = receipt;
  const known = at.facts.newestFlags(body.city, leafOf(receipt));
  if (seal === null) line.pend("receipt_pending");
  else if (known === null || known.block.number < seal.anchored.block.number) line.pend("status_unconfirmed");
  if (known === null) return; // no time at which dates could be judged
  checkFlags(line, known.flags);
  line.restOn(at.facts.source);
  checkValidity(showing(), known.block.timestamp);
}
