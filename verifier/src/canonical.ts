/**
 * Canonical JSON: RFC 8785 with integers only (docs/spec/canonical.md).
 *
 * A reader re-encodes what it parsed and demands equal bytes.
 */
import canonicalize from "canonicalize";
import { type Bytes, equalBytes, utf8 } from "./bytes.ts";
import { Refusal } from "./refusal.ts";

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

export const MEBIBYTE = 1024 * 1024;
const MAX_DEPTH = 32;
const MAX_BYTES = 4 * MEBIBYTE;
const CODE = "not_canonical";

/** The value of canonical bytes; refuses every other spelling. */
export function parseCanonical(bytes: Bytes, maxBytes = MAX_BYTES): Json {
  if (bytes.length > maxBytes) throw new Refusal(CODE, "too long");
  let value: Json;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    refuseDeep(text);
    value = JSON.parse(text) as Json;
  } catch {
    throw new Refusal(CODE, "no JSON");
  }
  if (!equalBytes(encodeCanonical(value), bytes)) throw new Refusal(CODE, "spelt otherwise");
  return value;
}

/** RFC 8785 bytes; refuses fractions, large integers and lone surrogates. */
export function encodeCanonical(value: Json): Bytes {
  refuseInexact(value);
  try {
    const text = canonicalize(value);
    if (text !== undefined) return utf8(text);
  } catch {
    // a lone surrogate: falls through to the refusal
  }
  throw new Refusal(CODE);
}

function refuseInexact(value: Json): void {
  if (typeof value === "number" && !Number.isSafeInteger(value)) throw new Refusal(CODE, "number");
  if (typeof value === "string" && !value.isWellFormed()) throw new Refusal(CODE, "surrogate");
  if (value === null || typeof value !== "object") return;
  for (const each of Object.values(value)) refuseInexact(each);
}

/** Counted on the text, so that no parser has to recurse first. */
function refuseDeep(text: string): void {
  let depth = 0;
  let inText = false;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at];
    if (inText) {
      if (letter === "\\") at += 1;
      else if (letter === '"') inText = false;
    } else if (letter === '"') inText = true;
    else if (letter === "[" || letter === "{") {
      depth += 1;
      if (depth > MAX_DEPTH) throw new Refusal(CODE, "too deep");
    } else if (letter === "]" || letter === "}") depth -= 1;
  }
}
