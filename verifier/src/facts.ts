/** Facts of the chain that somebody read, complete up to a block (docs/spec/trust.md, "Facts"). */
import type { Hex } from "./bytes.ts";
import type { Json } from "./canonical.ts";
import { MAX_GENERATION } from "./placement.ts";
import {
  demand,
  demandRising,
  readAddress,
  readCity,
  readHash,
  readInteger,
  readList,
  readNullable,
  readObject,
  readTime,
} from "./shape.ts";

/** A block as a receipt or a trust file names it. */
export interface BlockFact {
  readonly number: number;
  readonly hash: Hex;
  readonly timestamp: number;
}

/** Where an event stands. Version 0 names transaction hash and block-wide log index. */
export interface Place {
  readonly contract: Hex;
  readonly block: BlockFact;
  /** The event inside its block: `<tx hash>/<log index>` or `<transaction>/<log>`. */
  readonly inBlock: string;
}

export interface HeadFact {
  readonly city: string;
  readonly generation: number;
  readonly size: number;
  readonly root: Hex;
  readonly at: Place;
}

export interface GrantFact {
  readonly terms: Hex;
  readonly releasing: string;
  readonly receiving: string;
  readonly recorder: string;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly uses: number;
  readonly basis: number;
  readonly evidence: Hex;
  readonly recorded: Place;
  readonly revoked: Place | null;
}

export interface ConsumptionFact {
  readonly terms: Hex;
  readonly release: Hex;
  readonly at: Place;
}

export interface StatusFact {
  readonly city: string;
  readonly leafHash: Hex;
  readonly status: number;
  readonly block: number;
  readonly timestamp: number;
}

export interface ReadFacts {
  readonly asOf: BlockFact;
  readonly heads: readonly HeadFact[];
  readonly statuses: readonly StatusFact[];
  readonly grants: readonly GrantFact[];
  readonly consumptions: readonly ConsumptionFact[];
}

export function readFacts(value: Json | undefined): ReadFacts {
  const m = readObject(value, ["as_of", "heads", "statuses", "grants", "consumptions"]);
  const facts: ReadFacts = {
    asOf: readBlock(m["as_of"]),
    heads: readList(m["heads"], readHead, { max: 10_000_000 }),
    statuses: readList(m["statuses"], readStatus, { max: 10_000_000 }),
    grants: readList(m["grants"], readGrant, { max: 10_000_000 }),
    consumptions: readList(m["consumptions"], readConsumption, { max: 10_000_000 }),
  };
  demandRising(facts.heads, (each) => [each.city, pad(each.generation), pad(each.size), each.root].join(" "));
  demandInOrder(facts.statuses.map((each) => [each.city, each.leafHash, pad(each.block)].join(" ")));
  demandRising(facts.grants, (each) => `${each.recorded.contract} ${each.terms}`);
  demandRising(facts.consumptions, (each) => `${each.at.contract} ${each.release}`);
  return facts;
}

/** Flags of one leaf may fall into one block. */
function demandInOrder(keys: readonly string[]): void {
  demand(
    keys.every((each, at) => at === 0 || (keys[at - 1] as string) <= each),
    "not in order",
  );
}

const pad = (value: number): string => String(value).padStart(17, "0");

export function readBlock(value: Json | undefined): BlockFact {
  const m = readObject(value, ["number", "hash", "timestamp"]);
  return { number: readInteger(m["number"]), hash: readHash(m["hash"]), timestamp: readTime(m["timestamp"]) };
}

const POSITION = ["contract", "block_number", "block_hash", "block_timestamp"] as const;

function readBlockOfPlace(m: { readonly [name: string]: Json }): BlockFact {
  return {
    number: readInteger(m["block_number"]),
    hash: readHash(m["block_hash"]),
    timestamp: readTime(m["block_timestamp"]),
  };
}

/** Position of version 0: transaction hash and block-wide log index. */
export function readPosition(value: Json | undefined): Place {
  const m = readObject(value, [...POSITION, "tx_hash", "log_index"]);
  const inBlock = `${readHash(m["tx_hash"])}/${readInteger(m["log_index"])}`;
  return { contract: readAddress(m["contract"]), block: readBlockOfPlace(m), inBlock };
}

const MAX_INDEX = 2 ** 20 - 1;

/** Place of version 1: index of the transaction, and of the log inside it. */
export function readPlace(value: Json | undefined): Place {
  const m = readObject(value, [...POSITION, "transaction", "log"]);
  const inBlock = `${readInteger(m["transaction"], 0, MAX_INDEX)}/${readInteger(m["log"], 0, MAX_INDEX)}`;
  return { contract: readAddress(m["contract"]), block: readBlockOfPlace(m), inBlock };
}

function readHead(value: Json): HeadFact {
  const m = readObject(value, ["city", "generation", "size", "root", "at"]);
  return {
    city: readCity(m["city"]),
    generation: readInteger(m["generation"], 0, MAX_GENERATION),
    size: readInteger(m["size"], 1),
    root: readHash(m["root"]),
    at: readPosition(m["at"]),
  };
}

function readStatus(value: Json): StatusFact {
  const m = readObject(value, ["city", "leaf_hash", "status", "block_number", "block_timestamp"]);
  const status = readInteger(m["status"], 1, 8);
  demand([1, 2, 4, 8].includes(status), "several flags at once");
  return {
    city: readCity(m["city"]),
    leafHash: readHash(m["leaf_hash"]),
    status,
    block: readInteger(m["block_number"]),
    timestamp: readTime(m["block_timestamp"]),
  };
}

function readGrant(value: Json): GrantFact {
  const m = readObject(value, [
    "terms",
    "releasing",
    "receiving",
    "recorder",
    "not_before",
    "not_after",
    "uses",
    "basis",
    "evidence",
    "recorded",
    "revoked",
  ]);
  return {
    terms: readHash(m["terms"]),
    releasing: readCity(m["releasing"]),
    receiving: readCity(m["receiving"]),
    recorder: readCity(m["recorder"]),
    notBefore: readInteger(m["not_before"], 0, 2 ** 48 - 1),
    notAfter: readInteger(m["not_after"], 0, 2 ** 48 - 1),
    uses: readInteger(m["uses"], 0, 2 ** 32 - 1),
    basis: readInteger(m["basis"], 1, 4),
    evidence: readHash(m["evidence"]),
    recorded: readPosition(m["recorded"]),
    revoked: readNullable(m["revoked"], readPosition),
  };
}

function readConsumption(value: Json): ConsumptionFact {
  const m = readObject(value, ["terms", "release_commitment", "at"]);
  return { terms: readHash(m["terms"]), release: readHash(m["release_commitment"]), at: readPosition(m["at"]) };
}
