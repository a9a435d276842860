/**
 * `node dist/cli.js RECEIPT --trust FILE`: a receipt judged offline (docs/spec/conformance.md).
 *
 * Exit codes as `tongban verify`: 0 holds, 1 does not hold or is pending, 2 bad input.
 */
import { createReadStream, readFileSync, statSync } from "node:fs";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes, fromHex, toHex } from "./bytes.ts";
import { MAX_RECEIPT_BYTES } from "./receipt.ts";
import { Refusal } from "./refusal.ts";
import { describe, writeLines } from "./report.ts";
import { FILE_SENTENCES } from "./sentences_more.ts";
import { SENSITIVE_TYPES } from "./sensitive.ts";
import { MAX_TRUST_BYTES, type Trust, parseTrust } from "./trust.ts";
import { codesOf } from "./verdict.ts";
import { verifyReceipt } from "./verify.ts";

const HELP = `离线核验凭证 / verify a receipt offline

  node cli.js RECEIPT --trust FILE [--document FILE] [--at TIME] [--sensitive CODES] [--json]
  node cli.js --batch

RECEIPT           凭证文件，- 为标准输入 / the receipt, - for standard input
--trust FILE      信任文件 / the trust file
--document FILE   核对此文件 / a file that should be one of the documents
--at TIME         依据的时效算到此时，ISO 8601 / count the age up to this time
--sensitive CODES 需要第二名经办人的材料类型，逗号分隔；空为没有 / types that need two officers
--json            输出 JSON / print JSON
--batch           标准输入每行一个 JSON / one JSON object a line on standard input:
                  {"receipt", "trust" (hex), "document" (digest, or empty), "sensitive_types"}
`;

const OPTIONS = {
  trust: { type: "string" },
  document: { type: "string" },
  at: { type: "string" },
  sensitive: { type: "string" },
  json: { type: "boolean", default: false },
  batch: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

function readFile(path: string, max: number): Bytes {
  let bytes: Bytes;
  try {
    if (path !== "-" && statSync(path).size > max) throw new Refusal("file_too_large");
    bytes = new Uint8Array(readFileSync(path === "-" ? 0 : path));
  } catch (error) {
    throw error instanceof Refusal ? error : new Refusal("file_unreadable");
  }
  if (bytes.length > max) throw new Refusal("file_too_large");
  return bytes;
}

/** SHA-256 of a file of any size. */
async function hashFile(path: string): Promise<string> {
  const hash = sha256.create();
  let size = 0;
  try {
    for await (const chunk of createReadStream(path)) {
      hash.update(chunk as Bytes);
      size += (chunk as Bytes).length;
    }
  } catch {
    throw new Refusal("file_unreadable");
  }
  if (size === 0) throw new Refusal("file_empty");
  return toHex(hash.digest());
}

function readTrust(bytes: Bytes): Trust {
  try {
    return parseTrust(bytes);
  } catch (error) {
    if (error instanceof Refusal) throw new Refusal("trust_not_readable", error.message);
    throw error;
  }
}

const sortTypes = (text: string | undefined): ReadonlySet<string> =>
  text === undefined ? SENSITIVE_TYPES : new Set(text.split(",").filter((each) => each !== ""));

async function verifyOne(argv: string[]): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({ args: argv, options: OPTIONS, allowPositionals: true });
  } catch {
    throw new Refusal("usage");
  }
  const { values, positionals } = parsed;
  if (values.help) return print(HELP, 0);
  if (values.batch) return verifyBatch();
  const [path] = positionals;
  const at = values.at === undefined ? Date.now() : Date.parse(values.at);
  if (path === undefined || positionals.length > 1 || values.trust === undefined || Number.isNaN(at)) {
    throw new Refusal("usage");
  }
  const trust = readTrust(readFile(values.trust, MAX_TRUST_BYTES));
  const document = values.document === undefined ? null : await hashFile(values.document);
  const options = { document, sensitiveTypes: sortTypes(values.sensitive) };
  const verdict = await verifyReceipt(readFile(path, MAX_RECEIPT_BYTES), trust, options);
  const time = Math.floor(at / 1000);
  const text = values.json
    ? JSON.stringify(describe(verdict, trust, time))
    : writeLines(verdict, trust, time).join("\n");
  return print(`${text}\n`, verdict.state === "holds" ? 0 : 1);
}

function print(text: string, code: number): number {
  process.stdout.write(text);
  return code;
}

interface Task {
  readonly receipt: string;
  readonly trust: string;
  readonly document?: string | null;
  readonly sensitive_types?: readonly string[];
}

/** One line in, one line out, in the same order; a receipt that is none is `{"error": {"code"}}`. */
async function verifyBatch(): Promise<number> {
  for await (const line of createInterface({ input: process.stdin })) {
    const task = JSON.parse(line) as Task;
    process.stdout.write(`${JSON.stringify(await judgeTask(task))}\n`);
  }
  return 0;
}

async function judgeTask(task: Task): Promise<{ [name: string]: unknown }> {
  const types = task.sensitive_types === undefined ? SENSITIVE_TYPES : new Set(task.sensitive_types);
  try {
    const options = { document: task.document === "" ? null : (task.document ?? null), sensitiveTypes: types };
    const verdict = await verifyReceipt(fromHex(task.receipt), readTrust(fromHex(task.trust)), options);
    return { state: verdict.state, codes: codesOf(verdict) };
  } catch (error) {
    if (error instanceof Refusal) return { error: { code: error.code } };
    throw error;
  }
}

/** An error is printed as `tongban` prints it. */
function report(error: Refusal, asJson: boolean): number {
  const sentence = FILE_SENTENCES[error.code] ?? { zh: "出错了。", en: "Something went wrong." };
  const { zh, en } = sentence;
  if (asJson) return print(`${JSON.stringify({ error: { code: error.code, message_zh: zh, message_en: en } })}\n`, 2);
  process.stderr.write(`${zh}\n${en} [${error.code}]\n`);
  return 2;
}

try {
  process.exitCode = await verifyOne(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  process.exitCode = report(error, process.argv.includes("--json"));
}
