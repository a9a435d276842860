/** State and logs proven under a header (docs/spec/receipt-v1.md, "Trie proofs", "Slots"). */
import { type Bytes, type Hex, concat, fromHex, hashKeccak, toHex } from "./bytes.ts";
import { Refusal } from "./refusal.ts";
import { decodeRlp, encodeRlp, readBytes, readItems, readQuantity } from "./rlp.ts";
import { verifyTrieProof } from "./trie_proof.ts";

export interface Account {
  readonly storageRoot: Hex;
  readonly codeHash: Hex;
}

/** The account at an address; refuses with `trie_proof_invalid`, also if there is none. */
export function verifyAccount(stateRoot: Hex, address: Hex, nodes: readonly Bytes[]): Account {
  const value = verifyTrieProof(stateRoot, hashKeccak(fromHex(address, 20)), nodes);
  if (value === null) throw new Refusal("trie_proof_invalid", "no account");
  const items = readItems(decodeRlp(value), 4);
  readQuantity(items[0], 8);
  readQuantity(items[1], 32);
  return { storageRoot: toHex(readBytes(items[2], 32)), codeHash: toHex(readBytes(items[3], 32)) };
}

/** The word a slot holds; an absent slot holds zero. */
export function verifySlot(storageRoot: Hex, slot: Hex, nodes: readonly Bytes[]): bigint {
  const value = verifyTrieProof(storageRoot, hashKeccak(fromHex(slot, 32)), nodes);
  return value === null ? 0n : readQuantity(decodeRlp(value), 32);
}

export interface EventLog {
  readonly address: Hex;
  readonly topics: readonly Hex[];
  readonly data: Bytes;
}

/** The log at an index of a transaction that succeeded. */
export function verifyLog(receiptsRoot: Hex, transaction: number, log: number, nodes: readonly Bytes[]): EventLog {
  const value = verifyTrieProof(receiptsRoot, encodeRlp(encodeIndex(transaction)), nodes);
  if (value === null) throw new Refusal("trie_proof_invalid", "no transaction");
  const isTyped = (value[0] as number) < 0x80;
  const receipt = readItems(decodeRlp(isTyped ? value.slice(1) : value), 4);
  if (readQuantity(receipt[0], 32) !== 1n) throw new Refusal("trie_proof_invalid", "a failed transaction");
  const found = readItems(receipt[3])[log];
  if (found === undefined) throw new Refusal("trie_proof_invalid", "no log");
  const [address, topics, data] = readItems(found, 3);
  return {
    address: toHex(readBytes(address, 20)),
    topics: readItems(topics).map((each) => toHex(readBytes(each, 32))),
    data: readBytes(data),
  };
}

function encodeIndex(index: number): Bytes {
  if (index === 0) return new Uint8Array();
  const hex = index.toString(16);
  return fromHex(hex.length % 2 === 0 ? hex : `0${hex}`);
}

/** A 256-bit word of an unsigned integer. */
export const encodeWord = (value: number): Bytes => fromHex(value.toString(16).padStart(64, "0"));

/** Slot of a `MaterialStatus` flags word: `leaf ‖ (city ‖ 1)`. */
export function flagsSlot(city: string, leafHash: Hex): Hex {
  const byCity = hashKeccak(concat(encodeWord(Number(city)), encodeWord(1)));
  return toHex(hashKeccak(concat(fromHex(leafHash, 32), byCity)));
}
