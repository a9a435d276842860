/** Terms of a grant, grant ids, bundle challenges (docs/spec/terms.md). */
import { type Hex, concat, fromHex, hashSha256, toHex, utf8 } from "./bytes.ts";
import { type Json, encodeCanonical } from "./canonical.ts";
import {
  demand,
  demandDistinct,
  readAddress,
  readBoolean,
  readChoice,
  readCity,
  readCode,
  readHash,
  readInteger,
  readList,
  readNullable,
  readObject,
  readTime,
  readVersioned,
} from "./shape.ts";

export const BASES = ["passkey", "counter", "assertion", "statutory"] as const;
export type Basis = (typeof BASES)[number];
const MAX_WINDOW_S = 366 * 86_400;
const MAX_LISTED = 64;

export interface GrantedType {
  readonly code: string;
  readonly fields: readonly string[];
  readonly documents: boolean;
}

export interface Terms {
  readonly grantId: Hex;
  readonly chainId: number;
  readonly grants: Hex;
  readonly recording: string;
  readonly releasing: string;
  readonly receiving: string;
  readonly subject: Hex;
  readonly item: Hex;
  readonly case: Hex;
  readonly grantor: "self" | "guardian" | "agent" | null;
  readonly materials: readonly Hex[] | null;
  readonly types: readonly GrantedType[];
  readonly notBefore: number;
  readonly notAfter: number;
  readonly uses: number;
  readonly basis: Basis;
}

export function readTerms(value: Json | undefined): Terms {
  const m = readVersioned(value, "tongban/terms/v1", [
    "salt",
    "chain_id",
    "grants",
    "recording",
    "releasing",
    "receiving",
    "subject",
    "item",
    "case",
    "grantor",
    "materials",
    "types",
    "not_before",
    "not_after",
    "uses",
    "basis",
    "text",
  ]);
  readHash(m["salt"]);
  readCode(m["text"]);
  const terms: Terms = {
    grantId: toHex(hashSha256(utf8("tongban/terms/v1\n"), encodeCanonical(m as Json))),
    chainId: readInteger(m["chain_id"], 1),
    grants: readAddress(m["grants"]),
    recording: readCity(m["recording"]),
    releasing: readCity(m["releasing"]),
    receiving: readCity(m["receiving"]),
    subject: readHash(m["subject"]),
    item: readHash(m["item"]),
    case: readHash(m["case"]),
    grantor: readNullable(m["grantor"], readGrantor),
    materials: readNullable(m["materials"], (item) => readList(item, readHash, { min: 1, max: MAX_LISTED })),
    types: readList(m["types"], readType, { min: 1, max: MAX_LISTED }),
    notBefore: readTime(m["not_before"]),
    notAfter: readTime(m["not_after"]),
    uses: readInteger(m["uses"], 1, 1000),
    basis: readChoice(m["basis"], BASES),
  };
  demand(terms.releasing !== terms.receiving, "releases to itself");
  demand((terms.grantor === null) === (terms.basis === "statutory"), "who grants");
  demand(terms.notBefore < terms.notAfter && terms.notAfter - terms.notBefore <= MAX_WINDOW_S, "window");
  demandDistinct(terms.materials ?? []);
  demandDistinct(terms.types.map((each) => each.code));
  return terms;
}

function readGrantor(value: Json | undefined): "self" | "guardian" | "agent" {
  const members = readObject(value, ["kind", "mandate"]);
  const kind = readChoice(members["kind"], ["self", "guardian", "agent"]);
  const mandate = readNullable(members["mandate"], readHash);
  demand(kind !== "agent" || mandate !== null, "an agent without mandate");
  demand(kind !== "self" || mandate === null, "a mandate of nobody");
  return kind;
}

function readType(value: Json): GrantedType {
  const members = readObject(value, ["code", "fields", "documents"]);
  const fields = readList(members["fields"], readCode, { max: MAX_LISTED });
  const documents = readBoolean(members["documents"]);
  demandDistinct(fields);
  demand(documents || fields.length > 0, "nothing of a type");
  return { code: readCode(members["code"]), fields, documents };
}

/** What is signed in one ceremony; 1 to 64 distinct grant ids, in any order. */
export function computeBundleChallenge(grantIds: readonly Hex[]): Hex {
  demand(grantIds.length >= 1 && grantIds.length <= MAX_LISTED, "size of a bundle");
  demandDistinct(grantIds);
  const sorted = [...grantIds].sort().map((each) => fromHex(each, 32));
  return toHex(hashSha256(utf8("tongban/bundle/v1\n"), concat(...sorted)));
}
