// The verification page with script: the document is hashed here and never sent.

import { hashFile } from "./sha256.js";

const form = document.getElementById("verify-form");
const result = document.getElementById("result");
const button = document.getElementById("verify-button");
const hashing = document.getElementById("hashing");
const bar = document.getElementById("hashing-bar");
const chinese = document.documentElement.lang.startsWith("zh");

for (const text of document.querySelectorAll(".with-script")) text.hidden = false;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  event.stopImmediatePropagation();
  if (button.disabled) return;
  button.disabled = true;
  document.getElementById("problem").replaceChildren();
  try {
    await (event.submitter?.name === "action" ? certify(event.submitter) : check(event.submitter));
  } catch {
    say(chinese ? "连接不上本市节点，请检查网络后再试。" : "The node of this city cannot be reached; check the network and try again.", true);
  } finally {
    button.disabled = false;
    hashing.hidden = true;
  }
}, true);

async function collect(button) {
  const data = new FormData(form, button);
  const file = form.elements.document.files[0];
  data.delete("document");
  if (file) {
    hashing.hidden = false;
    say(chinese ? "正在计算文件摘要。" : "Computing the digest of the file.");
    data.set("document_digest", await hashFile(file, (share) => { bar.value = share; }));
    hashing.hidden = true;
  }
  say(chinese ? "正在核验。" : "Checking.");
  return data;
}

async function ask(path, button) {
  const body = await collect(button);
  const answer = await fetch(path, { method: "POST", body, headers: { "HX-Request": "true", Accept: "text/html" } });
  if (answer.ok) return answer;
  const part = new DOMParser().parseFromString(await answer.text(), "text/html").body;
  result.replaceChildren();
  const box = document.getElementById("problem");
  box.replaceChildren(...part.childNodes);
  box.scrollIntoView({ block: "nearest" });
  return null;
}

async function certify(button) {
  const answer = await ask("/verify/certificate", button);
  if (!answer) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = "verification.pdf";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  say(chinese ? "核验证明已下载。" : "The certificate was downloaded.");
}

async function check(button) {
  const answer = await ask("/verify", button);
  if (!answer) return;
  const part = new DOMParser().parseFromString(await answer.text(), "text/html").body;
  result.replaceChildren(...part.childNodes);
  const title = result.querySelector("[data-focus]");
  title?.focus();
  if (title?.dataset.say) say(title.dataset.say);
}

// Dropping a file on a box chooses it for that box.
for (const box of document.querySelectorAll("[data-drop]")) {
  const input = form.elements[box.dataset.drop];
  box.addEventListener("dragover", (event) => { event.preventDefault(); box.classList.add("over"); });
  box.addEventListener("dragleave", () => box.classList.remove("over"));
  box.addEventListener("drop", (event) => {
    event.preventDefault();
    box.classList.remove("over");
    if (!event.dataTransfer.files.length) return;
    const chosen = new DataTransfer();
    chosen.items.add(event.dataTransfer.files[0]);
    input.files = chosen.files;
    input.focus();
    say(`${input.labels[0].firstChild.textContent.trim()}: ${chosen.files[0].name}`);
  });
}

/** Say a sentence to screen readers; an urgent one is shown too. */
function say(text, urgent = false) {
  document.getElementById("status").textContent = text;
  if (!urgent) return;
  const box = document.createElement("div");
  box.className = "alert bad";
  box.textContent = text;
  document.getElementById("problem").replaceChildren(box);
}
