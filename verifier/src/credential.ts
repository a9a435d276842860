/** Credentials: keys of officers, passkeys, key sets of identity providers (docs/spec/evidence.md). */
import { type Hex, fromBase64Url } from "./bytes.ts";
import type { Json } from "./canonical.ts";
import { computeCommitment, encodeEntry, encodeOrigin } from "./commitment.ts";
import { hashLeaf } from "./merkle.ts";
import { PLACEMENT_MEMBERS, type Placement, readPlacement, verifyPlacement } from "./placement.ts";
import { Refusal } from "./refusal.ts";
import {
  type Members,
  demand,
  demandDistinct,
  readChoice,
  readCity,
  readCode,
  readHash,
  readList,
  readObject,
  readShortText,
  readText,
  readVersioned,
} from "./shape.ts";
import { toHex } from "./bytes.ts";

export interface Credential {
  readonly salt: Hex;
  readonly body: Json;
  readonly placement: Placement;
}

export interface Officer {
  readonly city: string;
  readonly officer: string;
  readonly key: Hex;
}

export interface Passkey {
  readonly city: string;
  readonly credentialId: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly rpId: string;
  readonly subject: Hex;
}

export interface Provider {
  readonly city: string;
  readonly issuer: string;
  readonly audience: string;
  readonly keys: readonly Members[];
}

/** What is known of other cities' logs: when a head was anchored, when a leaf was withdrawn. */
export interface LogFacts {
  readonly domain: string;
  /** Block time of the anchor; null: not anchored. Refuses with `evidence_unconfirmed` if unknown. */
  anchoredAt(city: string, placement: Placement): number | null;
  /** Time of withdrawal as far as known; null: not withdrawn. */
  withdrawnAt(city: string, leafHash: Hex): number | null;
}

export function readCredential(value: Json | undefined): Credential {
  const members = readObject(value, ["salt", "body", ...PLACEMENT_MEMBERS]);
  return { salt: readHash(members["salt"]), body: members["body"] as Json, placement: readPlacement(members) };
}

export function readOfficer(body: Json): Officer {
  const m = readVersioned(body, "tongban/credential/officer/v1", ["city", "officer", "role", "key", "from"]);
  readChoice(m["role"], ["registrar", "reviewer", "supervisor"]);
  const from = readText(m["from"], 20);
  demand(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(from) && !Number.isNaN(Date.parse(from)), "from");
  return { city: readCity(m["city"]), officer: readCode(m["officer"]), key: readHash(m["key"]) };
}

export function readPasskey(body: Json): Passkey {
  const m = readVersioned(body, "tongban/credential/passkey/v1", [
    "city",
    "credential_id",
    "public_key",
    "rp_id",
    "subject",
  ]);
  return {
    city: readCity(m["city"]),
    credentialId: fromBase64Url(m["credential_id"]),
    publicKey: fromBase64Url(m["public_key"]),
    rpId: readText(m["rp_id"], 253),
    subject: readHash(m["subject"]),
  };
}

const KEY_MEMBERS: { readonly [kty: string]: readonly string[] } = {
  EC: ["kty", "kid", "alg", "crv", "x", "y"],
  OKP: ["kty", "kid", "alg", "crv", "x"],
  RSA: ["kty", "kid", "alg", "n", "e"],
};

export function readProvider(body: Json): Provider {
  const m = readVersioned(body, "tongban/credential/provider/v1", ["city", "issuer", "audience", "keys"]);
  const keys = readList(m["keys"], readProviderKey, { min: 1, max: 8 });
  demandDistinct(keys.map((each) => each["kid"] as string));
  return {
    city: readCity(m["city"]),
    issuer: readShortText(m["issuer"]),
    audience: readShortText(m["audience"]),
    keys,
  };
}

function readProviderKey(value: Json): Members {
  demand(typeof value === "object" && value !== null && !Array.isArray(value), "no key");
  const kty = readChoice(value["kty"], ["EC", "OKP", "RSA"]);
  const members = readObject(value, KEY_MEMBERS[kty] as readonly string[]);
  for (const each of Object.values(members)) readText(each, 2048);
  return members;
}

/**
 * Check that the credential is of the city, was anchored before its use, and not withdrawn by then.
 * Refuses with `credential_too_young`, `credential_withdrawn`, `not_anchored`, `root_mismatch`.
 */
export function verifyCredential(
  credential: Credential,
  city: string,
  used: { usedAt: number; knownAt: number },
  facts: LogFacts,
): void {
  const { placement, salt, body } = credential;
  const origin = encodeOrigin(facts.domain, city, placement.generation);
  const entry = encodeEntry("credential", computeCommitment("credential", origin, salt, body));
  verifyPlacement(entry, placement);
  const anchoredAt = facts.anchoredAt(city, placement);
  if (anchoredAt === null) throw new Refusal("not_anchored");
  if (anchoredAt >= used.usedAt) throw new Refusal("credential_too_young");
  const withdrawnAt = facts.withdrawnAt(city, toHex(hashLeaf(entry)));
  if (withdrawnAt !== null && withdrawnAt <= used.knownAt) throw new Refusal("credential_withdrawn");
}
