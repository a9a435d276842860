/**
 * Checking what a receipt of version 1 carries of the chain (docs/spec/receipt-v1.md, "Checks").
 *
 * Gives what is proven: events and flag words under headers that the trust file's validators sealed.
 */
import { type BlockHeader, computeBlockHash, parseBlockHeader } from "./block_header.ts";
import type { Hex } from "./bytes.ts";
import type { CarriedAccount, CarriedLog, ChainEvidence } from "./chain_evidence.ts";
import { flagsSlot, verifyAccount, verifyLog, verifySlot } from "./chain_proofs.ts";
import { type ReceiptEvent, decodeEvent } from "./events.ts";
import type { BlockFact, Place } from "./facts.ts";
import { verifySeals } from "./qbft.ts";
import { refuseAs } from "./refusal.ts";
import { type Trust, validatorsAt } from "./trust.ts";
import { type FailingCode, fail } from "./verdict.ts";

export interface ProvenEvent {
  readonly event: ReceiptEvent;
  readonly place: Place;
}

export interface ProvenChain {
  /** Blocks that trusted validators sealed, by number. */
  readonly sealed: ReadonlyMap<number, BlockFact>;
  /** Every event carried; it counts as a fact only in a sealed block. */
  readonly events: readonly ProvenEvent[];
  /** Words by `<block> <contract> <slot>`; they count only in a sealed block. */
  readonly words: ReadonlyMap<string, bigint>;
}

/** What the receipt speaks of: the blocks it names, and the leaves whose flags it may carry. */
export interface Needs {
  readonly blocks: readonly BlockFact[];
  /** Slots by block; null: any block. */
  readonly leaves: readonly { readonly city: string; readonly leafHash: Hex; readonly block: number | null }[];
}

export const wordKey = (block: number, contract: Hex, slot: Hex): string => `${block} ${contract} ${slot}`;

export function verifyChainEvidence(chain: ChainEvidence, needs: Needs, trust: Trust): ProvenChain {
  const headers = readHeaders(chain);
  const sealed = new Map<number, BlockFact>();
  for (const header of headers.values()) verifyNamed(header, needs, trust);
  for (const header of headers.values()) {
    if (verifySealed(header, trust)) sealed.set(header.number, factOf(header));
  }
  const events = chain.logs.map((log) => readEvent(log, headers, trust));
  const words = new Map<string, bigint>();
  for (const account of chain.accounts) readWords(account, headers, needs, trust, words);
  return { sealed, events, words };
}

const factOf = (header: BlockHeader): BlockFact => ({
  number: header.number,
  hash: computeBlockHash(header),
  timestamp: header.timestamp,
});

/** Check 1. */
function readHeaders(chain: ChainEvidence): Map<number, BlockHeader> {
  const headers = new Map<number, BlockHeader>();
  let before = -1;
  for (const bytes of chain.headers) {
    const header = refuseAs("header_malformed", () => parseBlockHeader(bytes));
    if (header.number <= before) fail("header_malformed", "numbers do not rise");
    before = header.number;
    headers.set(before, header);
  }
  return headers;
}

/** Check 2: each is that of the block the receipt names; a block that is not named is sealed. */
function verifyNamed(header: BlockHeader, needs: Needs, trust: Trust): void {
  const named = needs.blocks.filter((each) => each.number === header.number);
  const fact = factOf(header);
  const isSame = (each: BlockFact) => each.hash === fact.hash && each.timestamp === fact.timestamp;
  if (!named.every(isSame)) fail("header_hash_mismatch");
  if (named.length === 0 && validatorsAt(trust, header.number) === null) fail("header_hash_mismatch", "not named");
}

/** Check 3; whether the trust file names the validators of the block. */
function verifySealed(header: BlockHeader, trust: Trust): boolean {
  const validators = validatorsAt(trust, header.number);
  if (validators !== null) verifySeals(header, validators);
  else if (header.extra !== null) verifySeals(header, header.extra.validators);
  return validators !== null;
}

function headerOf(block: number, headers: ReadonlyMap<number, BlockHeader>, code: FailingCode): BlockHeader {
  return headers.get(block) ?? fail(code, "no header");
}

/** Check 4. */
function readEvent(log: CarriedLog, headers: ReadonlyMap<number, BlockHeader>, trust: Trust): ProvenEvent {
  const header = headerOf(log.block, headers, "log_proof_invalid");
  return refuseAs("log_proof_invalid", () => {
    const found = verifyLog(header.receiptsRoot, log.transaction, log.log, log.proof);
    const contract = trust.contracts.find((each) => each.address === found.address && each.fromBlock <= log.block);
    const role = contract?.role;
    if (role !== "city_log" && role !== "grants") return fail("log_proof_invalid", "contract");
    const place = { contract: found.address, block: factOf(header), inBlock: `${log.transaction}/${log.log}` };
    return { event: decodeEvent(found, role), place };
  });
}

/** Checks 5 to 7. */
function readWords(
  carried: CarriedAccount,
  headers: ReadonlyMap<number, BlockHeader>,
  needs: Needs,
  trust: Trust,
  words: Map<string, bigint>,
): void {
  const header = headerOf(carried.block, headers, "storage_proof_invalid");
  const isOurs = (each: { address: Hex }) => each.address === carried.address;
  const contract = trust.contracts.find((each) => each.role === "material_status" && isOurs(each));
  const account = refuseAs("storage_proof_invalid", () => {
    const found = verifyAccount(header.stateRoot, carried.address, carried.proof);
    for (const { slot, proof } of carried.slots) {
      words.set(wordKey(carried.block, carried.address, slot), verifySlot(found.storageRoot, slot, proof));
    }
    return found;
  });
  if (contract !== undefined && account.codeHash !== contract.codeHash) fail("contract_code_mismatch");
  const wanted = needs.leaves.filter((each) => each.block === null || each.block === carried.block);
  const slots = new Set(wanted.map((each) => flagsSlot(each.city, each.leafHash)));
  const isWanted = contract !== undefined && contract.fromBlock <= carried.block;
  if (!isWanted || !carried.slots.every((each) => slots.has(each.slot))) fail("storage_proof_invalid", "not spoken of");
}
