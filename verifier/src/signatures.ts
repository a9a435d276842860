/** Ed25519 over the frames of the formats, and key ids (docs/spec/messages.md, release.md). */
import { ed25519 } from "@noble/curves/ed25519.js";
import { type Bytes, type Hex, fromBase64, fromHex, hashSha256, toHex, utf8, concat } from "./bytes.ts";
import { type Json, encodeCanonical } from "./canonical.ts";
import { demand, readText } from "./shape.ts";

/** Owner and key of a message key id `<city>/message/<64 hex digits>`. */
export interface MessageKey {
  readonly city: string;
  readonly key: Hex;
}

export function readKeyId(value: Json | undefined): MessageKey {
  const found = /^([0-9]{6})\/message\/([0-9a-f]{64})$/.exec(readText(value, 80));
  demand(found !== null, "no key id");
  return { city: found[1] as string, key: found[2] as string };
}

const MAX_REMEMBERED = 4096;
const remembered = new Map<Hex, boolean>();

/**
 * RFC 8032, strict: no other point of small order passes for the key.
 *
 * Receipts of one release or one officer share signatures: what was found is remembered, by the
 * hash of key, signature (both of one length) and message.
 */
export function isSignedBy(key: Hex, message: Bytes, signature: Bytes): boolean {
  if (signature.length !== 64) return false;
  const publicKey = fromHex(key, 32);
  const name = toHex(hashSha256(publicKey, signature, message));
  const found = remembered.get(name) ?? verifyEd25519(publicKey, message, signature);
  if (remembered.size < MAX_REMEMBERED) remembered.set(name, found);
  return found;
}

function verifyEd25519(publicKey: Bytes, message: Bytes, signature: Bytes): boolean {
  try {
    return ed25519.verify(signature, message, publicKey, { zip215: false });
  } catch {
    return false;
  }
}

/** `<version> LF ‖ SHA-256(JCS(value))`: what a signed JSON object is signed as. */
export const frameJson = (version: string, value: Json): Bytes =>
  concat(utf8(`${version}\n`), hashSha256(encodeCanonical(value)));

export const readSignature = (value: Json | undefined): Bytes => fromBase64(value, 64);
