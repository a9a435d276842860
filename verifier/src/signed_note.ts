/** Signed notes and checkpoints of a log (docs/spec/log.md, "Checkpoint"). */
import { type Bytes, type Hex, equalBytes, fromBase64, hashSha256, toHex, utf8 } from "./bytes.ts";
import { MAX_SIZE, type TreeHead } from "./merkle.ts";
import { Refusal } from "./refusal.ts";
import { isSignedBy } from "./signatures.ts";

const MAX_BYTES = 64 * 1024;
const MAX_LINES = 64;
const ED25519 = 0x01;
const KEY_ID_BYTES = 4;

export interface VerifierKey {
  readonly name: string;
  readonly id: Bytes;
  readonly key: Hex;
}

/** `<name>+<key id, hex>+<base64 of 0x01 ‖ public key>`. */
export function parseVerifierKey(text: string): VerifierKey {
  const [name = "", id = "", ...rest] = text.split("+");
  const bytes = fromBase64(rest.join("+"), 33);
  const found = hashSha256(utf8(`${name}\n`), bytes).slice(0, KEY_ID_BYTES);
  if (!isName(name) || bytes[0] !== ED25519 || toHex(found) !== id) throw new Refusal("malformed_note", "key");
  return { name, id: found, key: toHex(bytes.slice(1)) };
}

const isName = (name: string): boolean => name !== "" && !/[\s+\p{C}]/u.test(name);

/** The text of a note that the key signed; refuses with `malformed_note` or `note_signature_invalid`. */
export function verifyNote(note: Bytes, key: VerifierKey): string {
  const { text, lines } = splitNote(note);
  let signed = 0;
  for (const line of lines) {
    const { name, id, signature } = readLine(line);
    if (name !== key.name || !equalBytes(id, key.id)) continue;
    if (signature.length !== 64 || !isSignedBy(key.key, utf8(text), signature)) {
      throw new Refusal("note_signature_invalid");
    }
    signed += 1;
  }
  if (signed > 1) throw new Refusal("malformed_note", "a line twice");
  if (signed === 0) throw new Refusal("note_signature_invalid", "not signed by the key");
  return text;
}

function splitNote(note: Bytes): { text: string; lines: string[] } {
  let whole: string;
  try {
    whole = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(note);
  } catch {
    throw new Refusal("malformed_note", "not UTF-8");
  }
  const at = whole.lastIndexOf("\n\n");
  const hasControls = [...whole].some((each) => each < " " && each !== "\n");
  if (note.length > MAX_BYTES || at < 1 || !whole.endsWith("\n") || hasControls) throw new Refusal("malformed_note");
  const lines = whole.slice(at + 2, -1).split("\n");
  if (lines.length > MAX_LINES) throw new Refusal("malformed_note", "too many lines");
  return { text: whole.slice(0, at + 1), lines };
}

function readLine(line: string): { name: string; id: Bytes; signature: Bytes } {
  const [dash, name = "", base64, ...rest] = line.split(" ");
  if (dash !== "—" || !isName(name) || base64 === undefined || rest.length > 0) throw new Refusal("malformed_note");
  const bytes = fromBase64(base64);
  if (bytes.length <= KEY_ID_BYTES) throw new Refusal("malformed_note", "signature");
  return { name, id: bytes.slice(0, KEY_ID_BYTES), signature: bytes.slice(KEY_ID_BYTES) };
}

export interface Checkpoint {
  readonly origin: string;
  readonly head: TreeHead;
}

const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const ORIGIN = new RegExp(`^${LABEL}(?:\\.${LABEL})+/[0-9]{6}/(0|[1-9][0-9]{0,9})$`);

/** Origin, size and root of a checkpoint that the log's own key signed. */
export function verifyCheckpoint(note: Bytes, origin: string, key: VerifierKey): Checkpoint {
  const lines = verifyNote(note, key).split("\n");
  if (lines.length !== 4 || lines[3] !== "") throw new Refusal("malformed_checkpoint");
  const [found = "", size = "", root] = lines;
  const generation = ORIGIN.exec(found)?.[1];
  if (generation === undefined || Number(generation) >= 2 ** 32) throw new Refusal("malformed_origin");
  if (found !== origin) throw new Refusal("origin_mismatch");
  if (!/^(0|[1-9][0-9]{0,19})$/.test(size) || BigInt(size) > MAX_SIZE) throw new Refusal("malformed_checkpoint");
  const hash = fromBase64(root);
  if (hash.length !== 32 || (size === "0" && !equalBytes(hash, hashSha256())))
    throw new Refusal("malformed_checkpoint");
  return { origin, head: { size: BigInt(size), root: toHex(hash) } };
}
