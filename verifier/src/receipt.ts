/** Receipts of both versions as files (docs/spec/receipt.md, receipt-v1.md). */
import type { Bytes, Hex } from "./bytes.ts";
import { type Json, MEBIBYTE, parseCanonical } from "./canonical.ts";
import { type ChainEvidence, readChainEvidence } from "./chain_evidence.ts";
import { type Place, readPlace, readPosition } from "./facts.ts";
import { PLACEMENT_MEMBERS, type Placement, readPlacement } from "./placement.ts";
import { Refusal, refuseAs } from "./refusal.ts";
import { type RegistrationBody, readRegistrationBody } from "./registration_body.ts";
import { type RelianceBody, readRelianceBody } from "./reliance_body.ts";
import { type Members, readChoice, readHash, readNullable, readObject } from "./shape.ts";
import { type MessageKey, frameJson, isSignedBy, readKeyId, readSignature } from "./signatures.ts";

export const MAX_RECEIPT_BYTES = 16 * MEBIBYTE;
const MAX_BYTES_V0 = 4 * MEBIBYTE;
const VERSIONS = ["tongban/receipt/v0", "tongban/receipt/v1"] as const;
export type ReceiptVersion = 0 | 1;
export type PlaceReader = (value: Json | undefined) => Place;

export interface Seal {
  readonly placement: Placement;
  readonly anchored: Place;
  /** Of the reliance entry; null in a registration receipt. */
  readonly salt: Hex | null;
}

interface Common {
  readonly version: ReceiptVersion;
  readonly signer: MessageKey;
  readonly isSigned: boolean;
  readonly seal: Seal | null;
  readonly chain: ChainEvidence | null;
  readonly bodyJson: Json;
}

export type Receipt =
  | (Common & { readonly kind: "registration"; readonly body: RegistrationBody })
  | (Common & { readonly kind: "reliance"; readonly body: RelianceBody });

/** Read a receipt of either version; everything else is `receipt_not_canonical`. */
export const parseReceipt = (bytes: Bytes): Receipt => refuseAs("receipt_not_canonical", () => readReceipt(bytes));

function readReceipt(bytes: Bytes): Receipt {
  const value = parseCanonical(bytes, MAX_RECEIPT_BYTES);
  const v = readChoice((value as Members | null)?.["v"], VERSIONS);
  const version: ReceiptVersion = v === VERSIONS[1] ? 1 : 0;
  if (version === 0 && bytes.length > MAX_BYTES_V0) throw new Refusal("not_canonical", "too long");
  const names = ["v", "kind", "body", "keyid", "signature", "seal", ...(version === 1 ? ["chain"] : [])];
  const m = readObject(value, names);
  const kind = readChoice(m["kind"], ["registration", "reliance"]);
  const signer = readKeyId(m["keyid"]);
  const signature = readSignature(m["signature"]);
  const signed = { v, kind, body: m["body"] as Json, keyid: m["keyid"] as Json };
  const readEvent: PlaceReader = version === 1 ? readPlace : readPosition;
  const common: Common = {
    version,
    signer,
    isSigned: isSignedBy(signer.key, frameJson(v, signed), signature),
    seal: readNullable(m["seal"], (item) => readSeal(item, kind === "reliance", readEvent)),
    chain: version === 1 ? readNullable(m["chain"], readChainEvidence) : null,
    bodyJson: m["body"] as Json,
  };
  if (kind === "registration") return { ...common, kind, body: readRegistrationBody(m["body"]) };
  return { ...common, kind, body: readRelianceBody(m["body"], version, readEvent) };
}

function readSeal(value: Json | undefined, isSalted: boolean, readEvent: PlaceReader): Seal {
  const m = readObject(value, [...PLACEMENT_MEMBERS, "anchored", ...(isSalted ? ["salt"] : [])]);
  return {
    placement: readPlacement(m),
    anchored: readEvent(m["anchored"]),
    salt: isSalted ? readHash(m["salt"]) : null,
  };
}
