/**
 * Bytes and their one accepted spelling as text (docs/spec/canonical.md).
 *
 * 32-byte values of formats stay lower-case hex texts inside (`Hex`): a text compares with `===` and
 * serves as a key, and the readers have made sure that there is one spelling only.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { base64, base64urlnopad } from "@scure/base";
import { Refusal } from "./refusal.ts";

export type Bytes = Uint8Array;
/** Lower-case hex without prefix, an even number of digits. */
export type Hex = string;

export { concatBytes as concat, utf8ToBytes as utf8 };

const MALFORMED = "malformed_encoding";

export const toHex = (bytes: Bytes): Hex => bytesToHex(bytes);

/** Strict hex; `size` in bytes if given. */
export function fromHex(text: unknown, size?: number): Bytes {
  if (typeof text !== "string" || !/^(?:[0-9a-f]{2})*$/.test(text)) throw new Refusal(MALFORMED);
  if (size !== undefined && text.length !== 2 * size) throw new Refusal(MALFORMED);
  return hexToBytes(text);
}

type Coder = { encode(bytes: Bytes): string; decode(text: string): Bytes };

function decodeStrictly(coder: Coder, text: unknown, size?: number): Bytes {
  if (typeof text !== "string") throw new Refusal(MALFORMED);
  let bytes: Bytes;
  try {
    bytes = coder.decode(text);
  } catch {
    throw new Refusal(MALFORMED);
  }
  if (coder.encode(bytes) !== text) throw new Refusal(MALFORMED);
  if (size !== undefined && bytes.length !== size) throw new Refusal(MALFORMED);
  return bytes;
}

/** RFC 4648 section 4, padded, unused bits zero. */
export const fromBase64 = (text: unknown, size?: number): Bytes => decodeStrictly(base64, text, size);
/** RFC 4648 section 5, unpadded, unused bits zero. */
export const fromBase64Url = (text: unknown, size?: number): Bytes => decodeStrictly(base64urlnopad, text, size);
export const toBase64 = (bytes: Bytes): string => base64.encode(bytes);
export const toBase64Url = (bytes: Bytes): string => base64urlnopad.encode(bytes);

export const hashSha256 = (...parts: Bytes[]): Bytes => sha256(concatBytes(...parts));
export const hashKeccak = (bytes: Bytes): Bytes => keccak_256(bytes);

export function equalBytes(one: Bytes, other: Bytes): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

/** Big-endian unsigned integer. */
export function toNumberBE(bytes: Bytes): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${bytesToHex(bytes)}`);
}
