// brush.js: regions by brush.  Each style has a canvas whose alpha is its mask; what is brushed for one is taken from
// others, so that masks never sum to more than one.  After each stroke the changed masks go to the server.
"use strict";
const SIDE = 640, UNDO = 15;

const brush = {
  open: false, style: 0, erase: false, masks: [], undo: [], last: null, drawing: false, loaded: "",

  canvas(w, h) {
    const c = document.createElement("canvas");
    c.width = w;
    c.height = h;
    return c;
  },

  // The pictures that the masks belong to.
  key() { return JSON.stringify([state.choice.photo, state.choice.styles.map(s => s.source)]); },

  // The choice changed meanwhile, on this page or in another tab.
  async follow() {
    if (!this.open) return;
    if (!state.choice.regions || !state.choice.photo) { this.close(); return; }
    if (this.loaded !== this.key()) {
      await this.load();
      this.draw();
    }
    if (this.style === state.choice.rest || !state.choice.styles[this.style]) this.style = this.first();
    this.showStyles();
  },

  // The first style that can be brushed.
  first() { return Math.max(0, state.choice.styles.findIndex((s, i) => i !== state.choice.rest)); },

  // The server's masks, where they are not ours.
  async load() {
    this.loaded = this.key();
    const d = state.choice, shape = shapeOf(d.photo);
    const w = shape >= 1 ? SIDE : Math.round(SIDE * shape), h = shape >= 1 ? Math.round(SIDE / shape) : SIDE;
    this.masks = d.styles.map(() => this.canvas(w, h));
    this.undo = [];
    $("brush").width = w;
    $("brush").height = h;
    await Promise.all(d.styles.map((s, i) => s.mask ? new Promise(done => {
      const img = new Image();
      img.onload = () => { this.fromGrey(this.masks[i], img); done(); };
      img.onerror = done;
      img.src = `mask/${s.mask}`;
    }) : null));
  },

  fromGrey(mask, img) {
    const c = mask.getContext("2d", { willReadFrequently: true });
    c.drawImage(img, 0, 0, mask.width, mask.height);
    const data = c.getImageData(0, 0, mask.width, mask.height), p = data.data;
    for (let i = 0; i < p.length; i += 4) { p[i + 3] = p[i]; p[i] = p[i + 1] = p[i + 2] = 255; }
    c.putImageData(data, 0, 0);
  },

  async start() {
    if (!state.choice.regions) await set("regions", 1);
    await this.load();
    this.style = this.first();
    this.open = true;
    mode = "preview";
    $("compare").classList.add("brushing");
    $("brush").hidden = $("brush-bar").hidden = false;
    this.showStyles();
    this.draw();
    render();
    $("brush").focus({ preventScroll: true });
    $("stage").scrollIntoView({ block: "nearest" });
  },

  close() {
    if (!this.open) return;
    this.open = this.drawing = false;
    $("compare").classList.remove("brushing");
    $("brush").hidden = $("brush-bar").hidden = true;
    render();
  },

  showStyles() {
    fill("brush-styles", [this.style, state.choice.rest, this.loaded], () => state.choice.styles.map((s, i) => {
      const b = make("button", { type: "button", role: "radio", "aria-checked": String(i === this.style), "data-id": i,
                                 disabled: i === state.choice.rest, title: nameOfNumber(s.source),
                                 "aria-label": nameOfNumber(s.source),
                                 onclick: () => { this.style = i; this.showStyles(); } },
                     make("img", { src: `thumb/${s.source}`, alt: "" }));
      b.style.setProperty("--tint", tints[i]);
      return b;
    }));
  },

  draw() {
    const out = $("brush"), c = out.getContext("2d"), layer = this.canvas(out.width, out.height),
          l = layer.getContext("2d");
    c.clearRect(0, 0, out.width, out.height);
    c.globalAlpha = .6;
    this.masks.forEach((m, i) => {
      l.globalCompositeOperation = "copy";
      l.drawImage(m, 0, 0);
      l.globalCompositeOperation = "source-in";
      l.fillStyle = tints[i];
      l.fillRect(0, 0, out.width, out.height);
      c.drawImage(layer, 0, 0);
    });
  },

  // A soft disc: full inside, falling to nothing at its edge.
  dab(c, x, y, pressure) {
    const r = Math.max(1, $("brush-size").value / 200 * Math.max(c.canvas.width, c.canvas.height) * pressure);
    const g = c.createRadialGradient(x, y, r * (1 - $("brush-soft").value / 100) * .98, x, y, r);
    g.addColorStop(0, "rgba(255,255,255,1)");
    g.addColorStop(1, "rgba(255,255,255,0)");
    c.fillStyle = g;
    c.beginPath();
    c.arc(x, y, r, 0, 7);
    c.fill();
  },

  line(from, to) {
    const n = Math.max(1, Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / 4));
    this.masks.forEach((m, i) => {
      const c = m.getContext("2d"), own = i === this.style;
      if (this.erase && !own) return;
      c.globalCompositeOperation = own && !this.erase ? "source-over" : "destination-out";
      for (let k = 1; k <= n; k++)
        this.dab(c, from.x + (to.x - from.x) * k / n, from.y + (to.y - from.y) * k / n, to.pressure);
    });
    this.draw();
  },

  remember() {
    this.undo.push(this.masks.map(m => m.getContext("2d").getImageData(0, 0, m.width, m.height)));
    if (this.undo.length > UNDO) this.undo.shift();
  },

  back() {
    const last = this.undo.pop();
    if (!last) return;
    last.forEach((data, i) => this.masks[i].getContext("2d").putImageData(data, 0, 0));
    this.draw();
    this.send();
  },

  clear() {
    this.remember();
    const m = this.masks[this.style];
    m.getContext("2d").clearRect(0, 0, m.width, m.height);
    this.draw();
    this.send();
  },

  // One after the other, so that no mask comes after a newer one.
  send() {
    this.sending = pass((this.sending || Promise.resolve()).then(() => this.sendChanged()));
    return this.sending;
  },

  // White where the style goes, on black; a mask without anything is none.
  async sendChanged() {
    const masks = this.masks;
    for (const [i, m] of masks.entries()) {
      const data = m.getContext("2d").getImageData(0, 0, m.width, m.height), p = data.data;
      let any = false, sum = 0;
      for (let k = 0; k < p.length; k += 4) {
        const a = p[k + 3];
        any = any || a > 0;
        sum = (sum * 31 + a) % 1000000007;
        p[k] = p[k + 1] = p[k + 2] = a;
        p[k + 3] = 255;
      }
      if (m.sent === sum || (!any && !state.choice.styles[i]?.mask)) continue;
      if (!any) {
        if (await post(`choice?unmask=${i}`)) m.sent = sum;
        continue;
      }
      const grey = this.canvas(m.width, m.height);
      grey.getContext("2d").putImageData(data, 0, 0);
      const file = await new Promise(done => grey.toBlob(done, "image/png"));
      if (this.masks !== masks) return; // other pictures were chosen meanwhile
      if (await post(`mask/${i}`, file)) m.sent = sum;
    }
    await ask();
  },

  at(e) {
    const box = $("brush").getBoundingClientRect();
    return { x: (e.clientX - box.left) / box.width * $("brush").width,
             y: (e.clientY - box.top) / box.height * $("brush").height,
             pressure: e.pointerType === "pen" && e.pressure ? .4 + e.pressure : 1 };
  },
};

$("brush").onpointerdown = e => {
  if (e.button) return;
  $("brush").setPointerCapture(e.pointerId);
  brush.remember();
  brush.drawing = true;
  brush.last = brush.at(e);
  brush.line(brush.last, brush.last);
};
$("brush").onpointermove = e => {
  if (!brush.drawing) return;
  const to = brush.at(e);
  brush.line(brush.last, to);
  brush.last = to;
};
$("brush").onpointerup = $("brush").onpointercancel = () => {
  if (!brush.drawing) return;
  brush.drawing = false;
  brush.send();
};
// By keyboard: a cross that arrows move, and the space bar as the button.
$("brush").onkeydown = e => {
  const c = $("brush"), step = e.shiftKey ? 40 : 10, move = {
    ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step],
                                                              ArrowDown: [0, step] }[e.key];
  const here = brush.last || { x: c.width / 2, y: c.height / 2, pressure: 1 };
  if (move) {
    e.preventDefault();
    brush.last = { x: Math.min(c.width, Math.max(0, here.x + move[0])),
                   y: Math.min(c.height, Math.max(0, here.y + move[1])),
                   pressure: 1 };
    brush.draw();
    const g = c.getContext("2d");
    g.globalAlpha = 1;
    g.strokeStyle = "#fff";
    g.lineWidth = 3;
    g.strokeRect(brush.last.x - 8, brush.last.y - 8, 16, 16);
  } else if (e.key === " ") {
    e.preventDefault();
    brush.remember();
    brush.line(here, here);
    brush.send();
  }
};
addEventListener("keydown", e => {
  if (!brush.open) return;
  if (e.key === "Escape") brush.close();
  if ((e.ctrlKey || e.metaKey) && e.key === "z") { e.preventDefault(); brush.back(); }
  const size = $("brush-size");
  if (e.key === "[") size.stepDown(2);
  if (e.key === "]") size.stepUp(2);
});
function tool(erase) {
  brush.erase = erase;
  $("tool-brush").setAttribute("aria-pressed", String(!erase));
  $("tool-eraser").setAttribute("aria-pressed", String(erase));
}
$("tool-brush").onclick = () => tool(false);
$("tool-eraser").onclick = () => tool(true);
$("brush-undo").onclick = () => brush.back();
$("brush-clear").onclick = () => brush.clear();
$("brush-done").onclick = () => brush.close();
$("to-brush").onclick = () => brush.start();
