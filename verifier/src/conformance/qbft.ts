/** The recorded QBFT blocks, whole and with named damages (tests/vectors/qbft/four-validators.json). */
import { computeBlockHash, computeSealedHash, parseBlockHeader } from "../block_header.ts";
import { type Bytes, fromHex, hashKeccak, toHex } from "../bytes.ts";
import { verifyAccount, verifySlot } from "../chain_proofs.ts";
import { recoverSealers, verifySeals } from "../qbft.ts";
import { Refusal } from "../refusal.ts";
import { type RlpItem, decodeRlp, encodeRlp } from "../rlp.ts";
import { readFileSync } from "node:fs";
import type { Vector } from "./topics.ts";

const FIELDS = [
  "parentHash",
  "sha3Uncles",
  "miner",
  "stateRoot",
  "transactionsRoot",
  "receiptsRoot",
  "logsBloom",
  "difficulty",
  "number",
  "gasLimit",
  "gasUsed",
  "timestamp",
  "extraData",
  "mixHash",
  "nonce",
];
const QUANTITIES = new Set(["difficulty", "number", "gasLimit", "gasUsed", "timestamp"]);

function unhex(text: string, isQuantity = false): Bytes {
  const digits = text.slice(2);
  if (!isQuantity) return fromHex(digits);
  const trimmed = digits.replace(/^0+/, "");
  return fromHex(trimmed.length % 2 === 0 ? trimmed : `0${trimmed}`);
}

const fieldsOf = (block: Vector): Bytes[] => FIELDS.map((name) => unhex(block[name], QUANTITIES.has(name)));
const headerOf = (fields: RlpItem[]) => parseBlockHeader(encodeRlp(fields));

/** A block with its extraData changed. */
function edited(fields: Bytes[], change: (items: RlpItem[]) => void): RlpItem[] {
  const items = decodeRlp(fields[12] as Bytes) as RlpItem[];
  change(items);
  return fields.map((each, at) => (at === 12 ? encodeRlp(items) : each));
}

function codeOf(action: () => void): string {
  try {
    action();
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
  return "holds";
}

/** Outcome by name: `holds`, or the code. */
export function judgeRecorded(path: string): { [name: string]: string } {
  const recorded = JSON.parse(readFileSync(path, "utf8")) as Vector;
  const blocks = recorded["blocks"] as Vector[];
  const outcome: { [name: string]: string } = {};
  const fields = blocks.map(fieldsOf);
  const set = (headerOf(fields[0] as Bytes[]).extra?.validators ?? []).toSorted();
  for (const [at, block] of blocks.entries()) {
    const header = headerOf(fields[at] as Bytes[]);
    const number = Number(block["number"]);
    const isSame = computeBlockHash(header) === (block["hash"] as string).slice(2);
    const named = (recorded["signers"][block["number"]]?.Committers ?? []) as string[];
    const isNamed = recoverSealers(header).join() === named.map((each) => each.slice(2)).join();
    const seals = number === 0 ? "holds" : codeOf(() => verifySeals(header, set));
    outcome[`block ${number}`] = isSame && isNamed ? seals : "another hash or other sealers";
  }
  const seals = (items: RlpItem[]) => items[4] as RlpItem[];
  const round = fields[1] as Bytes[];
  const sample = fields[6] as Bytes[];
  const refused: { [name: string]: RlpItem[] } = {
    "two of four": edited(sample, (items) => void (items[4] = seals(items).slice(0, 2))),
    "duplicated seal": edited(
      sample,
      (items) => void (items[4] = [...seals(items).slice(0, 2), seals(items)[0] as Bytes]),
    ),
    "no signature": edited(sample, (items) => void (items[4] = [...seals(items).slice(0, 2), new Uint8Array(65)])),
    "round of block 1 left out": edited(round, (items) => void (items[3] = new Uint8Array())),
    "changed state root": sample.map((each, at) => (at === 3 ? hashKeccak(each) : each)),
  };
  for (const [name, damaged] of Object.entries(refused))
    outcome[name] = codeOf(() => verifySeals(headerOf(damaged), set));
  outcome["foreign validator"] = codeOf(() => verifySeals(headerOf(sample), set.slice(0, 3)));
  const isOneRule = toHex(computeSealedHash(headerOf(round))) === computeBlockHash(headerOf(round));
  outcome["block 1 is of round one: two hashes"] = isOneRule ? "one hash" : "holds";
  for (const proof of recorded["proofs"] as Vector[]) judgeProof(proof, blocks, recorded, outcome);
  return outcome;
}

function judgeProof(proof: Vector, blocks: Vector[], recorded: Vector, outcome: { [name: string]: string }): void {
  const { block: at, result } = proof as { block: string; result: Vector };
  const block = blocks.find((each) => each["number"] === at) as Vector;
  const root = (block["stateRoot"] as string).slice(2);
  const nodes = (result["accountProof"] as string[]).map((each) => unhex(each));
  const address = (recorded["contract"] as string).slice(2);
  const account = verifyAccount(root, address, nodes);
  outcome[`account ${at}`] =
    account.storageRoot === (result["storageHash"] as string).slice(2) ? "holds" : "another root";
  outcome[`account ${at}, a node less`] = codeOf(() => void verifyAccount(root, address, nodes.slice(0, -1)));
  outcome[`account ${at}, a node more`] = codeOf(
    () => void verifyAccount(root, address, [...nodes, new Uint8Array([0xc0])]),
  );
  for (const { key, value, proof: path } of result["storageProof"] as Vector[]) {
    const word = verifySlot(
      account.storageRoot,
      (key as string).slice(2),
      (path as string[]).map((each) => unhex(each)),
    );
    outcome[`slot ${at} ${(key as string).slice(2, 10)}`] = word === BigInt(value) ? "holds" : "another word";
  }
}
