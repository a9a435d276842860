// Batch scanning: scan, put pages in order (drag, buttons, keys), hand the parts over.
//
// The order is a list of parts, each a list of pages {number, rotate, dropped}; everything shown is
// drawn from it. Pictures live as object addresses of this page only.

import * as devices from "./devices.js";

const zh = document.documentElement.lang.startsWith("zh");
const say = (a, b) => (zh ? a : b);
const byId = (id) => document.getElementById(id);
const sentence = (error) => error.sentence?.[zh ? "zh" : "en"] ?? say("设备出错。", "The device failed.");
const REASONS = {
  broken: ["文件损坏", "damaged"],
  pages: ["页数过多", "too many pages"],
  pixels: ["页面过大", "pages too large"],
  bytes: ["文件过大", "file too large"],
  time: ["处理超时", "took too long"],
  memory: ["内容过于复杂", "too complex"],
};

let batch = null;
let parts = [];
const pictures = new Map();

function tell(text, wrong = false) {
  const state = byId("scan-state");
  state.textContent = text;
  state.className = wrong ? "wrong-text" : "";
}

async function scan(from) {
  const buttons = [...document.querySelectorAll("[data-scan]")];
  for (const button of buttons) button.disabled = true;
  byId("cancel").hidden = false;
  tell(say("正在扫描和拆页，请稍候……", "Scanning and splitting pages, one moment…"));
  try {
    if (batch) await throwAway();
    batch = await devices.scanBatch(from);
    parts = batch.parts.map((part) => ({
      type: part.type ?? "",
      pages: part.pages.map((number) => ({ number, rotate: 0, dropped: false })),
    }));
    const left = batch.refused.map((each) => say(`第 ${each.file} 个文件${REASONS[each.reason]?.[0] ?? ""}`, `file ${each.file} ${REASONS[each.reason]?.[1] ?? ""}`));
    const count = parts.reduce((sum, part) => sum + part.pages.length, 0);
    tell(say(`扫到 ${count} 页，分成 ${parts.length} 份。`, `${count} pages in ${parts.length} papers.`) + (left.length ? say(`未收下：${left.join("、")}。请重扫。`, ` Not taken: ${left.join(", ")}; scan again.`) : ""), left.length > 0);
    byId("done").hidden = true;
    byId("order").hidden = false;
    draw();
    await loadPictures();
    byId("order-title").focus();
  } catch (error) {
    tell(sentence(error), true);
    if (error.code === "not_paired" || error.code === "bridge_unreachable") offerPairing();
  } finally {
    for (const button of buttons) button.disabled = false;
    byId("cancel").hidden = true;
  }
}

function offerPairing() {
  const link = document.createElement("a");
  link.href = "/window/devices";
  link.textContent = say("去设备页", "To the devices page");
  byId("scan-state").append(" ", link);
}

async function loadPictures() {
  for (const page of parts.flatMap((part) => part.pages)) {
    const blob = await devices.previewPage(batch.batch, page.number);
    pictures.set(page.number, URL.createObjectURL(blob));
    for (const box of document.querySelectorAll(`[data-number="${page.number}"] [data-picture]`)) fill(box, page);
  }
}

function fill(box, page) {
  if (!pictures.has(page.number)) return;
  const image = new Image();
  image.src = pictures.get(page.number);
  image.alt = say(`第 ${page.number + 1} 张的图像`, `Picture of sheet ${page.number + 1}`);
  image.draggable = false;
  box.replaceChildren(image);
}

function forget() {
  for (const address of pictures.values()) URL.revokeObjectURL(address);
  pictures.clear();
  batch = null;
  parts = [];
}

async function throwAway() {
  await devices.dropBatch(batch.batch).catch(() => {});
  forget();
  byId("order").hidden = true;
}

// --- Drawing ------------------------------------------------------------------------------------

function draw(focusOn, tool) {
  byId("parts").replaceChildren(...parts.map(drawPart));
  const blank = countBlank();
  byId("drop-blank").hidden = !blank;
  byId("drop-blank").textContent = say(`去掉疑似空白的 ${blank} 页`, `Leave out the ${blank} that look blank`);
  byId("finish").disabled = !parts.some((part) => part.pages.some((page) => !page.dropped));
  if (focusOn === undefined) return;
  const sheet = document.querySelector(`[data-number="${focusOn}"]`);
  (sheet?.querySelector(tool ? `[data-do="${tool}"]:not(:disabled)` : null) ?? sheet)?.focus();
}

function countBlank() {
  const shown = parts.flatMap((part) => part.pages).filter((page) => !page.dropped);
  return shown.filter((page) => batch.suggested_drops.includes(page.number)).length;
}

function drawPart(part, index) {
  const box = byId("part-template").content.firstElementChild.cloneNode(true);
  const kept = part.pages.filter((page) => !page.dropped).length;
  box.querySelector("[data-title]").textContent = say(`第 ${index + 1} 份（${kept} 页）`, `Paper ${index + 1} (${kept} ${kept === 1 ? "page" : "pages"})`);
  const select = box.querySelector("[data-type]");
  select.id = `type-${index}`;
  box.querySelector("[data-label]").htmlFor = select.id;
  select.value = part.type;
  if (select.selectedIndex < 0) select.value = "";
  select.addEventListener("change", () => { part.type = select.value; });
  const join = box.querySelector("[data-join]");
  join.hidden = index === 0;
  join.addEventListener("click", () => joinPart(index));
  box.querySelector("[data-sheets]").append(...part.pages.map((page, at) => drawSheet(page, index, at)));
  return box;
}

function drawSheet(page, index, at) {
  const row = byId("sheet-template").content.firstElementChild.cloneNode(true);
  row.dataset.number = page.number;
  row.classList.toggle("dropped", page.dropped);
  const name = say(`第 ${at + 1} 页`, `Page ${at + 1}`);
  row.querySelector("[data-name]").textContent = page.dropped ? say("已去掉", "Left out") : name;
  row.setAttribute("aria-label", say(`第 ${index + 1} 份${name}`, `Paper ${index + 1}, ${name.toLowerCase()}`));
  row.querySelector("[data-blank]").hidden = !batch.suggested_drops.includes(page.number);
  const box = row.querySelector("[data-picture]");
  box.classList.add(`turn-${page.rotate}`);
  fill(box, page);
  const act = (what) => row.querySelector(`[data-do="${what}"]`);
  act("back").disabled = index === 0 && at === 0;
  act("on").disabled = index === parts.length - 1 && at === parts[index].pages.length - 1;
  act("split").disabled = at === 0;
  act("drop").textContent = page.dropped ? act("drop").dataset.keep : act("drop").dataset.drop;
  return row;
}

// --- Changing the order ---------------------------------------------------------------------------

function find(number) {
  const index = parts.findIndex((part) => part.pages.some((page) => page.number === number));
  return [index, parts[index].pages.findIndex((page) => page.number === number)];
}

function move(number, by) {
  const [index, at] = find(number);
  const pages = parts[index].pages;
  const inside = at + by >= 0 && at + by < pages.length;
  const other = parts[index + by];
  if (!inside && !other) return;
  const [page] = pages.splice(at, 1);
  if (inside) pages.splice(at + by, 0, page);
  else if (by > 0) other.pages.unshift(page);
  else other.pages.push(page);
  clean();
}

function moveTo(number, target) {
  if (number === target) return;
  const [index, at] = find(number);
  const [page] = parts[index].pages.splice(at, 1);
  const [to, before] = find(target);
  const down = index === to && before >= at ? 1 : 0;
  parts[to].pages.splice(before + down, 0, page);
  clean();
}

function moveToEnd(number, part) {
  const [index, at] = find(number);
  const [page] = parts[index].pages.splice(at, 1);
  parts[part].pages.push(page);
  clean();
}

function joinPart(index) {
  const moved = parts.splice(index, 1)[0];
  parts[index - 1].pages.push(...moved.pages);
  draw(moved.pages[0]?.number);
}

function clean() {
  parts = parts.filter((part) => part.pages.length);
}

const ACTIONS = {
  back: (number) => move(number, -1),
  on: (number) => move(number, 1),
  turn: (number) => { const page = pageOf(number); page.rotate = (page.rotate + 90) % 360; },
  drop: (number) => { const page = pageOf(number); page.dropped = !page.dropped; },
  split: (number) => {
    const [index, at] = find(number);
    if (at) parts.splice(index + 1, 0, { type: "", pages: parts[index].pages.splice(at) });
  },
};

function pageOf(number) {
  const [index, at] = find(number);
  return parts[index].pages[at];
}

function act(what, number, tool) {
  ACTIONS[what](number);
  draw(number, tool);
  tellPlace(number);
}

function tellPlace(number) {
  const [index, at] = find(number);
  byId("status").textContent = say(`现在是第 ${index + 1} 份第 ${at + 1} 页`, `Now paper ${index + 1}, page ${at + 1}`);
}

byId("parts").addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (button) act(button.dataset.do, Number(button.closest("[data-sheet]").dataset.number), button.dataset.do);
});

const KEYS = { ArrowLeft: "back", ArrowUp: "back", ArrowRight: "on", ArrowDown: "on", r: "turn", R: "turn" };
byId("parts").addEventListener("keydown", (event) => {
  if (!event.target.matches("[data-sheet]")) return;
  const what = event.key === "Delete" ? "drop" : event.altKey && KEYS[event.key];
  if (!what) return;
  event.preventDefault();
  act(what, Number(event.target.dataset.number));
});

let dragged = null;
byId("parts").addEventListener("dragstart", (event) => {
  const sheet = event.target.closest("[data-sheet]");
  if (!sheet) return;
  dragged = Number(sheet.dataset.number);
  sheet.classList.add("dragged");
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", String(dragged));
});
byId("parts").addEventListener("dragover", (event) => {
  const place = findPlace(event);
  if (dragged === null || !place) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "move";
  unmark("over");
  place.classList.add("over");
});
byId("parts").addEventListener("drop", (event) => {
  const place = findPlace(event);
  if (dragged === null || !place) return;
  event.preventDefault();
  const number = dragged;
  endDrag();
  if (place.matches("[data-sheet]")) moveTo(number, Number(place.dataset.number));
  else moveToEnd(number, [...byId("parts").children].indexOf(place));
  draw(number);
  tellPlace(number);
});
byId("parts").addEventListener("dragend", endDrag);

// On a sheet: to its place; beside the sheets of a paper: to that paper's end.
function findPlace(event) {
  return event.target.closest("[data-sheet]") ?? event.target.closest("[data-part]");
}

function endDrag() {
  dragged = null;
  unmark("over");
  unmark("dragged");
}

function unmark(name) {
  for (const each of document.querySelectorAll(`.sheet.${name}, .part.${name}`)) each.classList.remove(name);
}

// --- Handing over -----------------------------------------------------------------------------------

async function finish() {
  const kept = parts
    .map((part) => ({ type: part.type, pages: part.pages.filter((page) => !page.dropped) }))
    .filter((part) => part.pages.length);
  byId("finish").disabled = true;
  tell(say("正在生成文件……", "Making the files…"));
  try {
    const order = kept.map((part) => ({ pages: part.pages.map(({ number, rotate }) => ({ number, rotate })) }));
    const made = await devices.finishBatch(batch.batch, order);
    byId("made").replaceChildren(...made.map((each, index) => drawMade(each, kept[index].type, index)));
    forget();
    byId("order").hidden = true;
    byId("done").hidden = false;
    tell(say(`已生成 ${made.length} 份文件。`, `${made.length} files are ready.`));
    byId("done-title").focus();
  } catch (error) {
    tell(sentence(error), true);
    byId("finish").disabled = false;
    byId("scan-state").scrollIntoView({ block: "center" });
  }
}

function drawMade(each, type, index) {
  const row = document.createElement("li");
  const name = document.createElement("span");
  name.className = "grow";
  const option = byId("part-template").content.querySelector(`option[value="${CSS.escape(type)}"]`);
  const pages = say(`${each.page_count} 页`, each.page_count === 1 ? "1 page" : `${each.page_count} pages`);
  name.textContent = `${index + 1}. ${type ? option.textContent : say("未定种类", "No type")} · ${pages}`;
  const file = new File([each.pdf], `scan-${devices.stamp()}-${index + 1}.pdf`, { type: "application/pdf" });
  const save = document.createElement("a");
  save.className = "button";
  save.href = URL.createObjectURL(file);
  save.download = file.name;
  save.textContent = say("存到本机", "Save");
  row.append(name, save);
  if (byId("f-run")) row.append(registerButton(file, type, each.page_count));
  return row;
}

function registerButton(file, type, pageCount) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "primary";
  button.textContent = say("登记这一份", "Register it");
  button.addEventListener("click", () => {
    const path = `/window/runs/${byId("f-run").value}/papers/new`;
    const opened = open(`${path}?type=${encodeURIComponent(type)}`, "_blank");
    if (opened) handOver(opened, path, file, pageCount, button);
  });
  return button;
}

// The form is a page of this same site: the file is put into it as the document camera would.
function handOver(opened, path, file, pageCount, button) {
  const timer = setInterval(() => {
    if (opened.closed) { clearInterval(timer); return; }
    const there = opened.document;
    if (there.readyState !== "complete" || opened.location.pathname !== path || !there.getElementById("paper")) return;
    clearInterval(timer);
    there.getElementById("pages").value = String(pageCount);
    there.dispatchEvent(new opened.CustomEvent("tongban:captured", { detail: { files: [file] } }));
    button.textContent = say("已带入登记页", "Put into the form");
  }, 150);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-scan]");
  if (button) scan(button.dataset.scan);
});
byId("cancel").addEventListener("click", () => devices.cancel("scanner").catch(() => {}));
byId("finish").addEventListener("click", finish);
byId("throw-away").addEventListener("click", async () => { await throwAway(); tell(say("这批没有保留。", "Nothing of the batch was kept.")); });
byId("drop-blank").addEventListener("click", () => {
  for (const page of parts.flatMap((part) => part.pages)) {
    if (batch.suggested_drops.includes(page.number)) page.dropped = true;
  }
  draw();
  byId("order-title").focus();
});
addEventListener("pagehide", () => { if (batch) devices.dropBatch(batch.batch).catch(() => {}); });
