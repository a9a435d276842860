/** Statements shown in part, disclosures, values of documents (docs/spec/statement.md). */
import { type Hex, concat, fromBase64Url, fromHex, hashSha256, toHex, utf8 } from "./bytes.ts";
import { type Json, parseCanonical } from "./canonical.ts";
import { Refusal } from "./refusal.ts";
import {
  demand,
  demandRising,
  readChoice,
  readInteger,
  readList,
  readNullable,
  readObject,
  readText,
} from "./shape.ts";

const FIELDS = [
  "type",
  "subjects",
  "issuer",
  "number",
  "issued_on",
  "valid_from",
  "valid_until",
  "grade",
  "original_check",
  "retention",
  "predecessor",
  "attributes",
] as const;
const MAX_DOCUMENTS = 1000;
const MAX_DISCLOSURE = 65_536;
export const MAX_DIGESTS = FIELDS.length + MAX_DOCUMENTS;

/** One field handed over: its position and its text. */
export interface Disclosed {
  readonly position: number;
  readonly text: string;
}

/** What a statement shows: its type, and the values of the fields shown, by name. */
export interface Showing {
  readonly typeCode: string;
  readonly values: ReadonlyMap<string, Json>;
}

export function readDisclosed(value: Json | undefined): Disclosed[] {
  const shown = readList(
    value,
    (item) => {
      const members = readObject(item, ["position", "text"]);
      return {
        position: readInteger(members["position"], 0, MAX_DIGESTS - 1),
        text: readText(members["text"], MAX_DISCLOSURE),
      };
    },
    { max: MAX_DIGESTS },
  );
  demandRising(shown, (each) => each.position);
  return shown;
}

/** Name and value of a disclosure. */
export function parseDisclosure(text: string): { name: string; value: Json; salt: Hex } {
  if (text.length > MAX_DISCLOSURE) throw new Refusal("malformed_disclosure");
  const array = parseCanonical(fromBase64Url(text));
  if (!Array.isArray(array) || array.length !== 3) throw new Refusal("malformed_disclosure");
  const [salt, name, value] = array as [Json, Json, Json];
  if (typeof salt !== "string" || typeof name !== "string") throw new Refusal("malformed_disclosure");
  const bytes = fromBase64Url(salt);
  if (bytes.length !== 32) throw new Refusal("malformed_disclosure");
  return { name, value, salt: toHex(bytes) };
}

export const hashDisclosure = (text: string): Hex => toHex(hashSha256(utf8(text)));

const nameAt = (position: number): string => FIELDS[position] ?? `document.${position - FIELDS.length}`;

export function computeStatementCommitment(origin: string, digests: readonly Hex[]): Hex {
  const count = new Uint8Array([digests.length >> 8, digests.length & 255]);
  const head = utf8(`tongban/statement/v1\n${origin}\n`);
  return toHex(hashSha256(head, count, concat(...digests.map((each) => fromHex(each, 32)))));
}

/**
 * Check what is shown against the commitment.
 * Refuses with `statement_commitment_mismatch`, `disclosure_digest_mismatch`, `disclosure_malformed`.
 */
export function verifyShowing(
  origin: string,
  commitment: Hex,
  digests: readonly Hex[],
  disclosed: readonly Disclosed[],
): Showing {
  if (computeStatementCommitment(origin, digests) !== commitment) throw new Refusal("statement_commitment_mismatch");
  for (const { position, text } of disclosed) {
    if (digests[position] !== hashDisclosure(text)) throw new Refusal("disclosure_digest_mismatch");
  }
  try {
    demand(digests.length >= FIELDS.length && digests.length <= MAX_DIGESTS, "number of digests");
    const values = new Map<string, Json>();
    for (const { position, text } of disclosed) {
      const { name, value } = parseDisclosure(text);
      demand(name === nameAt(position), "name of another field");
      values.set(name, value);
    }
    return { typeCode: readType(values.get("type")), values };
  } catch (error) {
    if (error instanceof Refusal) throw new Refusal("disclosure_malformed", error.message);
    throw error;
  }
}

function readType(value: Json | undefined): string {
  const members = readObject(value, ["code", "version"]);
  demand(members["version"] === 1, "version of the type");
  const code = readText(members["code"], 64);
  demand(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(code), "code of the type");
  return code;
}

/** Digests of the documents shown, `sha-256:…`; refuses with `disclosure_malformed`. */
export function listDocumentDigests(showing: Showing): Hex[] {
  const shown = [...showing.values].filter(([name]) => name.startsWith("document."));
  try {
    return shown.map(([, value]) => readDocumentDigest(value));
  } catch (error) {
    if (error instanceof Refusal) throw new Refusal("disclosure_malformed", error.message);
    throw error;
  }
}

function readDocumentDigest(value: Json): Hex {
  const members = readObject(value, ["concerns", "digest", "extent", "media_type", "pages", "size_bytes"]);
  const concerns = readList(members["concerns"], (item) => readInteger(item));
  demandRising(concerns, (each) => each);
  readChoice(members["extent"], ["complete", "extract"]);
  demand(/^[a-z0-9.+-]+\/[a-z0-9.+-]+$/.test(readText(members["media_type"])), "media type");
  readNullable(members["pages"], (item) => readInteger(item));
  readNullable(members["size_bytes"], (item) => readInteger(item));
  return parseDigest(members["digest"]);
}

/** SHA-256 of a text `sha-256:<hex>`. */
export function parseDigest(value: Json | undefined): Hex {
  const text = readText(value, 72);
  if (!text.startsWith("sha-256:")) throw new Refusal("unknown_digest_algorithm");
  return toHex(fromHex(text.slice(8), 32));
}
