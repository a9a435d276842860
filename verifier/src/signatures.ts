/** Ed25519 over the frames of the formats, and key ids (docs/spec/messages.md, release.md). */
import { ed25519 } from "@noble/curves/ed25519.js";
import { type Bytes, type Hex, fromBase64, fromHex, hashSha256, utf8, concat } from "./bytes.ts";
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

/** RFC 8032, strict: no other point of small order passes for the key. */
export function isSignedBy(key: Hex, message: Bytes, signature: Bytes): boolean {
  try {
    return ed25519.verify(signature, message, fromHex(key, 32), { zip215: false });
  } catch {
    return false;
  }
}

/** `<version> LF ‖ SHA-256(JCS(value))`: what a signed JSON object is signed as. */
export const frameJson = (version: string, value: Json): Bytes =>
  concat(utf8(`${version}\n`), hashSha256(encodeCanonical(value)));

export const readSignature = (value: Json | undefined): Bytes => fromBase64(value, 64);
