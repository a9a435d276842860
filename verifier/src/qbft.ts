/** Validator seals of a QBFT header (docs/spec/receipt-v1.md, "Seals"). */
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { type BlockHeader, computeSealedHash } from "./block_header.ts";
import { type Bytes, type Hex, concat, hashKeccak, toHex } from "./bytes.ts";
import { Refusal } from "./refusal.ts";

export const countNeededSeals = (validators: number): number => Math.ceil((2 * validators) / 3);

/** Address of the key that signed; refuses with `seal_invalid`. */
function recoverSealer(seal: Bytes, sealedHash: Bytes): Hex {
  const recovery = seal[64] as number;
  if (recovery > 1) throw new Refusal("seal_invalid");
  try {
    const recovered = concat(new Uint8Array([recovery]), seal.slice(0, 64));
    const compressed = secp256k1.recoverPublicKey(recovered, sealedHash, { prehash: false });
    const point = secp256k1.Point.fromBytes(compressed).toBytes(false);
    return toHex(hashKeccak(point.slice(1)).slice(12));
  } catch {
    throw new Refusal("seal_invalid");
  }
}

const MAX_REMEMBERED = 4096;
const remembered = new Map<string, Hex>();

/** Addresses that sealed a header. Receipts of one chain share headers: a recovered key is remembered. */
export function recoverSealers(header: BlockHeader): Hex[] {
  const hash = computeSealedHash(header);
  return (header.extra?.seals ?? []).map((seal) => {
    const name = toHex(concat(hash, seal));
    const signer = remembered.get(name) ?? recoverSealer(seal, hash);
    if (remembered.size < MAX_REMEMBERED) remembered.set(name, signer);
    return signer;
  });
}

/**
 * Check that the validators of the block sealed it: ceil(2N/3) distinct ones, every seal present
 * valid, by one of the set, none twice. Refuses with `seal_…` or `seals_insufficient`.
 */
export function verifySeals(header: BlockHeader, validators: readonly Hex[]): void {
  if (header.extra === null) throw new Refusal("seals_insufficient", "no seals on this engine");
  const seen = new Set<Hex>();
  for (const signer of recoverSealers(header)) {
    if (!validators.includes(signer)) throw new Refusal("seal_foreign", signer);
    if (seen.has(signer)) throw new Refusal("seal_duplicated", signer);
    seen.add(signer);
  }
  if (validators.length === 0 || seen.size < countNeededSeals(validators.length)) {
    throw new Refusal("seals_insufficient", `${seen.size} of ${validators.length}`);
  }
}
