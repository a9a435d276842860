/** Evidence by a member city's identity provider: its ID token (docs/spec/evidence.md, "Checks"). */
import { type JWK, compactVerify, importJWK } from "jose";
import { fromBase64Url, fromHex, toBase64Url } from "./bytes.ts";
import { type LogFacts, type Provider, readProvider, verifyCredential } from "./credential.ts";
import type { AssertionPart } from "./evidence.ts";
import { Refusal } from "./refusal.ts";
import type { Members } from "./shape.ts";
import type { Terms } from "./terms.ts";

const ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"];
const CLAIMS = new Set([
  "iss",
  "sub",
  "aud",
  "azp",
  "iat",
  "nbf",
  "exp",
  "auth_time",
  "nonce",
  "acr",
  "amr",
  "at_hash",
  "jti",
  "sid",
  "tongban_subject",
]);
const MAX_AGE_S = 600;
const MAX_FUTURE_S = 30;

type Claims = { readonly [name: string]: unknown };

function demandProvider(condition: boolean, detail: string): asserts condition {
  if (!condition) throw new Refusal("evidence_assertion", detail);
}

export async function verifyAssertion(
  part: AssertionPart,
  evidence: { challenge: string; madeAt: number },
  terms: Terms,
  at: { usedAt: number; knownAt: number },
  facts: LogFacts,
): Promise<void> {
  const provider = readProvider(part.provider.body);
  demandProvider(provider.city === terms.recording, "provider of another city");
  verifyCredential(part.provider, terms.recording, at, facts);
  const claims = await readSigned(part.token, provider);
  for (const name of Object.keys(claims)) demandProvider(CLAIMS.has(name), `claim ${name}`);
  demandProvider(claims["iss"] === provider.issuer, "issuer");
  demandProvider(typeof claims["sub"] === "string" && claims["sub"] !== "", "no person");
  demandAudience(claims, provider.audience);
  demandProvider(claims["nonce"] === toBase64Url(fromHex(evidence.challenge, 32)), "nonce");
  demandProvider(claims["tongban_subject"] === terms.subject, "another person");
  demandTimes(claims, evidence.madeAt);
}

async function readSigned(token: string, provider: Provider): Promise<Claims> {
  const header = readHeader(token.split(".")[0] as string);
  const key = provider.keys.find((each) => each["kid"] === header["kid"]);
  demandProvider(key !== undefined, "key");
  demandProvider(ALGORITHMS.includes(header["alg"] as string) && header["alg"] === key["alg"], "algorithm");
  try {
    const imported = await importJWK(key as JWK, key["alg"] as string);
    const { payload } = await compactVerify(token, imported, { algorithms: ALGORITHMS });
    const claims: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
    demandProvider(typeof claims === "object" && claims !== null && !Array.isArray(claims), "claims");
    return claims as Claims;
  } catch {
    throw new Refusal("evidence_assertion", "signature");
  }
}

function readHeader(part: string): Members {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(fromBase64Url(part));
    const header = JSON.parse(text) as Members | null;
    if (typeof header === "object" && header !== null) return header;
  } catch {
    // no header: falls through
  }
  throw new Refusal("evidence_assertion", "header");
}

function demandAudience(claims: Claims, audience: string): void {
  const { aud, azp } = claims as { aud?: unknown; azp?: unknown };
  const all = Array.isArray(aud) ? aud : [aud];
  demandProvider(all.includes(audience), "audience");
  demandProvider(all.length === 1 || azp === audience, "several audiences");
  demandProvider(azp === undefined || azp === audience, "authorised party");
}

function demandTimes(claims: Claims, madeAt: number): void {
  const { iat, exp, nbf } = claims as { iat?: unknown; exp?: unknown; nbf?: unknown };
  demandProvider(typeof iat === "number" && typeof exp === "number", "times");
  demandProvider(iat >= madeAt - MAX_AGE_S && iat <= madeAt + MAX_FUTURE_S, "issued");
  demandProvider(exp > madeAt, "expired");
  demandProvider(nbf === undefined || (typeof nbf === "number" && nbf <= madeAt + MAX_FUTURE_S), "not before");
}
