/** The trust file: what a verifier takes as given (docs/spec/trust.md). */
import type { Bytes, Hex } from "./bytes.ts";
import { type Json, MEBIBYTE, parseCanonical } from "./canonical.ts";
import { type ReadFacts, readFacts } from "./facts.ts";
import { Refusal } from "./refusal.ts";
import {
  demand,
  demandRising,
  readAddress,
  readChoice,
  readCity,
  readHash,
  readInteger,
  readList,
  readNullable,
  readObject,
  readShortText,
  readText,
  readTime,
  readVersioned,
} from "./shape.ts";

export const MAX_TRUST_BYTES = 256 * MEBIBYTE;
const CONTRACT_ROLES = ["city_log", "material_status", "grants", "membership"] as const;
const KEY_ROLES = ["anchor", "gate", "govern", "checkpoint", "cosigner", "message", "encryption"] as const;
export type ContractRole = (typeof CONTRACT_ROLES)[number];
export type KeyRole = (typeof KEY_ROLES)[number];

export interface ContractTerm {
  readonly role: ContractRole;
  readonly address: Hex;
  readonly fromBlock: number;
  readonly codeHash: Hex;
}

export interface KeyTerm {
  readonly role: KeyRole;
  readonly key: Hex;
  readonly validFrom: number;
  readonly validUntil: number | null;
  readonly distrustedSinceBlock: number | null;
}

export interface Member {
  readonly city: string;
  readonly name: string;
  readonly keys: readonly KeyTerm[];
}

export interface ValidatorRange {
  readonly fromBlock: number;
  readonly toBlock: number | null;
  readonly addresses: readonly Hex[];
}

export interface Trust {
  readonly domain: string;
  readonly chainId: number;
  readonly genesis: Hex;
  readonly contracts: readonly ContractTerm[];
  readonly members: ReadonlyMap<string, Member>;
  readonly validators: readonly ValidatorRange[];
  readonly facts: ReadFacts | null;
}

export function parseTrust(bytes: Bytes): Trust {
  const m = readVersioned(parseCanonical(bytes, MAX_TRUST_BYTES), "tongban/trust/v1", [
    "consortium",
    "chain_id",
    "genesis",
    "contracts",
    "members",
    "validators",
    "facts",
  ]);
  const contracts = readList(m["contracts"], readContract);
  demandRising(contracts, (each) => sortKey(CONTRACT_ROLES.indexOf(each.role), each.fromBlock));
  const members = readList(m["members"], readMember);
  demandRising(members, (each) => each.city);
  const validators = readList(m["validators"], readRange);
  demandSeparate(validators);
  return {
    domain: readDomain(m["consortium"]),
    chainId: readInteger(m["chain_id"], 1),
    genesis: readHash(m["genesis"]),
    contracts,
    members: new Map(members.map((each) => [each.city, each])),
    validators,
    facts: readNullable(m["facts"], readFacts),
  };
}

const sortKey = (role: number, number: number): string => `${role} ${String(number).padStart(17, "0")}`;

/** Lower case with two labels or more. */
function readDomain(value: Json | undefined): string {
  const text = readText(value, 253);
  const label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
  if (!new RegExp(`^${label}(?:\\.${label})+$`).test(text)) throw new Refusal("malformed_origin");
  return text;
}

function readContract(value: Json): ContractTerm {
  const m = readObject(value, ["role", "address", "from_block", "code_hash"]);
  return {
    role: readChoice(m["role"], CONTRACT_ROLES),
    address: readAddress(m["address"]),
    fromBlock: readInteger(m["from_block"]),
    codeHash: readHash(m["code_hash"]),
  };
}

function readMember(value: Json): Member {
  const m = readObject(value, ["city", "name", "keys"]);
  const keys = readList(m["keys"], readKey);
  demandRising(keys, (each) => sortKey(KEY_ROLES.indexOf(each.role), each.validFrom));
  for (let at = 1; at < keys.length; at += 1) {
    const [one, next] = [keys[at - 1] as KeyTerm, keys[at] as KeyTerm];
    const apart = one.role !== next.role || (one.validUntil !== null && one.validUntil <= next.validFrom);
    demand(apart, "keys of one role overlap");
  }
  return { city: readCity(m["city"]), name: readShortText(m["name"]), keys };
}

function readKey(value: Json): KeyTerm {
  const m = readObject(value, ["role", "key", "valid_from", "valid_until", "distrusted_since_block"]);
  return {
    role: readChoice(m["role"], KEY_ROLES),
    key: readHash(m["key"]),
    validFrom: readTime(m["valid_from"]),
    validUntil: readNullable(m["valid_until"], readTime),
    distrustedSinceBlock: readNullable(m["distrusted_since_block"], (item) => readInteger(item)),
  };
}

function readRange(value: Json): ValidatorRange {
  const m = readObject(value, ["from_block", "to_block", "addresses"]);
  const addresses = readList(m["addresses"], readAddress, { min: 1, max: 256 });
  demandRising(addresses, (each) => each);
  const fromBlock = readInteger(m["from_block"]);
  const toBlock = readNullable(m["to_block"], (item) => readInteger(item));
  demand(toBlock === null || toBlock >= fromBlock, "an empty range");
  return { fromBlock, toBlock, addresses };
}

function demandSeparate(ranges: readonly ValidatorRange[]): void {
  for (let at = 1; at < ranges.length; at += 1) {
    const before = (ranges[at - 1] as ValidatorRange).toBlock;
    demand(before !== null && before < (ranges[at] as ValidatorRange).fromBlock, "ranges of validators");
  }
}

/** The contract of a role that is current in a block: the last one registered by then. */
export function contractAt(trust: Trust, role: ContractRole, block: number): Hex | null {
  const known = trust.contracts.filter((each) => each.role === role && each.fromBlock <= block);
  return known.at(-1)?.address ?? null;
}

/** The set that had to seal a block; null: the trust file names none. */
export function validatorsAt(trust: Trust, block: number): readonly Hex[] | null {
  const range = trust.validators.find((each) => each.fromBlock <= block && (each.toBlock ?? block) >= block);
  return range?.addresses ?? null;
}

/** Key of a role in force at a block time. */
export function keyAt(trust: Trust, city: string, role: KeyRole, time: number): KeyTerm | null {
  const keys = trust.members.get(city)?.keys ?? [];
  const inForce = (each: KeyTerm) => each.validFrom <= time && (each.validUntil === null || time < each.validUntil);
  return keys.find((each) => each.role === role && inForce(each)) ?? null;
}

export const isDistrusted = (key: KeyTerm, block: number): boolean =>
  key.distrustedSinceBlock !== null && block >= key.distrustedSinceBlock;
