// What every page needs: the token of the session on htmx requests, and saying aloud what changed.

const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRF-Token"] = token;
});

document.addEventListener("htmx:sendError", () => {
  say(document.documentElement.lang.startsWith("zh")
    ? "连接不上本市节点，请检查网络后再试。"
    : "The node of this city cannot be reached; check the network and try again.", true);
});

// An old refusal goes when the next request begins.
document.addEventListener("htmx:beforeRequest", () => {
  document.getElementById("problem")?.replaceChildren();
});

// A part that asks for focus after a swap gets it; keyboard users stay where things happen.
document.addEventListener("htmx:afterSettle", (event) => {
  const target = event.target.querySelector?.("[data-focus]");
  target?.focus();
  const spoken = event.target.querySelector?.("[data-say]");
  if (spoken) say(spoken.dataset.say);
});

// A form is sent once: its button rests until the answer is there.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) { event.preventDefault(); return; }
  if (form.hasAttribute("hx-post") || form.hasAttribute("hx-get") || form.target === "_blank") return;
  form.dataset.sent = "yes";
  addEventListener("pageshow", () => delete form.dataset.sent, { once: true });
});

/** Say a sentence to screen readers; an urgent one is shown too. */
export function say(text, urgent = false) {
  document.getElementById("status").textContent = text;
  if (!urgent) return;
  const box = document.createElement("div");
  box.className = "alert bad";
  box.textContent = text;
  document.getElementById("problem")?.replaceChildren(box);
}
