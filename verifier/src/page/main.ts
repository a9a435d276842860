/** The page: files are read in the browser, judged there, and go nowhere. */
import { sha256 } from "@noble/hashes/sha2.js";
import { type Hex, toHex } from "../bytes.ts";
import { MAX_RECEIPT_BYTES } from "../receipt.ts";
import { Refusal } from "../refusal.ts";
import type { Sentence } from "../sentences.ts";
import { FILE_SENTENCES } from "../sentences_more.ts";
import { SENSITIVE_TYPES } from "../sensitive.ts";
import { MAX_TRUST_BYTES, type Trust, parseTrust } from "../trust.ts";
import type { Verdict } from "../verdict.ts";
import { verifyReceipt } from "../verify.ts";
import { byId, isChinese, pick, switchLanguage, translate } from "./language.ts";
import { renderVerdict } from "./result.ts";

const NAMES = ["receipt", "trust", "document"] as const;
type Name = (typeof NAMES)[number];

interface Judged {
  readonly verdict: Verdict;
  readonly trust: Trust;
  readonly withDocument: boolean;
}

const dropped = new Map<Name, File>();
let judged: Judged | null = null;
let problem: Sentence | null = null;

const inputOf = (name: Name): HTMLInputElement => byId(`f-${name}`) as HTMLInputElement;
const fileOf = (name: Name): File | null => dropped.get(name) ?? inputOf(name).files?.[0] ?? null;

async function readFile(file: File, max: number): Promise<Uint8Array> {
  if (file.size > max) throw new Refusal("file_too_large");
  if (file.size === 0) throw new Refusal("file_empty");
  return new Uint8Array(await file.arrayBuffer());
}

/** SHA-256 of a file, piece by piece. */
async function hashFile(file: File): Promise<Hex> {
  if (file.size === 0) throw new Refusal("file_empty");
  const hash = sha256.create();
  const reader = file.stream().getReader();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) hash.update(piece.value);
  return toHex(hash.digest());
}

async function judge(receipt: File, trustFile: File, document: File | null): Promise<Judged> {
  const bytes = await readFile(receipt, MAX_RECEIPT_BYTES);
  const trustBytes = await readFile(trustFile, MAX_TRUST_BYTES);
  let trust: Trust;
  try {
    trust = parseTrust(trustBytes);
  } catch (error) {
    throw error instanceof Refusal ? new Refusal("trust_not_readable") : error;
  }
  const digest = document === null ? null : await hashFile(document);
  const verdict = await verifyReceipt(bytes, trust, { document: digest, sensitiveTypes: SENSITIVE_TYPES });
  return { verdict, trust, withDocument: digest !== null };
}

const MISSING: { readonly [name: string]: Sentence } = {
  receipt: { zh: "请先选择凭证文件。", en: "Choose the receipt first." },
  trust: { zh: "请先选择信任文件。", en: "Choose the trust file first." },
};
const UNREADABLE: Sentence = { zh: "文件读不出来。", en: "The file cannot be read." };

async function submit(): Promise<void> {
  judged = null;
  problem = null;
  const [receipt, trust] = [fileOf("receipt"), fileOf("trust")];
  if (receipt === null || trust === null) {
    const missing = receipt === null ? "receipt" : "trust";
    problem = MISSING[missing] as Sentence;
    show();
    inputOf(missing).focus();
    return;
  }
  byId("working").textContent = pick("正在核验……", "Verifying …");
  try {
    judged = await judge(receipt, trust, fileOf("document"));
  } catch (error) {
    problem = error instanceof Refusal ? (FILE_SENTENCES[error.code] ?? UNREADABLE) : UNREADABLE;
  }
  byId("working").textContent = "";
  show();
  byId("result-title", true)?.focus();
}

/** Everything that depends on language or outcome. */
function show(): void {
  translate();
  byId("problem").textContent = problem === null ? "" : pick(problem.zh, problem.en);
  byId("empty").hidden = judged !== null;
  const shown = judged === null ? [] : [renderVerdict(judged.verdict, judged.trust, judged.withDocument)];
  byId("result").replaceChildren(...shown);
  for (const name of NAMES) showFile(name);
}

function showFile(name: Name): void {
  const file = fileOf(name);
  const text =
    file === null
      ? pick("未选择，也可拖到这里", "none yet; or drop one here")
      : `${pick("已选：", "Chosen: ")}${file.name}`;
  byId(`n-${name}`).textContent = text;
  byId(`f-${name}`)
    .closest(".drop")
    ?.classList.toggle("ready", file !== null);
}

/** What was judged no longer stands for the files chosen now. */
function forget(): void {
  judged = null;
  problem = null;
  show();
}

function listenTo(name: Name): void {
  const box = inputOf(name).closest(".drop") as HTMLElement;
  inputOf(name).addEventListener("change", () => {
    dropped.delete(name);
    forget();
  });
  box.addEventListener("dragover", (event) => {
    event.preventDefault();
    box.classList.add("over");
  });
  box.addEventListener("dragleave", () => box.classList.remove("over"));
  box.addEventListener("drop", (event) => {
    event.preventDefault();
    box.classList.remove("over");
    const file = event.dataTransfer?.files[0];
    if (file === undefined) return;
    dropped.set(name, file);
    inputOf(name).value = "";
    forget();
  });
}

for (const name of NAMES) listenTo(name);
byId("files").addEventListener("submit", (event) => {
  event.preventDefault();
  void submit();
});
byId("files").addEventListener("reset", () => {
  dropped.clear();
  setTimeout(forget);
});
byId("language").addEventListener("click", () => {
  switchLanguage(!isChinese());
  show();
});
switchLanguage(!navigator.language.startsWith("en"));
show();
