// studio.js: the page of `nst studio`.  The server has the state; this asks for it, shows it, passes on what is done.
"use strict";
const $ = id => document.getElementById(id);
const tints = ["#e4572e", "#2e86ab", "#7a9e3f", "#8a63b0"];
const short = name => name.length > 40 ? `${name.slice(0, 24)}…${name.slice(-12)}` : name;
const MOST = 64 * 1024 * 1024, STYLES = 4;
let state = null, lists = { lists: -1, sources: [], jobs: [] }, mode = "preview", finished = 0, watched = 0;
let touched = 0, over = false, wanted = {}, changes = Promise.resolve();

// ---- small things

function make(tag, attributes = {}, ...children) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(attributes))
    if (k.startsWith("on")) e[k] = v;
    else if (v !== null && v !== false) e.setAttribute(k, v === true ? "" : v);
  e.append(...children);
  return e;
}

function say(text) {
  clearTimeout(say.timer);
  $("message").textContent = text;
  $("message").hidden = !text;
  say.timer = setTimeout(() => { $("message").hidden = true; }, 7000);
}

function duration(s) {
  s = Math.max(0, Math.round(s));
  const two = n => String(n).padStart(2, "0"), h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
  return h ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

const source = n => lists.sources.find(s => s.number === n);
const nameOf = s => words.known[s.number] || (s.photo ? words.photoName : words.styleName)(s.number);
const nameOfNumber = n => nameOf(source(n) || { number: n });
const shapeOf = n => { const s = source(n); return s && s.height ? s.width / s.height : 1.5; };

// Builds children anew only where what they show has changed: focus and scrolling stay.
function fill(id, key, build) {
  const e = $(id), text = JSON.stringify(key);
  if (e.dataset.key === text) return;
  const focus = e.contains(document.activeElement) ? document.activeElement.dataset.id : null;
  e.dataset.key = text;
  e.replaceChildren(...build());
  if (focus) e.querySelector(`[data-id="${focus}"]`)?.focus();
}

// What the server says is a sentence without a capital and a full stop.
const sentence = text => text.charAt(0).toUpperCase() + text.slice(1) + (/[.?!]$/.test(text) ? "" : ".");

// about: whose mistake it is, if it is one
async function post(what, body, about) {
  try {
    const answer = await fetch(what, { method: "POST", body });
    const text = (await answer.text()).trim();
    if (!answer.ok) say(about ? `${about}: ${sentence(text)}` : sentence(text));
    return answer.ok ? text : null;
  } catch (e) {
    say(words.gone);
    return null;
  }
}

// What is on its way to the server; Paint waits for it.
function pass(change) {
  changes = Promise.all([changes, change]);
  return change;
}

// ---- a photograph and a painting, and the divider between them

class Compare {
  constructor(figure) {
    this.figure = figure;
    this.after = figure.querySelector(".after");
    this.before = figure.querySelector(".before");
    this.range = figure.querySelector(".divide");
    this.range.oninput = () => this.cut(this.range.value);
    this.cut(0);
  }
  cut(value) {
    this.range.value = value;
    this.figure.style.setProperty("--cut", value + "%");
  }
  static put(img, src, alt) {
    img.alt = alt || "";
    if (img.dataset.src === (src || "")) return;
    img.dataset.src = src || "";
    if (!src) { img.removeAttribute("src"); return; }
    const next = new Image();
    next.onload = () => { if (img.dataset.src === src) img.src = src; };
    next.onerror = () => { if (img.dataset.src === src) img.dataset.src = "?"; }; // asked for again
    next.src = src;
  }
  show(before, after, shape, beforeAlt, afterAlt) {
    this.figure.style.setProperty("--shape", shape);
    this.figure.classList.toggle("lone", !before || !after);
    Compare.put(this.before, before, beforeAlt);
    Compare.put(this.after, after, afterAlt);
  }
}

// ---- what comes in

async function add(files, kind) {
  for (const file of files) {
    if (file.size > MOST) { say(`${short(file.name)}: ${words.large}`); continue; }
    if (kind === "style" && state && state.choice.styles.length >= STYLES) { say(words.full(STYLES)); break; }
    mode = "preview";
    if (!await pass(post(kind, file, short(file.name)))) continue;
    await ask();
  }
}

function pick(kind) {
  $("file").dataset.kind = kind;
  $("file").multiple = kind === "style";
  $("file").value = "";
  $("file").click();
}

function set(key, value) {
  if (key !== "rest" && key !== "regions") mode = "preview";
  return pass(post(`choice?${key}=${value}`).then(ask));
}

// While a slider moves, its last value is sent, not each.
function slide(key, value) {
  touched = Date.now();
  const busy = key in wanted;
  wanted[key] = value;
  if (busy) return;
  pass(new Promise(done => setTimeout(done, 120)).then(() => {
    const last = wanted[key];
    delete wanted[key];
    return set(key, last);
  }));
}

// ---- what is shown

function tile(s, pressed) {
  const picture = make("button", { type: "button", "data-id": s.number,
                                   "aria-pressed": String(pressed), title: nameOf(s),
                          "aria-label": words.choose(nameOf(s)), onclick: () => choose(s),
                                    onkeydown: e => { if (e.key === "Delete") forget(s); } },
                       make("img", { src: `thumb/${s.number}`, alt: "", loading: "lazy" }));
  if (!s.removable) return picture;
  return make("div", { class: "tile" }, picture,
              make("button", { type: "button", class: "forget", "data-id": "forget" + s.number,
                               "aria-label": words.forget(nameOf(s)), title: words.forget(nameOf(s)),
                               onclick: () => forget(s) }, "✕"));
}

// Twice, within the time that the question is shown.
async function forget(s) {
  if (!s.removable) return;
  if (forget.asked !== s.number || $("message").hidden) {
    forget.asked = s.number;
    say(words.forgetReally(nameOf(s)));
    return;
  }
  forget.asked = 0;
  say("");
  if (!await post(`forget/${s.number}`)) return;
  await ask();
  $(s.photo ? "photos" : "shelf").querySelector("[data-id=add]").focus();
}

function choose(s) {
  const at = s.photo ? -1 : state.choice.styles.findIndex(t => t.source === s.number);
  if (at >= 0) return set("remove", at);
  if (!s.photo && state.choice.styles.length >= STYLES) return say(words.full(STYLES));
  return set(s.photo ? "photo" : "style", s.number);
}

function showShelves() {
  const d = state.choice, newest = (a, b) => b.used - a.used || b.number - a.number;
  for (const [id, photo] of [["photos", true], ["shelf", false]]) {
    const all = lists.sources.filter(s => s.photo === photo).sort(newest);
    const pressed = s => photo ? d.photo === s.number : d.styles.some(t => t.source === s.number);
    fill(id, [all.map(s => s.number), all.map(pressed)], () => [
      make("button", { type: "button", class: "add", "data-id": "add", title: words.add, "aria-label": words.add,
                       onclick: () => pick(photo ? "photo" : "style") }, "+"),
      ...all.map(s => tile(s, pressed(s)))]);
  }
}

function showChosen() {
  const d = state.choice, total = d.styles.reduce((sum, s) => sum + s.blend, 0) || 1, many = d.styles.length > 1;
  fill("chosen", [d.styles.map(s => s.source), many, d.regions, d.rest], () => d.styles.map((s, i) => {
    const name = nameOfNumber(s.source);
    const middle = make("div", {}, make("span", { class: "name" },
      ...(d.regions ? [make("span", { class: "dot", style: null })] : []), name));
    if (d.regions) middle.querySelector(".dot").style.setProperty("--tint", tints[i]);
    if (many && !d.regions)
      middle.append(make("input", { type: "range", min: 5, max: 100, value: s.blend * 50,
                                    "aria-label": words.blend(name), "data-id": "blend" + i,
                                    oninput: e => slide("blend", `${i}:${e.target.value / 50}`) }),
                    make("span", { class: "share" }));
    return make("li", {}, make("img", { src: `thumb/${s.source}`, alt: "" }), middle,
                make("button", { type: "button", class: "quiet", "data-id": "take" + i, "aria-label": words.take(name),
                                 onclick: () => set("remove", i) }, "✕"));
  }));
  [...$("chosen").querySelectorAll(".share")].forEach((e, i) => {
    e.textContent = `${Math.round(100 * d.styles[i].blend / total)} %`;
  });
  $("regions").hidden = !d.photo || !d.styles.length;
  $("to-brush").textContent = d.regions ? words.regionsEdit : words.regions;
  $("rest-label").hidden = $("no-regions").hidden = !d.regions;
  fill("rest", d.styles.map(s => s.source), () => [make("option", { value: -1 }, words.restNone),
    ...d.styles.map((s, i) => make("option", { value: i }, nameOfNumber(s.source)))]);
  $("rest").value = d.rest;
}

function showControls() {
  const d = state.choice;
  if (Date.now() - touched > 1500) {
    $("strength").value = d.strength;
    $("stroke").value = Math.log2(d.stroke);
  }
  $("strength-text").textContent = $("strength").value;
  $("stroke-text").textContent = "×" + (2 ** $("stroke").value).toFixed(2);
  const color = document.querySelector(`#colors input[value="${d.color}"]`);
  if (color) color.checked = true;
  if (![...$("size").options].some(o => +o.value === d.size))
    $("size").append(make("option", { value: d.size }, words.pixels(d.size, "")));
  $("size").value = d.size;
  $("paint").disabled = !d.photo || !d.styles.length;
}

function showStage() {
  if (mode === "job" && !state.job.number && !state.queued) mode = finished ? "result" : "preview";
  const d = state.choice, running = state.job.number, brushing = brush.open;
  const shownJob = mode === "job" ? running || (lists.jobs.find(j => j.state === "queued") || {}).number : finished;
  const job = lists.jobs.find(j => j.number === shownJob);
  const p = mode === "preview" ? d.photo : job ? job.choice.photo : d.photo;
  const ready = d.photo && d.styles.length;
  if (mode === "preview") {
    const shown = ready && state.preview.shown && !brushing;
    stage.show(p ? `view/${p}` : "",
               shown ? `preview/${state.preview.number}` : "", shapeOf(p), words.photo, words.preview);
    $("badge").textContent = !ready || brushing ? ""
      : state.preview.error || (state.preview.done ? "" : words.previewing);
    $("badge").classList.toggle("busy", !state.preview.error);
  } else if (mode === "job") {
    stage.show(`view/${p}`, state.job.picture > watched ? `live/${state.job.picture}` : "", shapeOf(p), words.photo,
               words.painting);
    $("badge").textContent = state.job.scales ? `${state.job.width} × ${state.job.height}` : words.begins;
    $("badge").classList.toggle("busy", !state.paused);
  } else {
    stage.show(`view/${p}`, `painted/${finished}`, shapeOf(p), words.photo, words.painting);
    $("badge").textContent = "";
  }
  $("after-name").textContent = mode === "preview" ? words.preview : words.painting;
  $("compare").hidden = !p;
  $("empty").hidden = !!p;
  $("hint").textContent = brushing ? words.hintBrush : mode !== "preview" ? "" : ready ? words.hintReady : d.photo ?
    words.hintStyle : d.styles.length ? words.hintPhoto : words.hintNothing;
  $("watch").hidden = !running || brushing;
  $("finished").hidden = mode !== "result";
  $("save-result").href = `png/${finished}`;
}

function queueText(j, percent, more) {
  if (!j.number) return "";
  if (!state.paused) return words.percent(percent, more);
  return more ? `${words.paused}, ${words.waits(more)}` : words.paused;
}

function showRun() {
  const j = state.job, more = state.queued - (j.number ? 1 : 0), share = j.total ? j.done / j.total : 0;
  const percent = Math.floor(100 * share);
  $("queue").textContent = queueText(j, percent, more);
  document.title = j.number ? `${percent} % – ${words.title}` : words.title;
  $("progress").value = share;
  $("left").textContent = state.paused ? words.paused : j.total ? words.left(duration(j.left)) : words.begins;
  $("pause").textContent = state.paused ? words.go : words.pause;
  $("show-preview").setAttribute("aria-pressed", String(mode === "preview"));
  $("show-job").setAttribute("aria-pressed", String(mode === "job"));
}

// A painting that was watched has ended.
function noticeEnd(before) {
  if (!before || !before.job.number || before.job.number === state.job.number) return;
  const job = lists.jobs.find(j => j.number === before.job.number);
  if (job && (job.state === "done" || job.state === "stopped")) {
    finished = job.number;
    if (mode === "job" && !state.queued) mode = "result";
  }
  if (job && job.state === "failed") say(`${words.job(job.number)} ${words.failed(job.error)}`);
}

function render() {
  showShelves();
  showChosen();
  showControls();
  showStage();
  showRun();
  gallery.show();
  brush.follow();
}

// ---- asking

async function get(what) {
  const answer = await fetch(what, { cache: "no-store" });
  if (!answer.ok) throw new Error(answer.status);
  return answer.json();
}

async function ask() {
  if (over) return;
  const serial = ask.serial = (ask.serial || 0) + 1;
  try {
    const s = await get("state"), before = state;
    if (serial !== ask.serial) return;
    if (s.lists !== lists.lists) lists = await get("lists");
    if (serial !== ask.serial) return;
    if (!state && s.job.number) mode = "job";
    state = s;
    noticeEnd(before);
    render();
    if (ask.lost) $("message").hidden = true;
    ask.lost = false;
  } catch (e) {
    ask.lost = true;
    say(words.gone);
  }
}

async function loop() {
  await ask();
  const busy = state && (state.job.number || !state.preview.done);
  if (!over) setTimeout(loop, document.hidden ? 2000 : busy ? 250 : 600);
}

async function copy(id, button) {
  const text = $(id).textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch (e) {
    getSelection().selectAllChildren($(id));
    document.execCommand("copy");
  }
  button.textContent = words.copied;
  setTimeout(() => { button.textContent = words.copy; }, 1500);
}

async function command(number, id) {
  const answer = await fetch(`command/${number}`, { cache: "no-store" });
  $(id).textContent = await answer.text();
}

// ---- the page begins

// What is tabbed to scrolls to where neither the header, the picture nor Paint, which stick to the edges, hide it.
function keepClear() {
  const sticks = id => getComputedStyle($(id)).position === "sticky" ? $(id).offsetHeight : 0;
  const edges = document.documentElement.style, narrow = matchMedia("(max-width: 60rem)").matches;
  edges.scrollPaddingTop = `${sticks(narrow ? "stage" : "header")}px`;
  edges.scrollPaddingBottom = `${sticks("go")}px`;
}
const sizes = new ResizeObserver(keepClear);
for (const id of ["header", "stage", "go"]) sizes.observe($(id));
addEventListener("resize", keepClear);

for (const e of document.querySelectorAll("[data-w]")) e.textContent = words[e.dataset.w];
for (const e of document.querySelectorAll("[data-l]")) e.setAttribute("aria-label", words[e.dataset.l]);
[1, 0, 2, 3].map(i => [words.color[i], i]).forEach(([name, i]) => $("colors").append(make("label", {},
  make("input", { type: "radio", name: "color", value: i, onchange: () => set("color", i) }), name)));
for (const [n, name] of words.sizes) $("size").append(make("option", { value: n }, words.pixels(n, name)));
const stage = new Compare($("compare"));

$("strength").oninput = () => {
  $("strength-text").textContent = $("strength").value;
  slide("strength", $("strength").value);
};
$("stroke").oninput = () => slide("stroke", (2 ** $("stroke").value).toFixed(4));
$("size").onchange = () => set("size", $("size").value);
$("rest").onchange = () => set("rest", $("rest").value);
$("no-regions").onclick = () => { brush.close(); set("regions", 0); };
$("pause").onclick = () => post(state.paused ? "go" : "pause").then(ask);
$("stop").onclick = () => post("stop").then(ask);
// Twice: it may have painted for an hour.
$("discard").onclick = () => {
  const sure = $("discard").textContent === words.discardReally;
  $("discard").textContent = sure ? words.discard : words.discardReally;
  if (sure) post("discard").then(ask);
  else setTimeout(() => { $("discard").textContent = words.discard; }, 5000);
};
$("show-preview").onclick = () => { mode = "preview"; render(); };
$("show-job").onclick = () => { mode = "job"; render(); };
$("copy").onclick = () => copy("command", $("copy"));
document.querySelector("#go details").ontoggle = () => command(0, "command");
$("see-result").onclick = () => { view("gallery"); gallery.open(finished); };
$("paint").onclick = async () => {
  $("paint").disabled = true;
  brush.close();
  await changes;
  const number = await post("paint");
  if (number) {
    if (!state.job.number) watched = state.job.picture; // a picture of the painting before is none of this one
    mode = "job";
    finished = 0;
    state.queued = state.queued || 1;
  }
  $("paint").disabled = false;
  ask();
};
$("quit").onclick = async () => {
  if (!await post("quit")) return;
  over = true;
  for (const e of document.querySelectorAll("header, main")) e.inert = true;
  document.title = words.title;
  say(words.quitDone);
  clearTimeout(say.timer);
};

function view(name) {
  $("paint-view").hidden = name !== "paint";
  $("gallery-view").hidden = name !== "gallery";
  for (const n of ["paint", "gallery"])
    if (n === name) $("to-" + n).setAttribute("aria-current", "page");
    else $("to-" + n).removeAttribute("aria-current");
  scrollTo(0, 0);
}
$("to-paint").onclick = () => view("paint");
$("to-gallery").onclick = () => view("gallery");

for (const b of document.querySelectorAll(".drop")) b.onclick = () => pick(b.dataset.kind);
$("file").onchange = () => add([...$("file").files], $("file").dataset.kind);
addEventListener("paste", e => {
  const files = [...e.clipboardData.files];
  if (files.length) drops.take(files);
});
// While one of the two is missing, what is dropped anywhere is that.
addEventListener("dragenter", e => {
  if (!e.dataTransfer.types.includes("Files")) return;
  const photo = !!state?.choice.photo, style = !!state?.choice.styles.length;
  for (const zone of $("dropping").children)
    zone.hidden = photo !== style && (zone.dataset.kind === "photo" ? photo : style);
  $("dropping").hidden = false;
});
addEventListener("dragover", e => {
  for (const zone of $("dropping").children) zone.classList.toggle("over", zone === e.target);
});
addEventListener("dragleave", e => { if (!e.relatedTarget) $("dropping").hidden = true; });
addEventListener("drop", () => { $("dropping").hidden = true; });
addEventListener("DOMContentLoaded", async () => {
  await loop();
  drops.begin((files, kind) => add(files, kind || (state?.choice.photo ? "style" : "photo")));
});
