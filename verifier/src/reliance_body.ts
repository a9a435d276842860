/** Body of a reliance receipt (docs/spec/receipt.md, "File"; receipt-v1.md for `verdicts`). */
import type { Hex } from "./bytes.ts";
import type { Json } from "./canonical.ts";
import { type Opening, readOpening } from "./commitment.ts";
import { type BlockFact, type Place, readBlock } from "./facts.ts";
import type { MessageHeaders, RequestHead } from "./message.ts";
import { MAX_GENERATION } from "./placement.ts";
import { type ReleaseAnswer, type ReleaseRequest, readAnswer, readRequest } from "./release.ts";
import {
  demand,
  demandDistinct,
  readChoice,
  readCity,
  readCode,
  readHash,
  readInteger,
  readList,
  readNullable,
  readObject,
  readShortText,
  readText,
  readTime,
} from "./shape.ts";
import { type Disclosed, readDisclosed } from "./statement.ts";
import { CODES, QUESTIONS, STATES } from "./verdict.ts";

const MAX_MATERIALS = 64;
const MAX_OBJECTIONS = 2 ** 32 - 1;
type PlaceReader = (value: Json | undefined) => Place;

export interface ReliedMaterial {
  readonly commitment: Hex;
  readonly disclosed: readonly Disclosed[];
  readonly anchored: Place;
  readonly status: number;
  readonly openObjections: number;
}

export interface RelianceBody {
  readonly receipt: string;
  readonly city: string;
  readonly generation: number;
  readonly decidedAt: number;
  readonly request: ReleaseRequest;
  readonly requestHead: RequestHead;
  readonly answer: ReleaseAnswer;
  /** The request that fetched the answer, and the head of the answer. */
  readonly fetchHead: RequestHead;
  readonly answerStatus: number;
  readonly answerHeaders: MessageHeaders;
  readonly acknowledgement: Json;
  readonly releaseSalt: Hex;
  readonly materials: readonly ReliedMaterial[];
  readonly openings: { readonly subject: Opening; readonly item: Opening; readonly case: Opening };
  readonly recorded: Place;
  readonly consumed: Place;
  readonly stateBlock: BlockFact;
}

const MEMBERS = [
  "receipt",
  "city",
  "generation",
  "decided_at",
  "decision",
  "catalogue",
  "request",
  "request_message",
  "answer",
  "answer_message",
  "acknowledgement",
  "release_salt",
  "materials",
  "openings",
  "grant",
  "state_block",
];

export function readRelianceBody(value: Json | undefined, version: 0 | 1, readEvent: PlaceReader): RelianceBody {
  const m = readObject(value, version === 1 ? [...MEMBERS, "verdicts"] : MEMBERS);
  readDecision(m["decision"]);
  readCode(m["catalogue"]);
  if (version === 1) readVerdicts(m["verdicts"]);
  const answer = readObject(m["answer_message"], ["request", "status", "headers"]);
  const openings = readObject(m["openings"], ["subject", "item", "case"]);
  const grant = readObject(m["grant"], ["recorded", "consumed"]);
  const materials = readList(m["materials"], (item) => readMaterial(item, readEvent), { min: 1, max: MAX_MATERIALS });
  demandDistinct(materials.map((each) => each.commitment));
  return {
    receipt: readCode(m["receipt"]),
    city: readCity(m["city"]),
    generation: readInteger(m["generation"], 0, MAX_GENERATION),
    decidedAt: readTime(m["decided_at"]),
    request: readRequest(m["request"]),
    requestHead: readRequestHead(m["request_message"]),
    answer: readAnswer(m["answer"]),
    fetchHead: readRequestHead(answer["request"]),
    answerStatus: readInteger(answer["status"], 200, 200),
    answerHeaders: readHeaders(answer["headers"]),
    acknowledgement: m["acknowledgement"] as Json,
    releaseSalt: readHash(m["release_salt"]),
    materials,
    openings: {
      subject: readOpening(openings["subject"]),
      item: readOpening(openings["item"]),
      case: readOpening(openings["case"]),
    },
    recorded: readEvent(grant["recorded"]),
    consumed: readEvent(grant["consumed"]),
    stateBlock: readBlock(m["state_block"]),
  };
}

function readMaterial(value: Json, readEvent: PlaceReader): ReliedMaterial {
  const m = readObject(value, ["commitment", "disclosed", "anchored", "status", "open_objections"]);
  return {
    commitment: readHash(m["commitment"]),
    disclosed: readDisclosed(m["disclosed"]),
    anchored: readEvent(m["anchored"]),
    status: readInteger(m["status"], 0, 15),
    openObjections: readInteger(m["open_objections"], 0, MAX_OBJECTIONS),
  };
}

function readDecision(value: Json | undefined): void {
  const m = readObject(value, ["officer", "role", "outcome"]);
  readCode(m["officer"]);
  readChoice(m["role"], ["registrar", "reviewer", "supervisor"]);
  readShortText(m["outcome"]);
}

/** The four lines as the clerk saw them: the relying city's word. */
function readVerdicts(value: Json | undefined): void {
  const lines = readList(value, (item) => {
    const m = readObject(item, ["question", "state", "code"]);
    const state = readChoice(m["state"], STATES);
    const code = readNullable(m["code"], (each) => readChoice(each, CODES));
    demand((code === null) === (state === "holds" || state === "not_stated"), "code of a line");
    return readChoice(m["question"], QUESTIONS);
  });
  demand(lines.join() === QUESTIONS.join(), "order of the lines");
}

function readRequestHead(value: Json | undefined): RequestHead {
  const m = readObject(value, ["url", "path", "headers"]);
  return {
    method: "POST",
    url: readText(m["url"], 256),
    path: readText(m["path"], 256),
    headers: readHeaders(m["headers"]),
  };
}

function readHeaders(value: Json | undefined): MessageHeaders {
  const m = readObject(value, ["content-digest", "signature-input", "signature"]);
  return {
    contentDigest: readText(m["content-digest"], 4096),
    signatureInput: readText(m["signature-input"], 4096),
    signature: readText(m["signature"], 4096),
  };
}
