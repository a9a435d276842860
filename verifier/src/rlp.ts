/** RLP with one spelling: what was read is written again and has to be the same bytes. */
import { RLP } from "@ethereumjs/rlp";
import { type Bytes, equalBytes, toNumberBE } from "./bytes.ts";
import { Refusal } from "./refusal.ts";

export type RlpItem = Bytes | RlpItem[];
const MAX_DEPTH = 16;

/** Decode one item; refuses with `malformed_rlp`. */
export function decodeRlp(bytes: Bytes): RlpItem {
  let item: RlpItem;
  try {
    refuseDeep(bytes);
    item = RLP.decode(bytes) as RlpItem;
  } catch {
    throw new Refusal("malformed_rlp");
  }
  if (bytes.length === 0 || !equalBytes(RLP.encode(item), bytes)) throw new Refusal("malformed_rlp");
  return item;
}

export const encodeRlp = (item: RlpItem): Bytes => RLP.encode(item);

export function readItems(item: RlpItem | undefined, count?: number): RlpItem[] {
  if (!Array.isArray(item) || (count !== undefined && item.length !== count)) throw new Refusal("malformed_rlp");
  return item;
}

export function readBytes(item: RlpItem | undefined, size?: number): Bytes {
  if (!(item instanceof Uint8Array) || (size !== undefined && item.length !== size)) throw new Refusal("malformed_rlp");
  return item;
}

/** Unsigned integer of at most `maxBytes` bytes without leading zeros. */
export function readQuantity(item: RlpItem | undefined, maxBytes: number): bigint {
  const bytes = readBytes(item);
  if (bytes.length > maxBytes || bytes[0] === 0) throw new Refusal("malformed_rlp");
  return toNumberBE(bytes);
}

/** Nested list prefixes at the front: the library recurses, the input must not decide how deep. */
function refuseDeep(bytes: Bytes): void {
  const ends: number[] = [];
  let at = 0;
  while (at < bytes.length) {
    while (ends.length > 0 && at >= (ends.at(-1) as number)) ends.pop();
    const prefix = bytes[at] as number;
    const { start, length } = spanOf(bytes, at, prefix);
    if (prefix >= 0xc0) {
      ends.push(start + length);
      if (ends.length > MAX_DEPTH) throw new Refusal("malformed_rlp");
      at = start;
    } else at = start + length;
  }
}

function spanOf(bytes: Bytes, at: number, prefix: number): { start: number; length: number } {
  if (prefix < 0x80) return { start: at, length: 1 };
  const base = prefix < 0xc0 ? 0x80 : 0xc0;
  const short = prefix - base;
  if (short <= 55) return { start: at + 1, length: short };
  const width = short - 55;
  const length = Number(toNumberBE(bytes.slice(at + 1, at + 1 + width)));
  return { start: at + 1 + width, length };
}
