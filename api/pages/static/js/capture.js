// The document camera: any camera of this machine by getUserMedia, or the bridge's.
//
// A button `[data-camera]` opens it; what was taken leaves as the event `tongban:captured` with
// `detail.files`, in the order shown. Nothing is kept when the dialog closes.

import * as devices from "./devices.js";

const zh = document.documentElement.lang.startsWith("zh");
const say = (a, b) => (zh ? a : b);
const BRIDGE = "bridge";
const WIDE = 2592;
const QUALITY = 0.9;

let dialog, video, choice, list, state, stream = null;
let shots = [];
let replacing = null;

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function button(text, act, className = "") {
  const made = element("button", { type: "button", className, textContent: text });
  made.addEventListener("click", act);
  return made;
}

function build() {
  video = element("video", { autoplay: true, muted: true, playsInline: true });
  video.setAttribute("aria-label", say("摄像头画面", "Camera picture"));
  choice = element("select", { id: "camera-choice" });
  choice.addEventListener("change", start);
  state = element("p", { className: "hint" });
  state.setAttribute("role", "status");
  list = element("ol", { className: "shots" });
  dialog = element("dialog", { className: "camera" },
    element("h2", { id: "camera-title", textContent: say("拍摄材料", "Take pictures of the paper") }),
    element("div", { className: "field" }, element("label", { htmlFor: "camera-choice", textContent: say("用哪个摄像头", "Camera") }), choice),
    video, state,
    element("div", { className: "actions" }, button(say("拍一张", "Take"), take, "primary"), button(say("放入材料", "Put into the form"), finish), button(say("不拍了", "Cancel"), () => dialog.close(), "quiet")),
    list);
  dialog.setAttribute("aria-labelledby", "camera-title");
  dialog.addEventListener("close", stop);
  document.body.append(dialog);
}

async function open() {
  if (!dialog) build();
  shots = [];
  replacing = null;
  draw();
  dialog.showModal();
  choice.replaceChildren();
  await start();
  await listCameras();
}

async function listCameras() {
  const found = (await navigator.mediaDevices?.enumerateDevices?.() ?? []).filter((each) => each.kind === "videoinput");
  const chosen = choice.value;
  choice.replaceChildren(
    ...found.map((each, index) => element("option", { value: each.deviceId, textContent: each.label || say(`摄像头 ${index + 1}`, `Camera ${index + 1}`) })),
    element("option", { value: BRIDGE, textContent: say("窗口高拍仪（设备桥）", "The window's camera (bridge)") }));
  if (chosen) choice.value = chosen;
}

async function start() {
  stop();
  video.hidden = choice.value === BRIDGE;
  if (choice.value === BRIDGE) {
    state.textContent = say("放好材料后点“拍一张”。", "Lay the paper down, then take the picture.");
    return;
  }
  state.textContent = say("正在打开摄像头……", "Opening the camera…");
  try {
    const wanted = { width: { ideal: WIDE }, ...(choice.value ? { deviceId: { exact: choice.value } } : {}) };
    stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
    if (!dialog.open) { stop(); return; }
    video.srcObject = stream;
    state.textContent = say("放平材料，四角都在画面里再拍。", "Lay the paper flat, all four corners in the picture.");
  } catch (error) {
    state.textContent = error.name === "NotAllowedError"
      ? say("浏览器没有允许使用摄像头。请在地址栏旁允许后重试。", "The browser may not use the camera; allow it beside the address bar.")
      : say("打不开摄像头。请检查连线，或改用窗口高拍仪。", "The camera cannot be opened; check the cable, or use the window's camera.");
  }
}

function stop() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
  if (video) video.srcObject = null;
  if (!dialog?.open) forget();
}

function forget() {
  for (const shot of shots) URL.revokeObjectURL(shot.address);
  shots = [];
}

async function take() {
  try {
    const file = choice.value === BRIDGE ? await devices.capture() : await grab();
    const shot = { file, address: URL.createObjectURL(file) };
    if (replacing === null) shots.push(shot);
    else { URL.revokeObjectURL(shots[replacing].address); shots[replacing] = shot; }
    replacing = null;
    state.textContent = say(`已拍 ${shots.length} 张。`, `${shots.length} taken.`);
    draw();
  } catch (error) {
    state.textContent = error.sentence?.[zh ? "zh" : "en"] ?? say("没有拍成，请再拍一次。", "That did not work; take it again.");
  }
}

async function grab() {
  if (!video.videoWidth) throw new Error("no picture");
  const canvas = element("canvas", { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext("2d").drawImage(video, 0, 0);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
  return new File([blob], `photo-${devices.stamp()}-${shots.length + 1}.jpg`, { type: "image/jpeg" });
}

function draw() {
  list.replaceChildren(...shots.map((shot, index) => {
    const name = say(`第 ${index + 1} 张`, `Picture ${index + 1}`);
    const image = element("img", { src: shot.address, alt: name });
    const earlier = button("←", () => { shots.splice(index - 1, 0, ...shots.splice(index, 1)); draw(); });
    earlier.setAttribute("aria-label", say(`${name}前移`, `Move picture ${index + 1} earlier`));
    earlier.disabled = index === 0;
    const again = button(say("重拍", "Retake"), () => { replacing = index; state.textContent = say(`正在重拍${name}，请点“拍一张”。`, `Retaking picture ${index + 1}: press Take.`); });
    const drop = button(say("去掉", "Remove"), () => { URL.revokeObjectURL(shot.address); shots.splice(index, 1); replacing = null; draw(); });
    return element("li", {}, image, earlier, again, drop);
  }));
}

function finish() {
  const files = shots.map((shot) => shot.file);
  dialog.close();
  if (files.length) document.dispatchEvent(new CustomEvent("tongban:captured", { detail: { files } }));
}

document.addEventListener("click", (event) => { if (event.target.closest("[data-camera]")) open(); });
