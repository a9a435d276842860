/** Block headers and the two hashes of a QBFT header (docs/spec/receipt-v1.md, "Headers"). */
import { type Bytes, type Hex, hashKeccak, toHex } from "./bytes.ts";
import { Refusal } from "./refusal.ts";
import { type RlpItem, decodeRlp, encodeRlp, readBytes, readItems, readQuantity } from "./rlp.ts";

const QBFT_MIX_HASH = "63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365";
const MIN_FIELDS = 15;
const MAX_FIELDS = 24;
const EXTRA_DATA = 12;
const MAX_VALIDATORS = 256;

export interface BlockHeader {
  readonly fields: readonly Bytes[];
  readonly number: number;
  readonly timestamp: number;
  readonly stateRoot: Hex;
  readonly receiptsRoot: Hex;
  /** Null on an engine whose headers carry no QBFT seals. */
  readonly extra: QbftExtra | null;
}

export interface QbftExtra {
  readonly items: readonly RlpItem[];
  /** Validators the header itself names; they count for nothing. */
  readonly validators: readonly Hex[];
  readonly seals: readonly Bytes[];
}

/** Sizes of the fifteen fields; null: any. */
const SIZES = [32, 32, 20, 32, 32, 32, 256, null, null, null, null, null, null, 32, 8] as const;

/** Read a header; refuses with `malformed_rlp`. */
export function parseBlockHeader(bytes: Bytes): BlockHeader {
  const items = readItems(decodeRlp(bytes));
  if (items.length < MIN_FIELDS || items.length > MAX_FIELDS) throw new Refusal("malformed_rlp");
  const fields = items.map((item, at) => readBytes(item, SIZES[at] ?? undefined));
  for (const at of [7, 9, 10]) readQuantity(fields[at], 32);
  const number = readSafe(fields[8]);
  const timestamp = readSafe(fields[11]);
  const isQbft = toHex(fields[13] as Bytes) === QBFT_MIX_HASH;
  return {
    fields,
    number,
    timestamp,
    stateRoot: toHex(fields[3] as Bytes),
    receiptsRoot: toHex(fields[5] as Bytes),
    extra: isQbft ? parseQbftExtra(fields[EXTRA_DATA] as Bytes) : null,
  };
}

function readSafe(item: RlpItem | undefined): number {
  const value = readQuantity(item, 8);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new Refusal("malformed_rlp");
  return Number(value);
}

/** `RLP[vanity, validators, vote, round, seals]`. */
function parseQbftExtra(bytes: Bytes): QbftExtra {
  const items = readItems(decodeRlp(bytes), 5);
  readBytes(items[0]);
  const validators = readItems(items[1]).map((item) => toHex(readBytes(item, 20)));
  const seals = readItems(items[4]).map((item) => readBytes(item, 65));
  if (validators.length > MAX_VALIDATORS || seals.length > MAX_VALIDATORS) throw new Refusal("malformed_rlp");
  readQuantity(items[3], 4);
  return { items, validators, seals };
}

function hashWith(header: BlockHeader, round: RlpItem): Bytes {
  const [vanity, validators, vote] = (header.extra as QbftExtra).items as [RlpItem, RlpItem, RlpItem];
  const fields: RlpItem[] = [...header.fields];
  fields[EXTRA_DATA] = encodeRlp([vanity, validators, vote, round, []]);
  return hashKeccak(encodeRlp(fields));
}

/** What a node answers, and the next header's parent: round 0, no seals. */
export function computeBlockHash(header: BlockHeader): Hex {
  if (header.extra === null) return toHex(hashKeccak(encodeRlp([...header.fields])));
  return toHex(hashWith(header, new Uint8Array()));
}

/** What each validator signs: the round as it stands, no seals. */
export function computeSealedHash(header: BlockHeader): Bytes {
  if (header.extra === null) throw new Refusal("seals_insufficient");
  return hashWith(header, header.extra.items[3] as RlpItem);
}
