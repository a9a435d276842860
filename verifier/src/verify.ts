/**
 * The verdict on a receipt, from the file and a trust file alone (docs/spec/receipt.md, "Verdict").
 */
import type { Bytes, Hex } from "./bytes.ts";
import { KnownFacts } from "./known_facts.ts";
import { type Receipt, parseReceipt } from "./receipt.ts";
import { Refusal } from "./refusal.ts";
import type { Trust } from "./trust.ts";
import { type Verdict, summarize } from "./verdict.ts";
import { type Needs, type ProvenChain, verifyChainEvidence } from "./verify_chain.ts";
import { judgeRegistration, listRegistrationNeeds } from "./verify_registration.ts";
import { judgeReliance, listRelianceNeeds } from "./verify_reliance.ts";

export interface VerifyOptions {
  /** SHA-256 of a file that should be one of the documents shown. */
  readonly document?: Hex | null;
  /** Material types that ask for a second officer. */
  readonly sensitiveTypes?: ReadonlySet<string>;
}

/** What a line is judged from. */
export interface Case {
  readonly trust: Trust;
  readonly facts: KnownFacts;
  /** What was wrong with the evidence of the chain, if anything was. */
  readonly chainProblem: Refusal | null;
  readonly document: Hex | null;
  readonly sensitiveTypes: ReadonlySet<string>;
}

/** Judge a receipt of either kind and version; refuses with `receipt_not_canonical` only. */
export async function verifyReceipt(bytes: Bytes, trust: Trust, options: VerifyOptions = {}): Promise<Verdict> {
  const receipt = parseReceipt(bytes);
  const { proven, problem } = proveChain(receipt, trust);
  const facts = new KnownFacts(trust, receipt.version, proven);
  const at: Case = {
    trust,
    facts,
    chainProblem: problem,
    document: options.document ?? null,
    sensitiveTypes: options.sensitiveTypes ?? new Set(),
  };
  const lines =
    receipt.kind === "registration" ? await judgeRegistration(receipt, at) : await judgeReliance(receipt, at);
  const { asOf } = facts;
  return {
    state: summarize(lines),
    kind: receipt.kind,
    receipt: receipt.body.receipt,
    city: receipt.body.city,
    lines,
    asOf: asOf === null ? null : { block: asOf.number, timestamp: asOf.timestamp },
  };
}

function proveChain(receipt: Receipt, trust: Trust): { proven: ProvenChain | null; problem: Refusal | null } {
  if (receipt.chain === null) return { proven: null, problem: null };
  try {
    return { proven: verifyChainEvidence(receipt.chain, listNeeds(receipt, trust), trust), problem: null };
  } catch (error) {
    if (error instanceof Refusal) return { proven: null, problem: error };
    throw error;
  }
}

function listNeeds(receipt: Receipt, trust: Trust): Needs {
  const needs = receipt.kind === "registration" ? listRegistrationNeeds(receipt) : listRelianceNeeds(receipt, trust);
  const sealed = receipt.seal === null ? [] : [receipt.seal.anchored.block];
  return { ...needs, blocks: [...needs.blocks, ...sealed] };
}
