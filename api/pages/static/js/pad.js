// The signature pad: strokes by pointer; what is sent is the picture of exactly what is ticked.

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
