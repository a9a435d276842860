/** What a receipt of version 1 carries of the chain, as it stands in the file (docs/spec/receipt-v1.md). */
import { type Bytes, type Hex, fromHex } from "./bytes.ts";
import type { Json } from "./canonical.ts";
import {
  demandDistinct,
  demandRising,
  readAddress,
  readHash,
  readInteger,
  readList,
  readObject,
  readText,
} from "./shape.ts";

const MAX_HEADERS = 256;
const MAX_HEADER_BYTES = 64 * 1024;
const MAX_INDEX = 2 ** 20 - 1;
const MAX_NODES = 65; // one per nibble of a hashed key, and the leaf
const MAX_NODE_BYTES = 1024 * 1024;
const MAX_ITEMS = 256;

export interface CarriedLog {
  readonly block: number;
  readonly transaction: number;
  readonly log: number;
  readonly proof: readonly Bytes[];
}

export interface CarriedSlot {
  readonly slot: Hex;
  readonly proof: readonly Bytes[];
}

export interface CarriedAccount {
  readonly block: number;
  readonly address: Hex;
  readonly proof: readonly Bytes[];
  readonly slots: readonly CarriedSlot[];
}

export interface ChainEvidence {
  readonly headers: readonly Bytes[];
  readonly logs: readonly CarriedLog[];
  readonly accounts: readonly CarriedAccount[];
}

export function readChainEvidence(value: Json | undefined): ChainEvidence {
  const m = readObject(value, ["headers", "logs", "accounts"]);
  const headers = readList(m["headers"], (item) => readNode(item, MAX_HEADER_BYTES), { max: MAX_HEADERS });
  demandDistinct(headers.map((each) => each.join()));
  const logs = readList(m["logs"], readLog, { max: MAX_ITEMS });
  demandRising(logs, (each) => [each.block, each.transaction, each.log].map(pad).join(" "));
  const accounts = readList(m["accounts"], readAccount, { max: MAX_ITEMS });
  demandRising(accounts, (each) => `${pad(each.block)} ${each.address}`);
  return { headers, logs, accounts };
}

const pad = (value: number): string => String(value).padStart(17, "0");

function readNode(value: Json, max: number): Bytes {
  return fromHex(readText(value, 2 * max));
}

function readProof(value: Json | undefined): Bytes[] {
  return readList(value, (item) => readNode(item, MAX_NODE_BYTES), { max: MAX_NODES });
}

function readLog(value: Json): CarriedLog {
  const m = readObject(value, ["block_number", "transaction", "log", "proof"]);
  return {
    block: readInteger(m["block_number"]),
    transaction: readInteger(m["transaction"], 0, MAX_INDEX),
    log: readInteger(m["log"], 0, MAX_INDEX),
    proof: readProof(m["proof"]),
  };
}

function readAccount(value: Json): CarriedAccount {
  const m = readObject(value, ["block_number", "address", "proof", "slots"]);
  const slots = readList(m["slots"], readSlot, { max: MAX_ITEMS });
  demandRising(slots, (each) => each.slot);
  return {
    block: readInteger(m["block_number"]),
    address: readAddress(m["address"]),
    proof: readProof(m["proof"]),
    slots,
  };
}

function readSlot(value: Json): CarriedSlot {
  const m = readObject(value, ["slot", "proof"]);
  return { slot: readHash(m["slot"]), proof: readProof(m["proof"]) };
}
