/** RFC 6962 tree hashing and inclusion proofs (docs/spec/log.md, "Tree"). */
import { type Bytes, type Hex, fromHex, hashSha256, toHex } from "./bytes.ts";
import { Refusal } from "./refusal.ts";

const LEAF = new Uint8Array([0]);
const NODE = new Uint8Array([1]);
export const MAX_SIZE = 2n ** 64n - 1n;

export interface TreeHead {
  readonly size: bigint;
  readonly root: Hex;
}

export const hashLeaf = (entry: Bytes): Bytes => hashSha256(LEAF, entry);
const hashNode = (left: Bytes, right: Bytes): Bytes => hashSha256(NODE, left, right);

/**
 * Check that a leaf stands at `index` of the tree with this head (RFC 9162 section 2.1.3.2).
 * Refuses with `malformed_proof` or `root_mismatch`.
 */
export function verifyInclusion(leafHash: Bytes, index: bigint, proof: readonly Hex[], head: TreeHead): void {
  if (index < 0n || index >= head.size || head.size > MAX_SIZE) throw new Refusal("malformed_proof");
  let fn = index;
  let sn = head.size - 1n;
  let hash = leafHash;
  for (const text of proof) {
    if (sn === 0n) throw new Refusal("malformed_proof", "too long");
    const sibling = fromHex(text, 32);
    if ((fn & 1n) === 1n || fn === sn) {
      hash = hashNode(sibling, hash);
      while ((fn & 1n) === 0n && fn !== 0n) {
        fn >>= 1n;
        sn >>= 1n;
      }
    } else hash = hashNode(hash, sibling);
    fn >>= 1n;
    sn >>= 1n;
  }
  if (sn !== 0n) throw new Refusal("malformed_proof", "too short");
  if (toHex(hash) !== head.root) throw new Refusal("root_mismatch");
}
