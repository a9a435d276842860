/** Evidence of a grant: reading, common checks, officers at the counter (docs/spec/evidence.md). */
import { type Bytes, type Hex, fromBase64Url } from "./bytes.ts";
import type { Json } from "./canonical.ts";
import {
  type Credential,
  type LogFacts,
  type Officer,
  readCredential,
  readOfficer,
  verifyCredential,
} from "./credential.ts";
import { verifyAssertion } from "./evidence_assertion.ts";
import { verifyPasskey } from "./evidence_passkey.ts";
import { Refusal } from "./refusal.ts";
import {
  type Members,
  readBoolean,
  readChoice,
  readCode,
  readHash,
  readList,
  readObject,
  readShortText,
  readText,
  readTime,
} from "./shape.ts";
import { frameJson, isSignedBy, readSignature } from "./signatures.ts";
import { parseDigest } from "./statement.ts";
import { BASES, type Basis, type Terms, computeBundleChallenge } from "./terms.ts";

export const EVIDENCE_VERSION = "tongban/evidence/v1";
const MAX_FUTURE_S = 30;

export interface OfficerSignature {
  readonly credential: Credential;
  readonly signature: Bytes;
}

export interface PasskeyPart {
  readonly credential: Credential;
  readonly credentialId: Bytes;
  readonly authenticatorData: Bytes;
  readonly clientData: Bytes;
  readonly signature: Bytes;
  readonly rpId: string;
  readonly origin: string;
}

export interface AssertionPart {
  readonly provider: Credential;
  readonly token: string;
}

export interface Evidence {
  readonly json: Json;
  readonly kind: Basis;
  readonly challenge: Hex;
  readonly madeAt: number;
  readonly officers: readonly OfficerSignature[];
  /** Whether a device read the identity document at the counter. */
  readonly readByDevice: boolean;
  readonly passkey: PasskeyPart | null;
  readonly assertion: AssertionPart | null;
}

/** What asks for a second officer, besides what the evidence itself says. */
export interface EvidenceRules {
  readonly sensitiveTypes: ReadonlySet<string>;
  readonly wardIsMinor: boolean;
}

const MEMBERS: { readonly [kind in Basis]: readonly string[] } = {
  counter: ["identity_document", "signature", "officers"],
  statutory: ["duty", "officers"],
  passkey: ["credential", "assertion", "rp_id", "origin"],
  assertion: ["provider", "token"],
};

export function readEvidence(value: Json | undefined): Evidence {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Refusal("unexpected_shape");
  if (value["v"] !== EVIDENCE_VERSION) throw new Refusal("unknown_version");
  const kind = readChoice(value["kind"], BASES);
  const m = readObject(value, ["v", "kind", "challenge", "made_at", ...MEMBERS[kind]]);
  const common = { json: value, kind, challenge: readHash(m["challenge"]), madeAt: readTime(m["made_at"]) };
  const none = { officers: [], readByDevice: false, passkey: null, assertion: null };
  if (kind === "passkey") return { ...common, ...none, passkey: readPasskeyPart(m) };
  if (kind === "assertion") return { ...common, ...none, assertion: readAssertionPart(m) };
  const officers = readList(m["officers"], readOfficerSignature, { min: 1, max: 2 });
  if (kind === "counter") return { ...common, ...none, officers, readByDevice: readCounter(m) };
  const duty = readObject(m["duty"], ["law", "article"]);
  readShortText(duty["law"]);
  readShortText(duty["article"]);
  return { ...common, ...none, officers };
}

function readCounter(m: Members): boolean {
  const document = readObject(m["identity_document"], ["scheme", "read_by_device"]);
  readCode(document["scheme"]);
  const signature = readObject(m["signature"], ["digest", "how"]);
  parseDigest(signature["digest"]);
  readChoice(signature["how"], ["pad", "slip"]);
  return readBoolean(document["read_by_device"]);
}

function readOfficerSignature(value: Json): OfficerSignature {
  const m = readObject(value, ["credential", "signature"]);
  return { credential: readCredential(m["credential"]), signature: readSignature(m["signature"]) };
}

function readPasskeyPart(m: Members): PasskeyPart {
  const a = readObject(m["assertion"], ["credentialId", "authenticatorData", "clientDataJSON", "signature"]);
  return {
    credential: readCredential(m["credential"]),
    credentialId: fromBase64Url(a["credentialId"]),
    authenticatorData: fromBase64Url(a["authenticatorData"]),
    clientData: fromBase64Url(a["clientDataJSON"]),
    signature: fromBase64Url(a["signature"]),
    rpId: readShortText(m["rp_id"]),
    origin: readShortText(m["origin"]),
  };
}

function readAssertionPart(m: Members): AssertionPart {
  const token = readText(m["token"], 16_384);
  const parts = token.split(".");
  if (parts.length !== 3) throw new Refusal("unexpected_shape", "token");
  for (const part of parts) fromBase64Url(part);
  return { provider: readCredential(m["provider"]), token };
}

/**
 * Check evidence against the terms it stands for.
 *
 * `asOf` is the time by which the evidence is known to exist: the block time of `GrantRecorded`.
 */
export async function verifyEvidence(
  evidence: Evidence,
  terms: Terms,
  bundle: readonly Hex[],
  asOf: number,
  facts: LogFacts,
  rules: EvidenceRules,
): Promise<void> {
  if (evidence.kind !== terms.basis) throw new Refusal("evidence_invalid", "kind");
  if (evidence.challenge !== computeBundleChallenge([terms.grantId, ...bundle])) {
    throw new Refusal("evidence_invalid", "challenge");
  }
  if (evidence.madeAt > asOf + MAX_FUTURE_S) throw new Refusal("evidence_invalid", "from the future");
  if (evidence.madeAt >= terms.notAfter) throw new Refusal("evidence_invalid", "after the window");
  const at = { usedAt: evidence.madeAt, knownAt: asOf };
  if (evidence.passkey !== null) verifyPasskey(evidence.passkey, evidence.challenge, terms, at, facts);
  else if (evidence.assertion !== null) await verifyAssertion(evidence.assertion, evidence, terms, at, facts);
  else verifyOfficers(evidence, terms, at, facts, rules);
}

function verifyOfficers(
  evidence: Evidence,
  terms: Terms,
  at: { usedAt: number; knownAt: number },
  facts: LogFacts,
  rules: EvidenceRules,
): void {
  const signed = frameJson(EVIDENCE_VERSION, withoutSignatures(evidence));
  const officers = evidence.officers.map(({ credential, signature }) => {
    const officer = readAsOfficer(credential);
    if (officer.city !== terms.recording) throw new Refusal("evidence_officer", "of another city");
    verifyCredential(credential, terms.recording, at, facts);
    if (!isSignedBy(officer.key, signed, signature)) throw new Refusal("evidence_officer", "signature");
    return officer;
  });
  const [one, other] = officers;
  if (one !== undefined && other !== undefined) {
    if (one.officer === other.officer || one.key === other.key)
      throw new Refusal("evidence_officer", "one person twice");
  } else if (needsTwo(evidence, terms, rules)) throw new Refusal("evidence_officer", "two are needed");
}

function readAsOfficer(credential: Credential): Officer {
  return readOfficer(credential.body);
}

function needsTwo(evidence: Evidence, terms: Terms, rules: EvidenceRules): boolean {
  return (
    evidence.kind === "statutory" ||
    !evidence.readByDevice ||
    terms.types.some((each) => rules.sensitiveTypes.has(each.code)) ||
    terms.grantor === "agent" ||
    (terms.grantor === "guardian" && !rules.wardIsMinor)
  );
}

function withoutSignatures(evidence: Evidence): Json {
  const value = evidence.json as { [name: string]: Json };
  const officers = evidence.officers.map((_, at) => {
    const officer = (value["officers"] as Json[])[at] as { [name: string]: Json };
    return { credential: officer["credential"] as Json };
  });
  return { ...value, officers };
}
