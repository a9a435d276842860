/** Exported proofs of single entries: C2SP tlog-proof (docs/spec/receipt-v1.md, "Export"). */
import { type Bytes, type Hex, equalBytes, fromBase64, toHex, utf8 } from "./bytes.ts";
import { MAX_SIZE, hashLeaf, verifyInclusion } from "./merkle.ts";
import { Refusal } from "./refusal.ts";
import { type VerifierKey, verifyCheckpoint } from "./signed_note.ts";

const HEADER = "c2sp.org/tlog-proof@v1";
const MAX_BYTES = 128 * 1024;
const MAX_HASHES = 64;

interface TlogProof {
  readonly extra: Bytes | null;
  readonly index: bigint;
  readonly proof: readonly Hex[];
  readonly note: Bytes;
}

function parseTlogProof(bytes: Bytes): TlogProof {
  if (bytes.length > MAX_BYTES) throw new Refusal("malformed_tlog_proof", "too long");
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Refusal("malformed_tlog_proof");
  }
  const blank = text.indexOf("\n\n");
  if (blank < 0) throw new Refusal("malformed_tlog_proof", "no note");
  const lines = text.slice(0, blank).split("\n");
  if (lines.shift() !== HEADER) throw new Refusal("malformed_tlog_proof", "header");
  let extra: Bytes | null = null;
  if (lines[0]?.startsWith("extra ") === true) extra = fromBase64((lines.shift() as string).slice(6));
  const index = /^index (0|[1-9][0-9]{0,19})$/.exec(lines.shift() ?? "")?.[1];
  if (index === undefined || BigInt(index) > MAX_SIZE) throw new Refusal("malformed_tlog_proof", "index");
  if (lines.length > MAX_HASHES) throw new Refusal("malformed_tlog_proof", "too many hashes");
  const proof = lines.map((line) => {
    const hash = fromBase64(line);
    if (hash.length !== 32) throw new Refusal("malformed_tlog_proof", "hash");
    return toHex(hash);
  });
  return { extra, index: BigInt(index), proof, note: utf8(text.slice(blank + 2)) };
}

/** Check that the entry is in the log of this origin and key. */
export function verifyTlogProof(bytes: Bytes, entry: Bytes, origin: string, key: VerifierKey): void {
  const { extra, index, proof, note } = parseTlogProof(bytes);
  if (extra !== null && !equalBytes(extra, entry)) throw new Refusal("tlog_proof_entry");
  const { head } = verifyCheckpoint(note, origin, key);
  verifyInclusion(hashLeaf(entry), index, proof, head);
}
