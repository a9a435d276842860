/** Evidence by passkey: a WebAuthn assertion over the challenge (docs/spec/evidence.md, "Checks"). */
import { ed25519 } from "@noble/curves/ed25519.js";
import { p256 } from "@noble/curves/nist.js";
import { decode } from "cborg";
import { type Bytes, type Hex, concat, equalBytes, fromHex, hashSha256, toBase64Url, utf8 } from "./bytes.ts";
import { type LogFacts, readPasskey, verifyCredential } from "./credential.ts";
import type { PasskeyPart } from "./evidence.ts";
import { Refusal } from "./refusal.ts";
import type { Terms } from "./terms.ts";

const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
const MIN_AUTHENTICATOR_DATA = 37; // bytes: RP ID hash, flags, counter
const ES256 = -7;
const EDDSA = -8;

function demandPasskey(condition: boolean, detail: string): asserts condition {
  if (!condition) throw new Refusal("evidence_passkey", detail);
}

export function verifyPasskey(
  part: PasskeyPart,
  challenge: Hex,
  terms: Terms,
  at: { usedAt: number; knownAt: number },
  facts: LogFacts,
): void {
  const passkey = readPasskey(part.credential.body);
  demandPasskey(passkey.city === terms.recording, "of another city");
  demandPasskey(passkey.subject === terms.subject, "of another person");
  verifyCredential(part.credential, terms.recording, at, facts);
  demandPasskey(equalBytes(part.credentialId, passkey.credentialId), "another credential");
  demandPasskey(part.rpId === passkey.rpId, "another relying party");
  demandPasskey(isPageOf(part.origin, part.rpId), "page of another site");
  verifyClientData(part.clientData, challenge, part.origin);
  const data = part.authenticatorData;
  demandPasskey(data.length >= MIN_AUTHENTICATOR_DATA, "authenticator data");
  demandPasskey(equalBytes(data.slice(0, 32), hashSha256(utf8(part.rpId))), "relying party signed");
  const flags = data[32] as number;
  demandPasskey((flags & USER_PRESENT) !== 0 && (flags & USER_VERIFIED) !== 0, "user not verified");
  const message = concat(data, hashSha256(part.clientData));
  demandPasskey(isSignedByPasskey(passkey.publicKey, message, part.signature), "signature");
}

/** https on the relying party's name or below it; http on localhost names only. */
function isPageOf(origin: string, rpId: string): boolean {
  let url: URL;
  try {
    url = new URL(origin);
  } catch {
    return false;
  }
  if (url.origin !== origin) return false;
  const local = url.hostname === "localhost" || url.hostname.endsWith(".localhost");
  if (url.protocol !== "https:" && !(url.protocol === "http:" && local)) return false;
  return url.hostname === rpId || url.hostname.endsWith(`.${rpId}`);
}

function verifyClientData(bytes: Bytes, challenge: Hex, origin: string): void {
  let data: unknown;
  try {
    data = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new Refusal("evidence_passkey", "client data");
  }
  demandPasskey(typeof data === "object" && data !== null, "client data");
  const found = data as { [name: string]: unknown };
  demandPasskey(found["type"] === "webauthn.get", "another ceremony");
  demandPasskey(found["challenge"] === toBase64Url(fromHex(challenge, 32)), "another challenge");
  demandPasskey(found["origin"] === origin, "another page");
  demandPasskey(found["crossOrigin"] !== true && found["topOrigin"] === undefined, "embedded page");
}

/** COSE key: ES256 on P-256 or EdDSA on Ed25519. */
function isSignedByPasskey(publicKey: Bytes, message: Bytes, signature: Bytes): boolean {
  try {
    const key = decode(publicKey, { useMaps: true, rejectDuplicateMapKeys: true }) as Map<number, unknown>;
    const x = key.get(-2) as Bytes;
    if (key.get(1) === 2 && key.get(3) === ES256 && key.get(-1) === 1) {
      const point = concat(new Uint8Array([4]), x, key.get(-3) as Bytes);
      return p256.verify(signature, message, point, { format: "der", lowS: false });
    }
    if (key.get(1) === 1 && key.get(3) === EDDSA && key.get(-1) === 6) {
      return ed25519.verify(signature, message, x, { zip215: false });
    }
  } catch {
    // neither key nor signature: falls through
  }
  return false;
}
