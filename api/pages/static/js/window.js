// The window console: reading cards, searching services, marking refused fields, files of a paper.

import * as devices from "./devices.js";

const zh = document.documentElement.lang.startsWith("zh");
const say = (a, b) => (zh ? a : b);

// --- Who stands there -------------------------------------------------------------------------

const identify = document.getElementById("identify");

function showAgent() {
  const by = identify.elements.by.value;
  document.getElementById("agent-fields").hidden = by === "self";
}

if (identify) {
  identify.addEventListener("change", (event) => { if (event.target.name === "by") showAgent(); });
  identify.addEventListener("input", (event) => {
    if (["name", "number"].includes(event.target.name)) identify.elements.means.value = "typed";
    if (event.target.name.startsWith("agent_n")) identify.elements.agent_means.value = "typed";
  });
  showAgent();
}

async function readCard(whose) {
  const state = document.querySelector("[data-card-state]");
  state.textContent = say("正在读卡……", "Reading the card…");
  try {
    const card = await devices.readCard();
    fill(whose, card);
    state.textContent = say("已读卡。", "Card read.");
    const ready = identify.elements.by.value === "self" || identify.elements.agent_number.value;
    if (ready) identify.requestSubmit();
  } catch (error) {
    state.textContent = error.sentence?.[zh ? "zh" : "en"]
      ?? say("读卡器没有应答。请检查读卡器，或手工填写。", "The reader does not answer; check it, or type.");
    document.getElementById("typed").open = true;
  }
}

function fill(whose, card) {
  const prefix = whose === "agent" ? "agent_" : "";
  identify.elements[`${prefix}name`].value = card.name;
  identify.elements[`${prefix}number`].value = card.number;
  identify.elements[`${prefix}means`].value = "card";
  if (whose === "self") {
    if (card.scheme) identify.elements.scheme.value = card.scheme;
    identify.elements.device.value = card.device ?? "";
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-read-card]");
  if (button) readCard(button.dataset.readCard);
});

// --- Searching a list ---------------------------------------------------------------------------

function filter(input) {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  const list = document.querySelector(input.dataset.filter);
  let shown = 0;
  for (const row of list.children) {
    row.hidden = !words.every((word) => row.dataset.words.includes(word));
    shown += row.hidden ? 0 : 1;
  }
  const scope = input.closest("section, form, details") ?? document;
  const count = scope.querySelector("[data-filter-count]");
  if (count) count.textContent = `${shown} ${count.dataset.text}`;
  const none = scope.querySelector("[data-filter-empty]");
  if (none) none.hidden = shown > 0;
}

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-filter]")) filter(event.target);
});

// Enter in the search takes the only service left.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches("[data-filter]")) return;
  event.preventDefault();
  const rows = [...document.querySelector(event.target.dataset.filter).children];
  const left = rows.filter((row) => !row.hidden);
  if (left.length === 1) left[0].querySelector("button, input")?.click();
});

// --- A refusal marks its field --------------------------------------------------------------------

function clearMarks() {
  for (const text of document.querySelectorAll(".wrong-text[data-mark]")) text.remove();
  for (const field of document.querySelectorAll("[aria-invalid]")) {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
  }
}

function mark(problem) {
  const name = problem.dataset.field;
  const field = name && (document.getElementById(name) ?? document.querySelector(`[name="${CSS.escape(name)}"]`));
  if (!field) return;
  const text = document.createElement("p");
  text.className = "wrong-text";
  text.dataset.mark = "yes";
  text.id = "marked";
  text.textContent = problem.querySelector("[data-field-text]").textContent;
  field.closest("details")?.setAttribute("open", "");
  (field.closest(".field, fieldset") ?? field.parentElement).append(text);
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", "marked");
  if (!problem.querySelector("[data-supersede]")) problem.remove();  // said once, where it belongs
  field.focus();
}

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.matches("form")) { clearMarks(); document.getElementById("form-problem")?.replaceChildren(); }
});
document.addEventListener("htmx:afterSwap", () => {
  const problem = document.querySelector("#form-problem [data-field]");
  if (problem) mark(problem);
});

// The button says what it does: once something is chosen otherwise, it is no longer "these three".
document.addEventListener("change", (event) => {
  const button = event.target.closest("#decision")?.querySelector("[data-otherwise]");
  if (button && event.target.name.startsWith("wish-")) button.textContent = button.dataset.otherwise;
});

// A control that stands in a closed part is opened when it is the one that is missing.
document.addEventListener("invalid", (event) => event.target.closest("details")?.setAttribute("open", ""), true);

// --- Files of a paper -------------------------------------------------------------------------------

const paper = document.getElementById("paper");
const files = [];

function drawFiles() {
  const list = document.getElementById("file-list");
  const input = document.getElementById("document-input");
  const transfer = new DataTransfer();
  for (const each of files) transfer.items.add(each.file);
  input.files = transfer.files;
  list.replaceChildren(...files.map(drawFile));
}

function drawFile(each, index) {
  const row = document.getElementById("file-row").content.firstElementChild.cloneNode(true);
  row.id = `document.${index}`;
  row.querySelector("[data-name]").textContent = each.file.name;
  row.querySelector("[data-size]").textContent = size(each.file.size);
  row.querySelector("[data-remove]").addEventListener("click", () => { files.splice(index, 1); drawFiles(); });
  const up = row.querySelector("[data-up]");
  up.hidden = index === 0;
  up.addEventListener("click", () => { files.splice(index - 1, 0, ...files.splice(index, 1)); drawFiles(); });
  const extent = row.querySelector("select");
  extent.name = `document.${index}.extent`;
  extent.value = each.extent;
  extent.addEventListener("change", () => { each.extent = extent.value; });
  drawPersons(row.querySelector("[data-concerns]"), each, index);
  return row;
}

function drawPersons(box, each, index) {
  const persons = [...document.querySelectorAll("[data-subject]")];
  box.hidden = persons.length < 2;
  persons.forEach((subject, who) => {
    const label = document.createElement("label");
    const tick = document.createElement("input");
    tick.type = "checkbox";
    tick.name = `document.${index}.concerns`;
    tick.value = String(who);
    tick.checked = each.concerns.has(who);
    tick.addEventListener("change", () => { tick.checked ? each.concerns.add(who) : each.concerns.delete(who); });
    label.append(tick, subject.querySelector("[data-person-name]")?.value || subject.dataset.name || `${who + 1}`);
    box.append(label);
  });
}

function size(bytes) {
  return bytes < 1024 * 1024 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

function addFiles(more) {
  for (const file of more) files.push({ file, extent: "complete", concerns: new Set() });
  drawFiles();
}

if (paper) {
  document.getElementById("document-input").addEventListener("change", (event) => {
    const known = new Set(files.map((each) => each.file));
    addFiles([...event.target.files].filter((file) => !known.has(file)));
  });
  // The document camera and the batch scanner hand their pages over by this event.
  paper.addEventListener("change", (event) => { if (event.target.matches("[data-person-name]")) drawFiles(); });
  document.addEventListener("tongban:captured", (event) => addFiles(event.detail.files));
  paper.addEventListener("change", (event) => { if (event.target.name === "grade") showGrade(); });
  showGrade();
}

async function takeIn(from) {
  const state = document.querySelector("[data-capture-state]");
  state.textContent = say("正在取图……", "Taking it in…");
  try {
    addFiles(from === "camera" ? [await devices.capture()] : await scan());
    state.textContent = say(`已有 ${files.length} 个文件。`, `${files.length} files so far.`);
  } catch (error) {
    state.textContent = error.sentence?.[zh ? "zh" : "en"]
      ?? say("设备没有应答。可以改为选文件。", "The device does not answer; choose files instead.");
  }
}

/** Everything lying in the feeder; separator sheets part it into files, blank backs are left out. */
async function scan() {
  const batch = await devices.scanBatch("scanner");
  const drop = new Set(batch.suggested_drops ?? []);
  const parts = batch.parts
    .map((part) => ({ pages: part.pages.filter((n) => !drop.has(n)).map((number) => ({ number, rotate: 0 })) }))
    .filter((part) => part.pages.length);
  const done = await devices.finishBatch(batch.batch, parts);
  return done.map((part, n) => new File([part.pdf], `scan-${devices.stamp()}-${n + 1}.pdf`, { type: "application/pdf" }));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-capture]");
  if (button) takeIn(button.dataset.capture);
});

function showGrade() {
  const grade = paper.elements.grade.value;
  document.getElementById("seen").hidden = grade !== "B";
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-add-subject]")) addSubject();
  const gone = event.target.closest("[data-drop-subject]");
  if (gone) { gone.closest("[data-subject]").remove(); numberSubjects(); drawFiles(); }
  const same = event.target.closest("[data-supersede]");
  if (same) { paper.elements.predecessor.value = same.dataset.supersede; paper.requestSubmit(); }
});

function addSubject() {
  const row = document.getElementById("subject-row").content.firstElementChild.cloneNode(true);
  document.getElementById("subjects").append(row);
  numberSubjects();
  row.querySelector("select").focus();
  if (files.length) drawFiles();
}

function numberSubjects() {
  document.querySelectorAll("#subjects [data-subject]").forEach((row, index) => {
    if (!index) return;
    for (const control of row.querySelectorAll("[data-part]")) {
      control.name = `subjects.${index}.${control.dataset.part}`;
      control.id = control.name;
      control.closest(".field")?.querySelector("label")?.setAttribute("for", control.id);
    }
  });
}

// --- The person's slip: by this machine's slip printer where one is paired, else as a PDF in a tab -----

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("[data-slip]") || event.submitter?.value !== "80mm" || !devices.wasPaired()) return;
  event.preventDefault();
  const state = form.querySelector("[data-slip-state]");
  const body = new URLSearchParams(new FormData(form, event.submitter));
  let slip = null;
  state.textContent = say("正在打印……", "Printing…");
  try {
    const answer = await fetch(form.action, { method: "POST", body, cache: "no-store" });
    if (!answer.ok || answer.redirected) throw new Error("no slip");
    slip = await answer.blob();
    await devices.printSlip(slip);
    state.textContent = say("凭条已打印，请交给市民。", "The slip is printed; hand it to the person.");
  } catch (error) {
    state.textContent = error.sentence?.[zh ? "zh" : "en"] ?? say("凭条没有打出来，请再试一次。", "The slip did not print; try again.");
    if (slip) state.append(" ", openSlip(slip));
  }
});

/** The same slip with the same code: printing anew would void it. */
function openSlip(slip) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(slip);
  link.target = "_blank";
  link.textContent = say("打开凭条，用别的打印机", "Open it for another printer");
  return link;
}

// --- Looking at a paper in place: fetched when it is opened, one page at a time, kept nowhere --------

document.addEventListener("toggle", (event) => {
  if (!event.target.matches("details.view") || !event.target.open) return;
  for (const figure of event.target.querySelectorAll("[data-pages]")) if (!figure.dataset.at) showPage(figure, 0);
}, true);

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-turn]");
  if (!button) return;
  const figure = button.closest("[data-pages]");
  showPage(figure, Number(figure.dataset.at) + Number(button.dataset.turn));
});

async function showPage(figure, page) {
  figure.dataset.at = String(page);
  const label = figure.querySelector("[data-page-of]");
  label.textContent = say("正在打开……", "Opening…");
  const answer = await fetch(`${figure.dataset.pages}${page}.png`, { cache: "no-store", headers: { Accept: "image/png" } });
  if (!answer.ok) {
    const told = await answer.json().catch(() => ({}));
    label.textContent = (zh ? told.detail_zh : told.detail) ?? say("打不开这一页。", "This page cannot be shown.");
    return;
  }
  const count = Number(answer.headers.get("X-Page-Count"));
  const picture = figure.querySelector("img");
  const before = picture.src;
  picture.src = URL.createObjectURL(await answer.blob());
  if (before.startsWith("blob:")) URL.revokeObjectURL(before);
  picture.removeAttribute("width");
  picture.removeAttribute("height");
  picture.alt = say(`第 ${page + 1} 页`, `Page ${page + 1}`);
  label.textContent = count > 1 ? `${page + 1} / ${count}` : "";
  figure.querySelector('[data-turn="-1"]').hidden = page === 0;
  figure.querySelector('[data-turn="1"]').hidden = page + 1 >= count;
}
