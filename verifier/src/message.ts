/**
 * Signed messages between cities: HTTP Message Signatures in one profile (docs/spec/messages.md).
 *
 * A receipt keeps no clock: what is checked here is who signed which bytes; `verifyMessageTimes`
 * is for a message that has just come.
 */
import { type Dictionary, type InnerList, type Item, parseDictionary, serializeInnerList } from "structured-headers";
import { type Bytes, fromBase64Url, hashSha256, equalBytes, utf8 } from "./bytes.ts";
import { Refusal } from "./refusal.ts";
import { type MessageKey, isSignedBy, readKeyId } from "./signatures.ts";

const LABEL = "tongban";
const TAG = "tongban-v1";
const REQUEST = ["@method", "@authority", "@path", "@query", "content-digest"];
const ANSWER = ["@status", "content-digest", "@method;req", "@path;req", "content-digest;req", "signature;req"];
const PARAMETERS = ["created", "expires", "nonce", "keyid", "tag"];

export interface MessageHeaders {
  readonly contentDigest: string;
  readonly signatureInput: string;
  readonly signature: string;
}

export interface RequestHead {
  readonly method: string;
  /** Registered address of the asked node: scheme and authority only. */
  readonly url: string;
  /** As sent, with the query if there is one. */
  readonly path: string;
  readonly headers: MessageHeaders;
}

export interface SignedMessage {
  readonly key: MessageKey;
  readonly created: number;
  readonly expires: number;
  readonly nonce: string;
}

const INVALID = "message_signature_invalid";

function demandSigned(condition: boolean, detail: string): asserts condition {
  if (!condition) throw new Refusal(INVALID, detail);
}

/** Check a request over its body; refuses with `message_…`. */
export function verifyRequest(head: RequestHead, body: Bytes): SignedMessage {
  return verifySigned(head.headers, REQUEST, valuesOfRequest(head), body, null);
}

/**
 * Check an answer over its body, to the request that fetched it; `message_key_unknown` if its key id
 * is of another city than the one that was asked.
 */
export function verifyAnswer(
  request: RequestHead,
  status: number,
  headers: MessageHeaders,
  body: Bytes,
  askedCity: string,
): SignedMessage {
  const asked = valuesOfRequest(request);
  const values = new Map<string, string>([
    ["@status", String(status)],
    ["content-digest", headers.contentDigest],
    ["@method;req", asked.get("@method") as string],
    ["@path;req", asked.get("@path") as string],
    ["content-digest;req", request.headers.contentDigest],
    ["signature;req", request.headers.signature],
  ]);
  return verifySigned(headers, ANSWER, values, body, askedCity);
}

function valuesOfRequest(head: RequestHead): Map<string, string> {
  demandSigned(/^https?:\/\/[^/?#@]+$/.test(head.url), "address");
  const url = orRefuse(() => new URL(head.url));
  const [path = "", ...query] = head.path.split("?");
  return new Map([
    ["@method", head.method],
    ["@authority", url.host],
    ["@path", path],
    ["@query", `?${query.join("?")}`],
    ["content-digest", head.headers.contentDigest],
  ]);
}

function verifySigned(
  headers: MessageHeaders,
  components: readonly string[],
  values: ReadonlyMap<string, string>,
  body: Bytes,
  city: string | null,
): SignedMessage {
  const inner = readOne(headers.signatureInput);
  demandSigned(Array.isArray(inner[0]), "input");
  const [items, parameters] = inner as InnerList;
  const named = items.map(nameOf);
  demandSigned(named.length === components.length && components.every((each) => named.includes(each)), "components");
  demandSigned(new Set(named).size === named.length, "component twice");
  const signed = readParameters(parameters);
  if (city !== null && signed.key.city !== city) throw new Refusal("message_key_unknown", "another city");
  const lines = items.map((item) => `${spell(item)}: ${values.get(nameOf(item)) as string}`);
  const base = [...lines, `"@signature-params": ${orRefuse(() => serializeInnerList(inner as InnerList))}`].join("\n");
  const signature = readOne(headers.signature)[0];
  demandSigned(signature instanceof ArrayBuffer, "signature");
  demandSigned(isSignedBy(signed.key.key, utf8(base), new Uint8Array(signature)), "signature");
  const digest = readDictionary(headers.contentDigest);
  const sha256 = digest.get("sha-256")?.[0];
  demandSigned(digest.size === 1 && sha256 instanceof ArrayBuffer, "content digest");
  if (body.length === 0 || !equalBytes(new Uint8Array(sha256), hashSha256(body)))
    throw new Refusal("message_body_mismatch");
  return signed;
}

/** What a library throws over somebody else's text is a refusal. */
function orRefuse<T>(action: () => T): T {
  try {
    return action();
  } catch {
    throw new Refusal(INVALID, "header or address");
  }
}

const readDictionary = (text: string): Dictionary => orRefuse(() => parseDictionary(text));

/** The one member of a dictionary, which is our label. */
function readOne(text: string): Item | InnerList {
  const dictionary = readDictionary(text);
  const found = dictionary.get(LABEL);
  demandSigned(dictionary.size === 1 && found !== undefined, "label");
  return found;
}

function nameOf(item: Item): string {
  const [name, parameters] = item;
  const [first] = parameters.keys();
  demandSigned(typeof name === "string" && parameters.size <= 1, "component");
  if (first === undefined) return name;
  demandSigned(first === "req" && parameters.get("req") === true, "component");
  return `${name};req`;
}

const spell = (item: Item): string => `"${item[0] as string}"${item[1].size === 1 ? ";req" : ""}`;

function readParameters(parameters: Item[1]): SignedMessage {
  const { size } = parameters;
  const known = PARAMETERS.length + (parameters.has("alg") ? 1 : 0);
  demandSigned(size === known && PARAMETERS.every((each) => parameters.has(each)), "parameters");
  demandSigned(!parameters.has("alg") || parameters.get("alg") === "ed25519", "algorithm");
  demandSigned(parameters.get("tag") === TAG, "tag");
  const [created, expires, nonce] = ["created", "expires", "nonce"].map((each) => parameters.get(each));
  demandSigned(Number.isSafeInteger(created) && Number.isSafeInteger(expires), "times");
  demandSigned((expires as number) > (created as number), "expires before created");
  try {
    fromBase64Url(nonce, 16);
    const key = readKeyId(parameters.get("keyid") as string);
    return { key, created: created as number, expires: expires as number, nonce: nonce as string };
  } catch {
    throw new Refusal(INVALID, "nonce or key id");
  }
}
