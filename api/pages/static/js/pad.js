// The signature: strokes by pointer on the screen, or by the machine's own signature pad; what is sent
// is the picture of exactly what is ticked.

import * as devices from "./devices.js";

const form = document.getElementById("consent");
const pad = document.getElementById("pad");
const pen = pad.getContext("2d");
const problem = document.getElementById("pad-problem");
let strokes = 0;
let last = null;

function clear() {
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, pad.width, pad.height);
  strokes = 0;
}

function place(event) {
  const box = pad.getBoundingClientRect();
  return [(event.clientX - box.left) * pad.width / box.width, (event.clientY - box.top) * pad.height / box.height];
}

pad.addEventListener("pointerdown", (event) => {
  pad.setPointerCapture(event.pointerId);
  last = place(event);
  event.preventDefault();
});

pad.addEventListener("pointermove", (event) => {
  if (!last) return;
  const next = place(event);
  pen.strokeStyle = "#10243f";
  pen.lineWidth = 5;
  pen.lineCap = "round";
  pen.beginPath();
  pen.moveTo(...last);
  pen.lineTo(...next);
  pen.stroke();
  last = next;
  strokes += 1;
  problem.textContent = "";
});

for (const kind of ["pointerup", "pointercancel"]) pad.addEventListener(kind, () => { last = null; });

document.getElementById("pad-clear").addEventListener("click", clear);

// Another choice is another consent: it has to be signed again.
form.addEventListener("change", (event) => {
  if (event.target.name === "tick" && strokes) clear();
});

// The pad of this machine, where the clerk paired one: for whoever would rather hold a pen.
const device = document.getElementById("pad-device");

async function offerDevice() {
  if (!devices.wasPaired()) return;
  const state = await devices.readState().catch(() => null);
  device.hidden = !state?.devices?.pad;
}

async function signOnDevice() {
  device.disabled = true;
  problem.textContent = device.dataset.waiting;
  try {
    const signed = await devices.sign();
    const picture = await createImageBitmap(signed.png);
    clear();
    const scale = Math.min(pad.width / picture.width, pad.height / picture.height);
    pen.drawImage(picture, 0, 0, picture.width * scale, picture.height * scale);
    strokes = signed.strokes.flat().length;
    problem.textContent = "";
  } catch (error) {
    problem.textContent = error.sentence?.[document.documentElement.lang.startsWith("zh") ? "zh" : "en"] ?? form.dataset.padMissing;
  } finally {
    device.disabled = false;
    device.focus();
  }
}

device.addEventListener("click", signOnDevice);
offerDevice();

form.addEventListener("submit", (event) => {
  const ticked = form.querySelectorAll("input[name=tick]:checked").length;
  const missing = !ticked ? form.dataset.tickMissing : strokes < 3 ? form.dataset.padMissing : "";
  if (missing) {
    problem.textContent = missing;
    event.preventDefault();
    event.stopPropagation();
    return;
  }
  document.getElementById("pad-image").value = pad.toDataURL("image/png");
}, true);

clear();
