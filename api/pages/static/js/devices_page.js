// The devices page: pairing, and trying every device once.

import * as devices from "./devices.js";

const zh = document.documentElement.lang.startsWith("zh");
const say = (a, b) => (zh ? a : b);
const byId = (id) => document.getElementById(id);
const TEST_PDF = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 226 300]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";

const TESTS = {
  reader: async () => {
    const card = await devices.readCard();
    return { text: say(`已读：${mask(card.name)}，${card.number.slice(0, 4)}…${card.number.slice(-4)}`, `Read: ${mask(card.name)}, ${card.number.slice(0, 4)}…${card.number.slice(-4)}`) };
  },
  camera: async () => ({ text: say("已拍。", "Picture taken."), picture: await devices.capture() }),
  scanner: async () => {
    const batch = await devices.scanBatch("scanner");
    await devices.dropBatch(batch.batch);
    return { text: say(`扫到 ${batch.pages.length} 页，分隔页 ${batch.separators} 张；试扫不保留。`, `${batch.pages.length} pages, ${batch.separators} separator sheets; nothing kept.`) };
  },
  pad: async () => {
    const signed = await devices.sign();
    return { text: say(`已签，${signed.strokes.length} 笔。`, `Signed, ${signed.strokes.length} strokes.`), picture: signed.png };
  },
  printer: async () => {
    await devices.printSlip(new Blob([TEST_PDF], { type: "application/pdf" }));
    return { text: say("已打印测试页。", "Test slip printed.") };
  },
};

const mask = (name) => name.slice(0, 1) + "*".repeat(Math.max(1, name.length - 1));
const sentence = (error) => error.sentence?.[zh ? "zh" : "en"] ?? say("设备出错。", "The device failed.");

async function show() {
  const state = byId("bridge-state");
  try {
    const found = await devices.readState();
    byId("pairing").hidden = found.paired;
    byId("devices").hidden = !found.paired;
    state.className = found.paired ? "alert good" : "alert wait";
    state.querySelector("p").textContent = found.paired
      ? say("已配对，可以使用本机设备。", "Paired: the devices of this machine can be used.")
      : say("设备桥已启动，还没有与本浏览器配对。", "The bridge runs, and is not paired with this browser yet.");
    if (found.paired) drawDevices(found.devices);
  } catch (error) {
    byId("pairing").hidden = byId("devices").hidden = true;
    state.className = "alert bad";
    state.querySelector("p").textContent = sentence(error);
  }
  byId("look-again").hidden = false;
}

function drawDevices(found) {
  for (const row of document.querySelectorAll("[data-device]")) {
    const device = found[row.dataset.device];
    row.querySelector("[data-name]").textContent = device?.name ?? say("未接", "not there");
    row.querySelector("[data-try]").disabled = !device;
  }
}

async function tryDevice(row) {
  const [text, start, stop] = ["[data-result]", "[data-try]", "[data-cancel]"].map((q) => row.querySelector(q));
  row.querySelector("[data-picture]").replaceChildren();
  text.className = "hint";
  text.textContent = row.dataset.waiting;
  start.disabled = true;
  stop.hidden = false;
  try {
    const done = await TESTS[row.dataset.device]();
    text.textContent = done.text;
    if (done.picture) row.querySelector("[data-picture]").append(draw(done.picture));
  } catch (error) {
    text.textContent = sentence(error);
    text.className = "wrong-text";
    if (["not_paired", "bridge_unreachable"].includes(error.code)) await show();
  } finally {
    start.disabled = false;
    if (document.activeElement === stop) start.focus();
    stop.hidden = true;
  }
}

function draw(blob) {
  const image = new Image();
  image.alt = say("设备给出的图像", "Picture from the device");
  image.src = URL.createObjectURL(blob);
  return image;
}

byId("pair-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  delete event.target.dataset.sent;
  const problem = byId("pair-problem");
  problem.textContent = "";
  try {
    await devices.pair(byId("f-code").value);
    byId("f-code").value = "";
    await show();
    byId("devices-title").focus();
  } catch (error) {
    const wait = error.retryAfter ? say(`（${error.retryAfter} 秒后）`, ` (in ${error.retryAfter} s)`) : "";
    problem.textContent = sentence(error) + wait;
    byId("f-code").focus();
    byId("f-code").select();
  }
});

document.addEventListener("click", (event) => {
  const row = event.target.closest("[data-device]");
  if (event.target.closest("[data-try]")) tryDevice(row);
  if (event.target.closest("[data-cancel]")) devices.cancel(row.dataset.device).catch(() => {});
});
byId("look-again").addEventListener("click", show);
byId("unpair").addEventListener("click", async () => { await devices.unpair().catch(() => {}); await show(); });
show();
