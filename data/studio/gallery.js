// gallery.js: what was painted, and what waits: open, compare two, save, paint again.
"use strict";

const gallery = {
  compare: null, opened: 0, picked: [],

  results() {
    return lists.jobs.filter(j => j.state === "done" || j.state === "stopped").sort((a, b) => b.number - a.number);
  },

  show() {
    const all = this.results();
    const queue = lists.jobs.filter(j => ["queued", "painting", "failed"].includes(j.state));
    $("gallery-count").textContent = all.length || "";
    $("gallery-empty").hidden = all.length > 0;
    $("waiting").hidden = !queue.length;
    $("folder").textContent = words.folder(lists.folder || "");
    fill("jobs", [state.paused, queue.map(j => [j.number, j.state])], () => queue.map(j => this.row(j)));
    fill("gallery", [all.map(j => j.number), this.picked], () => all.map(j => this.card(j)));
    $("picked").textContent = this.picked.length === 1 ? words.pickOne : "";
    $("compare-two").hidden = this.picked.length !== 2;
  },

  row(j) {
    const text = j.state === "failed" ? words.failed(j.error)
      : j.state === "painting" && state.paused ? words.paused : words.states[j.state];
    const row = make("li", {}, make("img", { src: `thumb/${j.choice.photo}`, alt: "" }),
                     ...j.choice.styles.map(s => make("img", { src: `thumb/${s.source}`, alt: "" })),
                     make("span", {}, `${words.job(j.number)}, ${text}`));
    const verb = j.state === "failed" ? words.remove : words.cancel;
    if (j.state !== "painting")
      row.append(make("button", { type: "button", "data-id": "cancel" + j.number,
                                  "aria-label": `${verb}: ${words.job(j.number)}`,
                                  onclick: () => post(`remove/${j.number}`).then(ask) }, verb));
    return row;
  },

  card(j) {
    const picked = this.picked.includes(j.number);
    return make("li", { class: picked ? "picked" : "" },
      make("button", { type: "button", class: "open", "data-id": "open" + j.number, "aria-label": words.open(j.number),
                       onclick: () => this.open(j.number) },
           make("img", { src: `small/${j.number}`, alt: "", loading: "lazy" })),
      make("div", { class: "foot" }, ...j.choice.styles.map(s => make("img", { src: `thumb/${s.source}`, alt: "" })),
           make("span", {}, words.job(j.number) + (j.state === "stopped" ? `, ${words.stopped}` : "")),
           make("label", { title: words.pick(j.number) }, make("span", {}, words.compare),
                make("input", { type: "checkbox", "data-id": "pick" + j.number, "aria-label": words.pick(j.number),
                                checked: picked, onchange: () => this.pick(j.number) }))));
  },

  pick(n) {
    this.picked = this.picked.includes(n) ? this.picked.filter(m => m !== n) : [...this.picked.slice(-1), n];
    this.show();
  },

  job(n) { return lists.jobs.find(j => j.number === n); },

  open(n) {
    const j = this.job(n), d = j.choice;
    this.opened = n;
    this.compare.cut(0);
    this.compare.show(`view/${d.photo}`, `painted/${n}`, shapeOf(d.photo), words.photo, words.job(n));
    $("viewer-title").textContent = words.job(n);
    $("viewer-left").textContent = words.photo;
    $("viewer-right").textContent = words.painting;
    $("viewer-facts").textContent = words.facts(d.size, d.strength, words.color[d.color].toLowerCase(),
                                               "×" + d.stroke.toFixed(2), d.regions, duration(j.seconds));
    for (const f of ["png", "tiff", "jpeg"]) $("save-" + f).href = `${f}/${n}`;
    $("save-tiff").hidden = !lists.tiff;
    $("remove").textContent = words.remove;
    $("remove").dataset.sure = "";
    $("viewer-more").hidden = false;
    command(n, "viewer-command");
    $("viewer").showModal();
  },

  two() {
    const [a, b] = this.picked;
    this.compare.cut(50);
    this.compare.show(`painted/${a}`, `painted/${b}`, shapeOf(this.job(b).choice.photo), words.job(a), words.job(b));
    $("viewer-title").textContent = words.comparing(a, b);
    $("viewer-left").textContent = words.job(a);
    $("viewer-right").textContent = words.job(b);
    $("viewer-more").hidden = true;
    $("viewer").showModal();
  },
};

gallery.compare = new Compare($("viewer-compare"));
$("viewer-close").onclick = () => $("viewer").close();
$("viewer").onclick = e => { if (e.target === $("viewer")) $("viewer").close(); };
$("viewer-copy").onclick = () => copy("viewer-command", $("viewer-copy"));
$("compare-two").onclick = () => gallery.two();
$("again").onclick = async () => {
  await post(`again/${gallery.opened}`);
  $("viewer").close();
  mode = "preview";
  view("paint");
  ask();
};
$("remove").onclick = async () => {
  if (!$("remove").dataset.sure) {
    $("remove").dataset.sure = "1";
    $("remove").textContent = words.removeReally;
    return;
  }
  gallery.picked = gallery.picked.filter(n => n !== gallery.opened);
  if (finished === gallery.opened) { finished = 0; mode = "preview"; }
  await post(`remove/${gallery.opened}`);
  $("viewer").close();
  ask();
};
