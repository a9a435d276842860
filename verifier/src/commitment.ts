/** Log entries and salted commitments (docs/spec/entry.md). */
import { type Bytes, type Hex, concat, fromHex, hashSha256, toHex, utf8 } from "./bytes.ts";
import { type Json, encodeCanonical } from "./canonical.ts";
import { Refusal } from "./refusal.ts";
import { readHash, readObject } from "./shape.ts";

const ENTRY_KINDS = { material: 1, credential: 2, access: 3, reliance: 4, generation: 5 } as const;
const COMMITMENT_KINDS = [
  "credential",
  "access",
  "reliance",
  "generation",
  "evidence",
  "successor",
  "subject",
  "case",
  "item",
  "objection",
  "outcome",
] as const;
export type EntryKind = keyof typeof ENTRY_KINDS;
export type CommitmentKind = (typeof COMMITMENT_KINDS)[number];

/** A salt and the body it hides. */
export interface Opening {
  readonly salt: Hex;
  readonly body: Json;
}

export const encodeEntry = (kind: EntryKind, commitment: Hex): Bytes =>
  concat(new Uint8Array([1, ENTRY_KINDS[kind]]), fromHex(commitment, 32));

/** Origin of a city's log: `<consortium domain>/<division code>/<generation>`. */
export const encodeOrigin = (domain: string, city: string, generation: number): string =>
  `${domain}/${city}/${generation}`;

export function computeCommitment(kind: CommitmentKind, origin: string, salt: Hex, body: Json): Hex {
  if (!/^[\x21-\x7e]+$/.test(origin) || !COMMITMENT_KINDS.includes(kind)) throw new Refusal("malformed_commitment");
  if (!/^[0-9a-f]{64}$/.test(salt)) throw new Refusal("malformed_commitment");
  const head = utf8(`tongban/${kind}/v1\n${origin}\n`);
  return toHex(hashSha256(head, fromHex(salt, 32), hashSha256(encodeCanonical(body))));
}

export function readOpening(value: Json | undefined): Opening {
  const members = readObject(value, ["salt", "body"]);
  return { salt: readHash(members["salt"]), body: members["body"] as Json };
}
