/** The three contract events a receipt speaks of, read strictly (docs/spec/events.md). */
import { type Hex, hashKeccak, toHex, utf8 } from "./bytes.ts";
import type { EventLog } from "./chain_proofs.ts";
import { Refusal } from "./refusal.ts";

export type ReceiptEvent =
  | { readonly name: "CheckpointAnchored"; readonly head: AnchoredHead }
  | { readonly name: "GrantRecorded"; readonly grant: RecordedGrant }
  | { readonly name: "GrantConsumed"; readonly terms: Hex; readonly release: Hex };

export interface AnchoredHead {
  readonly city: string;
  readonly generation: number;
  readonly size: bigint;
  readonly root: Hex;
}

export interface RecordedGrant {
  readonly terms: Hex;
  readonly releasing: string;
  readonly receiving: string;
  readonly recorder: string;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly uses: number;
  readonly basis: number;
  readonly evidence: Hex;
}

const topicOf = (signature: string): Hex => toHex(hashKeccak(utf8(signature)));
const ANCHORED = topicOf("CheckpointAnchored(uint32,uint32,uint64,bytes32)");
const RECORDED = topicOf("GrantRecorded(bytes32,uint32,uint32,uint32,uint64,uint64,uint32,uint8,bytes32)");
const CONSUMED = topicOf("GrantConsumed(bytes32,bytes32,uint32)");
const MAX_CITY = 999_999n;
const MAX_UINT32 = 2n ** 32n - 1n;
const MAX_UINT64 = 2n ** 64n - 1n;

/** The event of a log of `CityLog` or `Grants`; refuses with `malformed_log`. */
export function decodeEvent(log: EventLog, role: "city_log" | "grants"): ReceiptEvent {
  const words = wordsOf(log);
  const [topic] = log.topics;
  const next = (): Hex => words.shift() as Hex;
  const uint = (max: bigint): bigint => readUint(next(), max);
  const city = (): string => String(uint(MAX_CITY)).padStart(6, "0");
  if (role === "city_log" && topic === ANCHORED && fits(log, 3, 2)) {
    const head = { city: city(), generation: Number(uint(MAX_UINT32)), size: uint(MAX_UINT64), root: next() };
    return { name: "CheckpointAnchored", head };
  }
  if (role === "grants" && topic === RECORDED && fits(log, 4, 6)) {
    const grant = {
      terms: next(),
      releasing: city(),
      receiving: city(),
      recorder: city(),
      notBefore: readSafe(uint(MAX_UINT64)),
      notAfter: readSafe(uint(MAX_UINT64)),
      uses: Number(uint(MAX_UINT32)),
      basis: Number(uint(4n)),
      evidence: next(),
    };
    if (grant.basis === 0) throw new Refusal("malformed_log", "basis");
    return { name: "GrantRecorded", grant };
  }
  if (role === "grants" && topic === CONSUMED && fits(log, 3, 1)) {
    const event = { name: "GrantConsumed", terms: next(), release: next() } as const;
    uint(MAX_UINT32);
    return event;
  }
  throw new Refusal("malformed_log", "none of the three events");
}

/** Topics behind the first one, then the words of the data. */
function wordsOf(log: EventLog): Hex[] {
  const data = toHex(log.data);
  return [...log.topics.slice(1), ...(data.match(/.{64}/g) ?? [])];
}

const fits = (log: EventLog, topics: number, words: number): boolean =>
  log.topics.length === topics && log.data.length === 32 * words;

function readUint(word: Hex, max: bigint): bigint {
  const value = BigInt(`0x${word}`);
  if (value > max) throw new Refusal("malformed_log", "stray bits");
  return value;
}

function readSafe(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new Refusal("malformed_log", "time");
  return Number(value);
}
