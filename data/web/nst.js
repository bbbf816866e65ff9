// nst.js: asks the program how far it is, shows it, and passes on what is pressed.
"use strict";
const $ = id => document.getElementById(id);
const token = document.querySelector("meta[name=token]").content;
const words = { painting: "painting", paused: "paused", stopped: "stopped, kept", done: "done" };
let shown = -1, last = null, touched = 0;

function duration(s) {
  s = Math.round(s);
  const two = n => String(n).padStart(2, "0");
  return s >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`
    : `${Math.floor(s / 60)}:${two(s % 60)}`;
}

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// Logarithmic: losses fall by powers of ten.
function draw(points) {
  const canvas = $("curve"), c = canvas.getContext("2d"), w = canvas.width, h = canvas.height;
  const all = points.flatMap(p => p.slice(1)).filter(v => v > 0).map(Math.log10);
  c.clearRect(0, 0, w, h);
  if (points.length < 2 || !all.length) return;
  const top = Math.max(...all), low = Math.max(Math.min(...all), top - 5), first = points[0][0];
  const span = points[points.length - 1][0] - first || 1, room = Math.max(top - low, 0.1);
  const left = 64, x = n => left + (w - left - 4) * (n - first) / span,
      y = v => 8 + (h - 16) * (top - Math.log10(Math.max(v, 10 ** low))) / room;
  c.strokeStyle = color("--line");
  c.lineWidth = 1;
  for (let e = Math.ceil(low); e <= top; e++) {
    c.beginPath(); c.moveTo(left, y(10 ** e)); c.lineTo(w, y(10 ** e)); c.stroke();
    c.fillStyle = color("--soft"); c.font = "20px system-ui"; c.textAlign = "right";
    c.fillText(Math.abs(e) < 4 ? String(+(10 ** e).toFixed(3)) : "1e" + e, left - 8, y(10 ** e) + 7);
  }
  [["--style", 3], ["--content", 2], ["--accent", 1]].forEach(([name, i]) => {
    c.strokeStyle = color(name);
    c.lineWidth = 3;
    c.beginPath();
    points.forEach((p, k) => k ? c.lineTo(x(p[0]), y(p[i])) : c.moveTo(x(p[0]), y(p[i])));
    c.stroke();
  });
}

// The row of a film's pictures: what is in it stays, so that nothing is loaded twice.
function strip(film) {
  const row = $("strip");
  if (row.dataset.pass !== String(film.pass)) row.replaceChildren();
  row.dataset.pass = film.pass;
  for (const item of [...row.children])
    if (!film.strip.includes(+item.dataset.number)) item.remove();
  film.strip.forEach((number, i) => {
    if (row.children[i] && row.children[i].dataset.number === String(number)) return;
    const item = document.createElement("li"), link = document.createElement("a"), picture = new Image();
    item.dataset.number = number;
    link.href = picture.src = `strip.jpg?${number}`;
    link.target = "_blank";
    picture.alt = `picture ${number}`;
    link.append(picture, String(number));
    item.append(link);
    row.insertBefore(item, row.children[i] || null);
  });
  row.hidden = !film.strip.length;
}

function asFilm(s) {
  $("change").hidden = true;
  $("shown").textContent = "film";
  $("before").alt = "what the film shows";
  $("after").alt = "the last picture that is painted";
  $("steps").textContent = s.film.pass > 1 ? "pictures, all passes" : "pictures";
  $("curve").setAttribute("aria-label", "losses over the pictures");
  strip(s.film);
}

function show(s) {
  const running = s.state === "painting" || s.state === "paused";
  const at = s.film || s, share = s.state === "done" ? 1 : at.total ? Math.min(at.done / at.total, 1) : 0;
  last = s;
  if (s.film) asFilm(s);
  document.title = running ? `${Math.round(100 * share)} % – nst` : "nst";
  $("what").textContent = s.what;
  $("state").textContent = words[s.state] || s.state;
  $("state").dataset.state = s.state;
  $("left").textContent = !running ? "0:00" : s.left < 0 ? "–" : duration(s.left);
  $("step").textContent = `${at.done} / ${at.total || "?"}`;
  $("scale").textContent = `${s.scale} / ${s.scales}`;
  $("progress").value = share;
  $("pause").textContent = s.state === "paused" ? "Go on" : "Pause";
  $("pause").disabled = $("stop").disabled = $("strength").disabled = !running;
  if (Date.now() - touched > 3000) {
    $("strength").value = s.strength;
    $("strength-text").textContent = Math.round(s.strength);
  }
  if (s.picture !== shown && s.picture > 0) {
    if (shown < 0 || s.film) $("before").src = `content.jpg?${s.picture}`;
    shown = s.picture;
    const next = new Image();
    next.onload = () => { $("after").src = next.src; delete $("compare").dataset.empty; };
    next.src = `picture.jpg?${s.picture}`;
  }
  draw(s.curve);
}

async function ask() {
  try {
    const answer = await fetch("state.json", { cache: "no-store" });
    if (!answer.ok) throw new Error(answer.status);
    show(await answer.json());
  } catch (e) {
    const over = last && (last.state === "done" || last.state === "stopped");
    if (!over) $("state").textContent = "the program has ended";
    $("state").dataset.state = "end";
    $("pause").disabled = $("stop").disabled = $("strength").disabled = true;
    if (over) return;
  }
  setTimeout(ask, 700);
}

function send(what) {
  return fetch(what, { method: "POST", headers: { "X-Nst-Token": token } }).catch(() => {});
}

$("pause").onclick = () => send(last && last.state === "paused" ? "go" : "pause");
$("stop").onclick = () => send("stop");
$("strength").oninput = () => { touched = Date.now(); $("strength-text").textContent = $("strength").value; };
$("strength").onchange = () => { touched = Date.now(); send("strength?" + $("strength").value); };
$("divide").oninput = () => $("compare").style.setProperty("--cut", $("divide").value + "%");
ask();
