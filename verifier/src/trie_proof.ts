/** Proofs in Merkle Patricia tries (docs/spec/receipt-v1.md, "Trie proofs"). */
import { type Bytes, type Hex, equalBytes, fromHex, hashKeccak, toHex } from "./bytes.ts";
import { Refusal } from "./refusal.ts";
import { type RlpItem, decodeRlp, encodeRlp, readBytes, readItems } from "./rlp.ts";

const EMPTY_ROOT = toHex(hashKeccak(new Uint8Array([0x80])));

function refuse(detail: string): never {
  throw new Refusal("trie_proof_invalid", detail);
}

const nibblesOf = (bytes: Bytes): number[] => [...bytes].flatMap((byte) => [byte >> 4, byte & 15]);

/** Hex-prefix encoding: the nibbles of a short node's path, and whether it is a leaf. */
function readPath(bytes: Bytes): { nibbles: number[]; isLeaf: boolean } {
  const [flag = 255, ...rest] = nibblesOf(bytes);
  if (flag > 3) refuse("path");
  const isOdd = (flag & 1) === 1;
  if (!isOdd && rest[0] !== 0) refuse("path");
  return { nibbles: isOdd ? rest : rest.slice(1), isLeaf: flag >= 2 };
}

/**
 * Value under `key` in the trie with this root, or null if the proof shows that there is none.
 *
 * The nodes are exactly those of the path, from the root on, each bound by the hash its parent
 * holds; a node shorter than 32 bytes stands inside its parent.
 */
export function verifyTrieProof(root: Hex, key: Bytes, nodes: readonly Bytes[]): Bytes | null {
  if (root === EMPTY_ROOT && nodes.length === 0) return null;
  const walk = new Walk(nodes);
  let node: RlpItem | null = walk.open(fromHex(root, 32));
  let path = nibblesOf(key);
  let value: Bytes | null = null;
  while (node !== null) {
    const items: RlpItem[] = readItems(node);
    if (items.length === 17) {
      const [step, ...rest] = path;
      if (step === undefined) {
        value = nullIfEmpty(readBytes(items[16]));
        break;
      }
      path = rest;
      node = walk.follow(items[step] as RlpItem);
    } else if (items.length === 2) {
      const { nibbles, isLeaf } = readPath(readBytes(items[0]));
      if (!nibbles.every((each, at) => path[at] === each)) break;
      path = path.slice(nibbles.length);
      if (isLeaf) {
        value = path.length === 0 ? nullIfEmpty(readBytes(items[1])) : null;
        break;
      }
      node = walk.follow(items[1] as RlpItem);
      if (node === null) refuse("an extension to nowhere");
    } else refuse("node");
  }
  walk.demandUsedUp();
  return value;
}

const nullIfEmpty = (bytes: Bytes): Bytes | null => (bytes.length === 0 ? null : bytes);

/** The nodes still to be opened, in order. */
class Walk {
  private used = 0;
  private readonly nodes: readonly Bytes[];

  constructor(nodes: readonly Bytes[]) {
    this.nodes = nodes;
  }

  open(hash: Bytes): RlpItem {
    const bytes = this.nodes[this.used];
    if (bytes === undefined) refuse("a node is missing");
    if (!equalBytes(hashKeccak(bytes), hash)) refuse("a node of another hash");
    this.used += 1;
    return decodeRlp(bytes);
  }

  /** Child a parent names: by hash, standing inside it, or none. */
  follow(child: RlpItem): RlpItem | null {
    if (Array.isArray(child)) {
      if (encodeRlp(child).length >= 32) refuse("a long node inside its parent");
      return child;
    }
    if (child.length === 0) return null;
    if (child.length !== 32) refuse("reference");
    return this.open(child);
  }

  demandUsedUp(): void {
    if (this.used !== this.nodes.length) refuse("nodes are left over");
  }
}
