/** Release requests, release answers, acknowledgements (docs/spec/release.md). */
import { type Bytes, type Hex, concat, fromBase64, fromHex, hashSha256, toHex, utf8 } from "./bytes.ts";
import { type Json, MEBIBYTE, encodeCanonical, parseCanonical } from "./canonical.ts";
import { type Evidence, readEvidence } from "./evidence.ts";
import { MAX_GENERATION, PLACEMENT_MEMBERS, type Placement, readPlacement } from "./placement.ts";
import {
  demand,
  demandDistinct,
  demandRising,
  readChoice,
  readCode,
  readHash,
  readInteger,
  readList,
  readObject,
  readText,
  readTime,
  readVersioned,
} from "./shape.ts";
import { parseDigest } from "./statement.ts";
import { type Terms, readTerms } from "./terms.ts";

const MAX_MATERIALS = 64;
const MAX_POSITION = 2 ** 16 - 2;
const MAX_DIGESTS = 2 ** 16 - 1;
const MAX_DOCUMENT_INDEX = 999;
const STANDINGS = ["active", "superseded", "disputed", "spent", "withdrawn", "erased"] as const;
/** Codes of a refusal (docs/spec/terms.md, "Decisions"). */
const REFUSALS = [
  "wrong_chain",
  "not_releaser",
  "not_receiver",
  "not_in_good_standing",
  "foreign_encryption_key",
  "grant_missing",
  "grant_revoked",
  "grant_not_yet_valid",
  "grant_expired",
  "grant_used_up",
  "grant_differs",
  "evidence_differs",
  "basis_refused",
  "chain_stale",
  "nothing_asked",
  "not_granted",
  "purpose_mismatch",
  "material_not_available",
  "material_withdrawn",
  "material_spent",
  "material_erased",
] as const;

export interface ReleaseRequest {
  /** The canonical bytes that were sent. */
  readonly bytes: Bytes;
  readonly terms: Terms;
  readonly bundle: readonly Hex[];
  readonly evidence: Evidence;
  readonly evidenceSalt: Hex;
  readonly generation: number;
}

export interface AnsweredMaterial {
  readonly commitment: Hex;
  readonly placement: Placement;
  readonly digests: readonly Hex[];
}

export interface ReleaseAnswer {
  readonly bytes: Bytes;
  readonly request: Hex;
  readonly materials: readonly AnsweredMaterial[];
}

export const parseRequest = (bytes: Bytes): ReleaseRequest => readRequest(parseCanonical(bytes, MEBIBYTE));

export function readRequest(value: Json | undefined): ReleaseRequest {
  const m = readVersioned(value, "tongban/release-request/v1", [
    "terms",
    "bundle",
    "evidence",
    "evidence_salt",
    "generation",
    "materials",
    "encryption_key",
    "sealed",
    "officer",
    "requested_at",
  ]);
  const bytes = encodeCanonical(m as Json);
  demand(bytes.length <= MEBIBYTE, "length of a request");
  const bundle = readList(m["bundle"], readHash, { max: 63 });
  demandRising(bundle, (each) => each);
  readCode(m["officer"]);
  readTime(m["requested_at"]);
  readHash(m["encryption_key"]);
  readSealed(m["sealed"]);
  const asked = readList(m["materials"], readAsked, { min: 1, max: MAX_MATERIALS });
  demandRising(asked, (each) => each);
  return {
    bytes,
    terms: readTerms(m["terms"]),
    bundle,
    evidence: readEvidence(m["evidence"]),
    evidenceSalt: readHash(m["evidence_salt"]),
    generation: readInteger(m["generation"], 0, MAX_GENERATION),
  };
}

function readAsked(value: Json): Hex {
  const m = readObject(value, ["commitment", "positions", "documents"]);
  const positions = readList(m["positions"], (item) => readInteger(item, 1, MAX_POSITION));
  const documents = readList(m["documents"], (item) => readInteger(item, 0, MAX_DOCUMENT_INDEX));
  demandRising(positions, (each) => each);
  demandRising(documents, (each) => each);
  demand(positions.length + documents.length > 0, "nothing asked of a material");
  return readHash(m["commitment"]);
}

function readSealed(value: Json | undefined): void {
  fromBase64(readText(value, 8 * MEBIBYTE));
}

export const parseAnswer = (bytes: Bytes): ReleaseAnswer => readAnswer(parseCanonical(bytes));

export function readAnswer(value: Json | undefined): ReleaseAnswer {
  const m = readVersioned(value, "tongban/release-answer/v1", [
    "request",
    "materials",
    "refused",
    "sealed",
    "answered_at",
  ]);
  const bytes = encodeCanonical(m as Json);
  demand(bytes.length <= 4 * MEBIBYTE, "length of an answer");
  readSealed(m["sealed"]);
  readTime(m["answered_at"]);
  const materials = readList(m["materials"], readAnswered, { min: 1, max: MAX_MATERIALS });
  const refused = readList(m["refused"], readRefused, { max: MAX_MATERIALS });
  demandRising(materials, (each) => each.commitment);
  demandRising(refused, (each) => each);
  demandDistinct([...materials.map((each) => each.commitment), ...refused]);
  return { bytes, request: readHash(m["request"]), materials };
}

function readAnswered(value: Json): AnsweredMaterial {
  const m = readObject(value, ["commitment", ...PLACEMENT_MEMBERS, "standing", "digests", "documents"]);
  readChoice(m["standing"], STANDINGS);
  const documents = readList(m["documents"], readDocument);
  demandRising(documents, (each) => each);
  return {
    commitment: readHash(m["commitment"]),
    placement: readPlacement(m),
    digests: readList(m["digests"], readHash, { max: MAX_DIGESTS }),
  };
}

function readDocument(value: Json): number {
  const m = readObject(value, ["index", "address", "sealed_bytes"]);
  parseDigest(m["address"]);
  readInteger(m["sealed_bytes"]);
  return readInteger(m["index"], 0, MAX_DOCUMENT_INDEX);
}

function readRefused(value: Json): Hex {
  const m = readObject(value, ["commitment", "code"]);
  readChoice(m["code"], REFUSALS);
  return readHash(m["commitment"]);
}

export const hashOf = (message: { readonly bytes: Bytes }): Hex => toHex(hashSha256(message.bytes));

export function computeReleaseCommitment(salt: Hex, request: Hex, answer: Hex): Hex {
  const parts = [salt, request, answer].map((each) => fromHex(each, 32));
  return toHex(hashSha256(utf8("tongban/release/v1\n"), concat(...parts)));
}
