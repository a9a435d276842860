/** Acknowledgements: a receiving city's signed word that a release arrived (docs/spec/release.md, "Signed files"). */
import type { Hex } from "./bytes.ts";
import type { Json } from "./canonical.ts";
import { Refusal } from "./refusal.ts";
import { readHash, readTime, readVersioned } from "./shape.ts";
import { type MessageKey, frameJson, isSignedBy, readKeyId, readSignature } from "./signatures.ts";

export interface Acknowledgement {
  readonly key: MessageKey;
  readonly terms: Hex;
  readonly release: Hex;
  readonly request: Hex;
  readonly answer: Hex;
}

const ACKNOWLEDGEMENT = "tongban/acknowledgement/v1";

/** Read an acknowledgement and check its signature; `signed_body_invalid` if it does not hold. */
export function readAcknowledgement(value: Json | undefined): Acknowledgement {
  const m = readVersioned(value, ACKNOWLEDGEMENT, [
    "terms",
    "release",
    "request",
    "answer",
    "received_at",
    "keyid",
    "signature",
  ]);
  readTime(m["received_at"]);
  const key = readKeyId(m["keyid"]);
  const { signature, ...body } = m;
  if (!isSignedBy(key.key, frameJson(ACKNOWLEDGEMENT, body as Json), readSignature(signature))) {
    throw new Refusal("signed_body_invalid");
  }
  return {
    key,
    terms: readHash(m["terms"]),
    release: readHash(m["release"]),
    request: readHash(m["request"]),
    answer: readHash(m["answer"]),
  };
}
