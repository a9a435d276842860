/**
 * `node dist/conformance.js <tests/vectors>`: every vector this verifier has to do with, in one process.
 *
 * Prints one JSON object: per file the code of the refusal (null: holds), or for receipts the verdict;
 * `qbft` by name. Which outcome is wanted, and whether it came, is for the caller to say.
 *
 * With `--flips`, standard input holds `{<file>: [<bit>, …]}`, and printed is what became of the
 * receipt of each file with that one bit turned: how many were refused how, and which bits held.
 */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { utf8 } from "../bytes.ts";
import { Refusal } from "../refusal.ts";
import { type Trust, parseTrust } from "../trust.ts";
import { type LineState, codesOf } from "../verdict.ts";
import { verifyReceipt } from "../verify.ts";
import { judgeRecorded } from "./qbft.ts";
import { TOPICS, type Vector } from "./topics.ts";

const RECEIPTS = [
  "receipt/registration",
  "receipt/reliance",
  "receipt_v1/registration",
  "receipt_v1/reliance",
  "receipt_v1/unsealed",
];

function* listVectors(root: string, folder: string): Generator<[string, Vector]> {
  for (const each of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = `${folder}/${each.name}`;
    if (each.isDirectory()) yield* listVectors(root, path);
    else if (each.name.endsWith(".json")) yield [path, JSON.parse(readFileSync(join(root, path), "utf8")) as Vector];
  }
}

async function judgeTopic(check: (vector: Vector) => void | Promise<void>, vector: Vector): Promise<string | null> {
  try {
    await check(vector);
    return null;
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    return `failed: ${(error as Error).message}`;
  }
}

async function judgeReceipt(vector: Vector): Promise<{ state: string; codes: string[] }> {
  const options = {
    document: (vector["document"] as string) || null,
    sensitiveTypes: new Set(vector["sensitive_types"] as string[]),
  };
  const verdict = await verifyReceipt(utf8(vector["receipt"]), parseTrust(utf8(vector["trust"])), options);
  return { state: verdict.state, codes: codesOf(verdict) };
}

async function main(root: string): Promise<void> {
  const outcome: { [path: string]: unknown } = {};
  for (const [folder, check] of Object.entries(TOPICS)) {
    for (const [path, vector] of listVectors(root, folder)) outcome[path] = await judgeTopic(check, vector);
  }
  for (const folder of RECEIPTS) {
    for (const [path, vector] of listVectors(root, folder)) outcome[path] = await judgeReceipt(vector);
  }
  outcome["qbft"] = judgeRecorded(join(root, "qbft/four-validators.json"));
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
}

async function flip(root: string): Promise<void> {
  const wanted = JSON.parse(readFileSync(0, "utf8")) as { [path: string]: number[] };
  const outcome: { [path: string]: unknown } = {};
  for (const [path, bits] of Object.entries(wanted)) {
    const vector = JSON.parse(readFileSync(join(root, path), "utf8")) as Vector;
    const trust = parseTrust(utf8(vector["trust"]));
    const found = { unreadable: 0, fails: 0, pending: 0, held: [] as number[] };
    for (const bit of bits) {
      const bytes = utf8(vector["receipt"]);
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      const state = await stateOf(bytes, trust);
      if (state === "holds") found.held.push(bit);
      else if (state !== "not_stated") found[state] += 1;
    }
    outcome[path] = found;
  }
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
}

async function stateOf(bytes: Uint8Array, trust: Trust): Promise<LineState | "unreadable"> {
  try {
    return (await verifyReceipt(bytes, trust)).state;
  } catch (error) {
    if (error instanceof Refusal) return "unreadable";
    throw error;
  }
}

await (process.argv.includes("--flips") ? flip : main)(process.argv[2] as string);
