// drop.js: takes the files that are dropped.  It is there before anything of the page is seen: a browser leaves a page
// that does not take a file, and shows the file.  What comes before the studio's state is known waits here.
"use strict";
const drops = {
  waiting: [], ready: null, // ready takes files and their kind, where the place says one

  take(files, kind) {
    if (this.ready) this.ready(files, kind);
    else this.waiting.push([files, kind]);
  },

  async begin(ready) {
    for (let next = this.waiting.shift(); next; next = this.waiting.shift()) await ready(...next);
    this.ready = ready;
  },
};
addEventListener("dragover", e => { if (e.dataTransfer.types.includes("Files")) e.preventDefault(); });
addEventListener("drop", e => {
  e.preventDefault();
  drops.take([...e.dataTransfer.files], e.target.closest?.("[data-kind]")?.dataset.kind);
});
