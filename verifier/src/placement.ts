/** Where an entry stands in a city's log, and the proof of it (docs/spec/evidence.md, "Placement"). */
import type { Bytes, Hex } from "./bytes.ts";
import { type TreeHead, hashLeaf, verifyInclusion } from "./merkle.ts";
import { type Members, readHash, readInteger, readList } from "./shape.ts";

export const PLACEMENT_MEMBERS = ["generation", "leaf_index", "tree_size", "root", "proof"] as const;
export const MAX_GENERATION = 2 ** 32 - 1;

export interface Placement {
  readonly generation: number;
  readonly leafIndex: number;
  readonly treeSize: number;
  readonly root: Hex;
  readonly proof: readonly Hex[];
}

export function readPlacement(members: Members): Placement {
  const treeSize = readInteger(members["tree_size"], 1);
  return {
    generation: readInteger(members["generation"], 0, MAX_GENERATION),
    leafIndex: readInteger(members["leaf_index"], 0, treeSize - 1),
    treeSize,
    root: readHash(members["root"]),
    proof: readList(members["proof"], readHash, { max: 64 }),
  };
}

export const headOf = (placement: Placement): TreeHead => ({ size: BigInt(placement.treeSize), root: placement.root });

/** Check that the entry leads to the head; `malformed_proof` or `root_mismatch` otherwise. */
export function verifyPlacement(entry: Bytes, placement: Placement): void {
  verifyInclusion(hashLeaf(entry), BigInt(placement.leafIndex), placement.proof, headOf(placement));
}
