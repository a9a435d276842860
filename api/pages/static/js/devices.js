// The device bridge of this machine: pairing, commands, batches. No page logic here.
//
// Every refusal is a DeviceProblem with a stable `code` and a `sentence` in both languages.

const BRIDGE = document.querySelector('meta[name="device-bridge"]')?.content || "http://127.0.0.1:8707";
const KEY = `tongban-device-token ${BRIDGE}`;
const ABSENT = {
  code: "bridge_unreachable",
  zh: "连接不上设备桥。请确认本机的设备桥程序已启动。",
  en: "The device bridge does not answer; check that it runs on this machine.",
};

// Inside another system's page a browser may keep the storage shut; then this page is not paired.
function stored(work) {
  try {
    return work(localStorage);
  } catch {
    return null;
  }
}
const kept = {
  read: () => stored((storage) => storage.getItem(KEY)),
  write: (token) => stored((storage) => storage.setItem(KEY, token)),
  forget: () => stored((storage) => storage.removeItem(KEY)),
};

export class DeviceProblem extends Error {
  constructor({ code, zh, en, reason, retry_after_s }) {
    super(en);
    this.code = code;
    this.sentence = { zh, en };
    this.reason = reason;
    this.retryAfter = retry_after_s;
  }
}

async function call(path, body, asBlob = false) {
  const headers = {};
  const token = kept.read();
  if (token) headers.Authorization = `Bearer ${token}`;
  const options = { headers, cache: "no-store", credentials: "omit", targetAddressSpace: "loopback" };
  if (body !== undefined) {
    options.method = "POST";
    headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(`${BRIDGE}${path}`, options);
  } catch {
    throw new DeviceProblem(ABSENT);
  }
  if (answer.ok) return asBlob ? answer.blob() : answer.json();
  const told = await answer.json().catch(() => null);
  if (told?.error?.code === "not_paired") kept.forget();
  throw new DeviceProblem(told?.error ?? ABSENT);
}

/** Whether this browser was paired once: asked without waiting; the bridge may have forgotten. */
export const wasPaired = () => kept.read() !== null;

/** Whether the bridge answers, this page is paired, and which devices there are. */
export const readState = () => call("/v1/state");

/** Pair with the six digits the bridge shows. */
export async function pair(code) {
  const { token } = await call("/v1/pair", { code: code.replace(/\D/g, "") });
  kept.write(token);
}

/** End the pairing of this browser. */
export async function unpair() {
  try {
    await call("/v1/unpair", {});
  } finally {
    kept.forget();
  }
}

/** {scheme, number, name, birth, read_by_device, device} */
export const readCard = () => running("reader", () => call("/v1/read-card", {}));

/** A picture of the bridge's camera, as a File. */
export async function capture() {
  const shot = await running("camera", () => call("/v1/capture", {}));
  const ending = shot.media_type === "image/png" ? "png" : "jpg";
  return new File([fromBase64(shot.data)], `capture-${stamp()}.${ending}`, { type: shot.media_type });
}

/** {png (Blob), strokes ([[x, y, ms], …] each), device} */
export async function sign() {
  const signed = await running("pad", () => call("/v1/sign", {}));
  return { ...signed, png: new Blob([fromBase64(signed.png)], { type: "image/png" }) };
}

/** Print a PDF (Blob). */
export async function printSlip(pdf) {
  const encoded = toBase64(new Uint8Array(await pdf.arrayBuffer()));
  return running("printer", () => call("/v1/print-slip", { pdf: encoded }));
}

/** Scan from "scanner" or take finished files from "folder". */
export const scanBatch = (from) => running("scanner", () => call("/v1/scan-batch", { from }));
export const previewPage = (batch, number) => call(`/v1/batches/${batch}/pages/${number}`, undefined, true);
export const dropBatch = (batch) => call(`/v1/batches/${batch}/drop`, {});

/** Hand over: parts as [{pages: [{number, rotate}]}]; gives [{page_count, pdf (Blob)}]. */
export async function finishBatch(batch, parts) {
  const done = await call(`/v1/batches/${batch}/finish`, { parts });
  return done.parts.map((part) => ({ ...part, pdf: new Blob([fromBase64(part.pdf)], { type: "application/pdf" }) }));
}

/** Ask a running command to end. */
export const cancel = (device) => call("/v1/cancel", { device });

// A page that goes away lets go of the devices it was using.
const inUse = new Set();

async function running(device, work) {
  inUse.add(device);
  try {
    return await work();
  } finally {
    inUse.delete(device);
  }
}

addEventListener("pagehide", () => {
  const token = kept.read();
  for (const device of inUse) {
    fetch(`${BRIDGE}/v1/cancel`, {
      method: "POST",
      keepalive: true,
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: JSON.stringify({ device }),
    }).catch(() => {});
  }
});

export function stamp() {
  return new Date().toISOString().slice(0, 19).replace(/\D/g, "");
}

function fromBase64(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function toBase64(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}
