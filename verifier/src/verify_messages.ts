/** Request, answer and acknowledgement of a release as kept in a receipt (docs/spec/receipt.md, "Messages"). */
import { type RequestHead, verifyAnswer, verifyRequest } from "./message.ts";
import { type Acknowledgement, readAcknowledgement } from "./acknowledgement.ts";
import { computeReleaseCommitment, hashOf } from "./release.ts";
import type { RelianceBody } from "./reliance_body.ts";
import { Refusal, refuseAs } from "./refusal.ts";
import type { MessageKey } from "./signatures.ts";
import { fail } from "./verdict.ts";

const REQUEST_PATH = "/peer/v1/releases";
const FETCH_PATH = "/peer/v1/releases/answer";

export interface SignedMessages {
  readonly request: MessageKey;
  readonly answer: MessageKey;
  readonly acknowledgement: Acknowledgement;
}

/** Check who signed what; gives the keys. Refuses with `request_…`, `answer_…`, `acknowledgement_invalid`. */
export function checkMessages(body: RelianceBody): SignedMessages {
  const { request: asked, answer: answered } = body;
  const request = refuseAs("request_signature_invalid", () => {
    demandPath(body.requestHead, REQUEST_PATH);
    return verifyRequest(body.requestHead, asked.bytes).key;
  });
  if (answered.request !== hashOf(asked)) fail("answer_digest_mismatch");
  const answer = checkAnswer(body);
  const acknowledgement = refuseAs("acknowledgement_invalid", () => readAcknowledgement(body.acknowledgement));
  if (acknowledgement.key.city !== asked.terms.receiving) fail("acknowledgement_invalid");
  return { request, answer, acknowledgement };
}

function checkAnswer(body: RelianceBody): MessageKey {
  const { fetchHead, answerStatus, answerHeaders, answer, request } = body;
  try {
    demandPath(fetchHead, FETCH_PATH);
    return verifyAnswer(fetchHead, answerStatus, answerHeaders, answer.bytes, request.terms.releasing).key;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return fail(error.code === "message_key_unknown" ? "answer_key_invalid" : "answer_signature_invalid");
  }
}

function demandPath(head: RequestHead, path: string): void {
  if (head.path !== path) fail("request_signature_invalid", "another route");
}

/** The acknowledgement is of this release. */
export function checkAcknowledgement(body: RelianceBody, found: Acknowledgement): void {
  const [request, answer] = [hashOf(body.request), hashOf(body.answer)];
  const isOurs =
    found.terms === body.request.terms.grantId &&
    found.request === request &&
    found.answer === answer &&
    found.release === computeReleaseCommitment(body.releaseSalt, request, answer);
  if (!isOurs) fail("acknowledgement_mismatch");
}
