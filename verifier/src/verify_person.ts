/** The fourth line: person, purpose, evidence of the grant (docs/spec/receipt.md, checks 16 to 19). */
import { toHex } from "./bytes.ts";
import type { Json } from "./canonical.ts";
import { type CommitmentKind, type Opening, computeCommitment, encodeEntry, encodeOrigin } from "./commitment.ts";
import type { Credential, LogFacts } from "./credential.ts";
import { type Evidence, verifyEvidence } from "./evidence.ts";
import { hashLeaf } from "./merkle.ts";
import type { Placement } from "./placement.ts";
import { Refusal, refuseAs } from "./refusal.ts";
import { readCode, readObject, readShortText } from "./shape.ts";
import type { ReleaseRequest } from "./release.ts";
import type { Showing } from "./statement.ts";
import { type FailingCode, type LineDraft, fail } from "./verdict.ts";
import type { Case } from "./verify.ts";
import type { Needs } from "./verify_chain.ts";
import type { Reliance } from "./verify_reliance.ts";

const WITHDRAWN = 1;
const CREDENTIAL_CODES = [
  "credential_too_young",
  "credential_withdrawn",
  "not_anchored",
  "root_mismatch",
  "malformed_proof",
  "unknown_version",
  "unexpected_shape",
  "malformed_encoding",
  "malformed_commitment",
  "not_canonical",
];

function credentialsOf(evidence: Evidence): Credential[] {
  const officers = evidence.officers.map((each) => each.credential);
  const others = [evidence.passkey?.credential, evidence.assertion?.provider];
  return [...officers, ...others.filter((each) => each !== undefined)];
}

/** Leaves of the credentials, whose flags are carried after the block that recorded the grant. */
export function listCredentialLeaves(request: ReleaseRequest, domain: string, block: number): Needs["leaves"] {
  const city = request.terms.recording;
  return credentialsOf(request.evidence).map(({ salt, body, placement }) => {
    const commitment = computeCommitment("credential", encodeOrigin(domain, city, placement.generation), salt, body);
    return { city, leafHash: toHex(hashLeaf(encodeEntry("credential", commitment))), block };
  });
}

export async function judgePerson(line: LineDraft, receipt: Reliance, at: Case, show: () => Showing[]): Promise<void> {
  const { body } = receipt;
  const { terms, generation } = body.request;
  const showings = show();
  const origin = encodeOrigin(at.trust.domain, terms.recording, generation);
  const opens = (kind: CommitmentKind, opening: Opening, commitment: string, code: FailingCode): void => {
    if (computeCommitment(kind, origin, opening.salt, opening.body) !== commitment) fail(code);
  };
  opens("subject", body.openings.subject, terms.subject, "subject_mismatch");
  opens("item", body.openings.item, terms.item, "purpose_mismatch");
  opens("case", body.openings.case, terms.case, "purpose_mismatch");
  checkSubjects(line, body.openings.subject.body, showings);
  await checkEvidence(line, receipt, at);
}

/** Check 17: the person is among the subjects of every material that shows them. */
function checkSubjects(line: LineDraft, subject: Json, showings: readonly Showing[]): void {
  for (const showing of showings) {
    const subjects = showing.values.get("subjects") ?? null;
    if (subjects === null)
      line.restOn("issuing_city"); // it matched the person before it released
    else if (
      !isAmong(
        subjects,
        refuseAs("subject_mismatch", () => readPerson(subject)),
      )
    )
      fail("subject_not_in_material");
  }
}

interface Person {
  readonly scheme: string;
  readonly number: string;
}

function readPerson(value: Json): Person {
  const m = readObject(value, ["scheme", "number", "name"]);
  readShortText(m["name"]);
  return { scheme: readCode(m["scheme"]), number: readShortText(m["number"]) };
}

/** By scheme and number; other members of a subject may be there or not. */
function isAmong(subjects: Json, person: Person): boolean {
  const isPerson = (each: Json) =>
    typeof each === "object" &&
    each !== null &&
    !Array.isArray(each) &&
    each["scheme"] === person.scheme &&
    each["number"] === person.number;
  return Array.isArray(subjects) && subjects.some(isPerson);
}

/** Checks 18 and 19, as of the block that recorded the grant. */
async function checkEvidence(line: LineDraft, receipt: Reliance, at: Case): Promise<void> {
  const { request, recorded } = receipt.body;
  const { terms, evidence } = request;
  const { grant } = at.facts.locateGrant(terms, recorded);
  if (grant === null) return line.pend("evidence_unconfirmed");
  line.restOn(at.facts.source);
  line.restOn("recording_city");
  const origin = encodeOrigin(at.trust.domain, terms.recording, request.generation);
  if (computeCommitment("evidence", origin, request.evidenceSalt, evidence.json) !== grant.evidence) {
    fail("evidence_commitment_mismatch");
  }
  const { number, timestamp } = grant.recorded.block;
  const rules = { sensitiveTypes: at.sensitiveTypes, wardIsMinor: false };
  try {
    await verifyEvidence(evidence, terms, request.bundle, timestamp, logFactsAt(at, number), rules);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.code === "evidence_unconfirmed") return line.pend("evidence_unconfirmed");
    fail(codeOf(error));
  }
}

function codeOf(error: Refusal): FailingCode {
  if (error.code === "evidence_officer" || error.code === "evidence_passkey") return error.code;
  return CREDENTIAL_CODES.includes(error.code) ? "evidence_credential" : "evidence_invalid";
}

/** Logs as known at a block: what is neither read nor proven is unknown. */
function logFactsAt(at: Case, block: number): LogFacts {
  const { facts } = at;
  return {
    domain: at.trust.domain,
    anchoredAt(city: string, placement: Placement) {
      const head = { city, generation: placement.generation, size: placement.treeSize, root: placement.root };
      const time = facts.headAnchoredAt(head);
      if (time === null && !facts.isReadTo(block)) throw new Refusal("evidence_unconfirmed");
      return time;
    },
    withdrawnAt(city: string, leafHash: string) {
      const flags = facts.flagsAt(city, leafHash, block);
      if (flags === null) throw new Refusal("evidence_unconfirmed");
      return (flags & WITHDRAWN) !== 0 ? 0 : null;
    },
  };
}
