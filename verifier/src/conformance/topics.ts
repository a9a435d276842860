/** One check per topic of tests/vectors: each refuses, or returns if the vector holds. */
import { fromHex, hashSha256, toHex } from "../bytes.ts";
import { type Json, encodeCanonical, parseCanonical } from "../canonical.ts";
import { type CommitmentKind, computeCommitment } from "../commitment.ts";
import type { LogFacts } from "../credential.ts";
import { readEvidence, verifyEvidence } from "../evidence.ts";
import { verifyInclusion } from "../merkle.ts";
import { type RequestHead, verifyAnswer, verifyRequest } from "../message.ts";
import { parseReceipt } from "../receipt.ts";
import { Refusal } from "../refusal.ts";
import { readAcknowledgement } from "../acknowledgement.ts";
import { parseAnswer, parseRequest } from "../release.ts";
import { parseVerifierKey, verifyCheckpoint, verifyNote } from "../signed_note.ts";
import { hashDisclosure, parseDigest, parseDisclosure, verifyShowing } from "../statement.ts";
import { computeBundleChallenge, readTerms } from "../terms.ts";
import { verifyTlogProof } from "../tlog_proof.ts";
import { parseTrust } from "../trust.ts";

export type Vector = { readonly [name: string]: any };
type Check = (vector: Vector) => void | Promise<void>;

function demand(condition: boolean, detail: string): void {
  if (!condition) throw new Error(`the vector holds otherwise: ${detail}`);
}

const bytesOf = (vector: Vector, name = "bytes") => fromHex(vector[name]);

export const TOPICS: { readonly [folder: string]: Check } = {
  canonical: (v) => void parseCanonical(bytesOf(v)),
  commitment: (v) => {
    const found = computeCommitment(
      v["kind"] as CommitmentKind,
      v["origin"],
      v["salt"],
      parseCanonical(bytesOf(v, "body")),
    );
    if (found !== v["commitment"]) throw new Refusal("commitment_mismatch");
  },
  digest: (v) => {
    if (parseDigest(v["text"]) !== toHex(hashSha256(bytesOf(v, "document")))) throw new Refusal("digest_mismatch");
  },
  disclosure: (v) => {
    const { name, value, salt } = parseDisclosure(v["text"]);
    if (name !== v["name"]) throw new Refusal("malformed_disclosure", "name");
    demand(salt === v["salt"] && toHex(encodeCanonical(value)) === v["value"], "value");
    demand(hashDisclosure(v["text"]) === v["digest"], "digest");
  },
  statement: (v) => {
    const disclosed = Object.entries(v["disclosed"] as { [at: string]: string });
    const shown = disclosed.map(([at, text]) => ({ position: Number(at), text }));
    const { values } = verifyShowing(v["origin"], v["commitment"], v["digests"], shown);
    for (const [name, value] of Object.entries(v["values"] ?? {})) {
      demand(toHex(encodeCanonical(values.get(name) as Json)) === value, name);
    }
  },
  "merkle/inclusion": (v) => {
    const head = { size: BigInt(v["tree_size"]), root: v["root"] as string };
    verifyInclusion(bytesOf(v, "leaf_hash"), BigInt(v["leaf_index"]), v["proof"], head);
  },
  "terms/terms": (v) => demand(readTerms(parseCanonical(bytesOf(v))).grantId === v["grant_id"], "grant id"),
  "terms/bundle": (v) => demand(computeBundleChallenge(v["grant_ids"]) === v["challenge"], "challenge"),
  evidence: (v) => checkEvidence(v),
  "message/request": (v) => checkRequest(v),
  "message/answer": (v) => checkAnswer(v),
  "release/release-request": (v) => void parseRequest(bytesOf(v)),
  "release/release-answer": (v) => void parseAnswer(bytesOf(v)),
  "release/acknowledgement": (v) => {
    const { key } = readAcknowledgement(parseCanonical(bytesOf(v)));
    if (key.city !== v["expected_city"]) throw new Refusal("signed_body_invalid");
    demandKnown(v, key);
  },
  "receipt/spelling": (v) => void parseReceipt(bytesOf(v)),
  "receipt_v1/spelling": (v) => void parseReceipt(bytesOf(v)),
  "receipt/trust": (v) => void parseTrust(bytesOf(v)),
  signed_note: (v) => {
    demand(verifyNote(bytesOf(v, "note"), parseVerifierKey(v["vkey"])) === v["text"], "text");
  },
  checkpoint: (v) => {
    const { head } = verifyCheckpoint(bytesOf(v, "note"), v["origin"], parseVerifierKey(v["vkey"]));
    demand(head.root === v["root"] && head.size === BigInt(v["tree_size"]), "head");
  },
  tlog_proof: (v) => verifyTlogProof(bytesOf(v), bytesOf(v, "entry"), v["origin"], parseVerifierKey(v["vkey"])),
};

async function checkEvidence(v: Vector): Promise<void> {
  const heads = v["heads"] as [string, number, number, string, number][];
  const withdrawn = v["withdrawn"] as [string, string, number][];
  const facts: LogFacts = {
    domain: v["domain"],
    anchoredAt: (city, at) =>
      heads.find(
        ([c, g, size, root]) => c === city && g === at.generation && size === at.treeSize && root === at.root,
      )?.[4] ?? null,
    withdrawnAt: (city, leaf) => withdrawn.find(([c, l]) => c === city && l === leaf)?.[2] ?? null,
  };
  const rules = {
    sensitiveTypes: new Set(v["sensitive_types"] as string[]),
    wardIsMinor: v["ward_is_minor"] as boolean,
  };
  const evidence = readEvidence(parseCanonical(bytesOf(v, "evidence")));
  const terms = readTerms(parseCanonical(bytesOf(v, "terms")));
  await verifyEvidence(evidence, terms, v["bundle"], v["as_of_s"], facts, rules);
}

function headersOf(pairs: [string, string][]) {
  const one = (name: string): string => {
    const found = pairs.filter(([each]) => each.toLowerCase() === name);
    if (found.length !== 1) throw new Refusal("message_unsigned", name);
    return (found[0] as [string, string])[1];
  };
  return { contentDigest: one("content-digest"), signatureInput: one("signature-input"), signature: one("signature") };
}

const headOf = (v: Vector): RequestHead => ({
  method: v["method"],
  url: v["url"],
  path: v["path"],
  headers: headersOf(v["headers"]),
});

function demandCurrent(v: Vector, signed: { created: number; expires: number }): void {
  const now = v["now_s"] as number;
  const isCurrent = signed.created <= now + 5 && signed.created >= now - 300 && signed.expires > now;
  if (!isCurrent) throw new Refusal("message_not_current");
}

function demandKnown(v: Vector, key: { city: string; key: string }): void {
  if (!(v["keys"] as string[]).includes(`${key.city}/message/${key.key}`)) throw new Refusal("message_key_unknown");
}

function checkRequest(v: Vector): void {
  const signed = verifyRequest(headOf(v), bytesOf(v, "body"));
  demandKnown(v, signed.key);
  demandCurrent(v, signed);
}

function checkAnswer(v: Vector): void {
  const headers = headersOf(v["answer_headers"]);
  const signed = verifyAnswer(headOf(v), v["status"], headers, bytesOf(v, "answer_body"), v["expected_city"]);
  demandKnown(v, signed.key);
  demandCurrent(v, signed);
}
