#!/usr/bin/env python3
"""studio_look.py: what people see of `nst studio` in a headless Chromium: on a phone, a tablet and a desk, by day and
in the dark, by keyboard alone; and a first painting in three actions.  studio.sh calls it; "ok" and "not ok" lines.

studio_look.py NST SAMPLES FOLDER [real]: as studio.py; "real" paints the first painting by the built-in model, with the
settings that nst has.
"""
import json
import os
import sys
import time

from browser import Page
from page_tests import FOLDER, TINY, broken, check, in_chromium, wait_for
from studio_run import PHOTO, STYLE, Studio, same_by_command

REAL = sys.argv[4:] == ["real"]
SIZES = {"phone": (390, 844), "tablet": (768, 1024), "desk": (1280, 720)}

# What is wrong with the page as it stands: text of a contrast below 4.5 (what lies behind it is a colour, or a picture,
# which may be white or black), text that is cut off or outside the window, controls outside it.
FAULTS = r"""(() => {
const faults = new Set(), top = document.querySelector("dialog[open]") || document.body;
const seen = e => e.getClientRects().length && top.contains(e) && !e.closest("[inert]");
const name = e => `${e.id || e.className || e.tagName} "${e.textContent.trim().slice(0, 30)}"`;
const color = text => { const n = text.match(/[\d.]+/g).map(Number); return { rgb: n.slice(0, 3), a: n[3] ?? 1 }; };
const over = (c, below, a = c.a) => below.map((b, i) => c.rgb[i] * a + b * (1 - a));
const parents = e => { const all = []; for (; e; e = e.parentElement) all.push(e); return all; };
const light = rgb => rgb.map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
function contrast(e) {
  const all = parents(e), style = getComputedStyle(e), picture = all.findIndex(p => p.matches(".compare"));
  const opaque = all.reduce((o, p) => o * getComputedStyle(p).opacity, 1), text = color(style.color);
  return Math.min(...(picture < 0 ? [[255, 255, 255]] : [[255, 255, 255], [0, 0, 0]]).map(below => {
    const backs = (picture < 0 ? all : all.slice(0, picture)).map(p => color(getComputedStyle(p).backgroundColor));
    const back = backs.reverse().reduce((b, c) => over(c, b), below);
    const [a, b] = [light(over(text, back, text.a * opaque)), light(back)];
    return (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  }));
}
const inside = (e, b) => b.left >= -1 && b.right <= innerWidth + 1 || faults.add(`${name(e)} is outside the window`);
const texts = document.createTreeWalker(top, NodeFilter.SHOW_TEXT);
while (texts.nextNode()) {
  const e = texts.currentNode.parentElement, range = document.createRange();
  if (!texts.currentNode.textContent.trim() || !seen(e) || e.tagName === "OPTION") continue;
  range.selectNodeContents(texts.currentNode);
  const box = range.getBoundingClientRect(), ratio = contrast(e);
  if (ratio < 4.5) faults.add(`${name(e)} has a contrast of ${ratio.toFixed(2)}`);
  const size = parseFloat(getComputedStyle(e).fontSize); // 0: only for screen readers
  if (size > 0 && size < 12) faults.add(`${name(e)} is small`);
  inside(e, box);
  for (const p of parents(e)) {
    const style = getComputedStyle(p), edge = p.getBoundingClientRect();
    if (style.overflowX === "visible") continue;
    if (box.right > edge.right + 1 || box.left < edge.left - 1) faults.add(`${name(e)} is cut off`);
    break;
  }
}
for (const e of top.querySelectorAll("button, a.button, input, select, canvas"))
  if (seen(e)) inside(e, e.getBoundingClientRect());
if (document.documentElement.scrollWidth > innerWidth) faults.add("the page is wider than the window");
return JSON.stringify([...faults]);
})()"""

# Where the keyboard is: what it is called here, whether that shows, and what hides it.
STOP = r"""(() => {
const e = document.activeElement, box = e.getBoundingClientRect();
const mine = at => at && (e.contains(at) || e.closest("label")?.contains(at));
const rings = [e, e.closest(".compare"), e.closest("label")].filter(n => n).map(n => getComputedStyle(n));
const at = [.2, .5, .8].map(y => document.elementFromPoint(box.left + box.width / 2, box.top + box.height * y));
return JSON.stringify(e === document.body ? null : {
  id: e.id || e.dataset.id || e.className || e.tagName,
  ring: rings.some(s => s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2),
  hidden: at.filter(a => !mine(a)).map(a => a ? a.id || a.className || a.tagName : "the window's edge") });
})()"""


def name(b):
    """What a screen reader calls it."""
    e = b.call("Runtime.evaluate", expression="document.activeElement")["result"]["objectId"]
    node = b.call("Accessibility.getPartialAXTree", objectId=e, fetchRelatives=False)["nodes"][0]
    return node.get("name", {}).get("value", "")


def walk(b, back):
    """Tab through everything: the stops, and what is wrong with them."""
    b.script("document.activeElement.blur(); scrollTo(0, 0)")
    stops, wrong = [], []
    for _ in range(120):
        b.key("Tab", 9, modifiers=8 if back else 0)
        b.script("new Promise(requestAnimationFrame)")
        stop = json.loads(b.script(STOP))
        if not stop:
            continue
        if stop["id"] in stops[:1]:
            break
        if stop["id"] not in stops: # colours are one stop, of several inputs; the window has other stops of its own
            stops.append(stop["id"])
        said = name(b)
        if not said or not stop["ring"] or stop["hidden"]:
            wrong.append((stop["id"], said, "" if stop["ring"] else "no ring", stop["hidden"]))
    return stops, wrong


def look(b, state, least):
    for size, (w, h) in SIZES.items():
        b.size(w, h)
        for dark in (False, True):
            b.dark(dark)
            b.script("scrollTo(0, 0); new Promise(requestAnimationFrame)")
            faults = json.loads(b.script(FAULTS))
            check("%s, %s%s: every text is legible, nothing is cut off" % (state, size, ", dark" if dark else ""),
                  not faults, faults)
        for back in (False, True):
            stops, wrong = walk(b, back)
            check("%s, %s: Tab%s comes to everything, each time to something that has a name and is seen" % (
                state, size, " backwards" if back else ""), len(stops) >= least and not wrong, (len(stops), wrong))
    b.dark(False)
    b.size(*SIZES["desk"])


def three_actions(program):
    """Somebody who reads nothing: a photograph, a painting, Paint."""
    s = Studio(os.path.join(FOLDER, "first"), "-q", *([] if REAL else ["-n", "25"] + TINY))
    b = Page(program, os.path.join(FOLDER, "first-chromium"), "1280,720")
    try:
        b.begin(s.url)
        b.size(1280, 720)
        wait_for(lambda: b.seen("#empty") and b.seen("#shelf img"))
        x, y, w, h = b.box("#empty")
        began = time.time()
        b.drop(os.path.abspath(PHOTO), x + w / 4, y + h / 2)
        wait_for(lambda: b.script("document.querySelector('#compare .before').naturalWidth > 0"))
        seen = time.time()
        b.drop(os.path.abspath(STYLE), x + w / 4, y + h / 2)
        check("a first painting: a preview after two drops", wait_for(lambda: b.script(
            "document.querySelector('#compare .after').naturalWidth > 0")))
        print("# the photograph after %.1f s, its first preview %.1f s later" % (seen - began, time.time() - seen))
        pressed = time.time()
        b.click("#paint")
        check("a first painting: done after the third action", wait_for(lambda: b.seen("#finished"), 600))
        print("# the picture %.1f s after Paint" % (time.time() - pressed))
        check("a first painting:   and is a file", os.path.exists(os.path.join(s.folder, "nst-0001.png")))
        same_by_command(s, 1, "a first painting")
    finally:
        b.close()
        s.end()


# Whether each line of what is said there is in the middle.
CENTRED = """[...document.querySelectorAll('#dropping b')].every(b => {
  const lines = document.createRange();
  lines.selectNodeContents(b);
  return b.offsetParent && [...lines.getClientRects()].every(r => Math.abs(r.left + r.right - innerWidth) < 4);
})"""


def dragging(b):
    b.size(*SIZES["phone"])
    data = {"items": [], "files": [os.path.abspath(PHOTO)], "dragOperationsMask": 1}
    b.call("Input.dispatchDragEvent", type="dragEnter", x=100, y=300, data=data)
    check("a file above the page, phone: what it would be is said in the middle", wait_for(lambda: b.script(CENTRED),
                                                                                           10))
    b.script("$('dropping').hidden = true")
    b.size(*SIZES["desk"])


# Whether what is said on the picture is inside of it, and not on one another.
APART = """(() => {
  const [a, z] = [...document.querySelectorAll('#compare figcaption span')].map(e => e.getBoundingClientRect());
  const box = $('compare').getBoundingClientRect();
  return a.width === 0 || (a.left >= box.left && a.right + 4 <= z.left && z.right <= box.right);
})()"""


def upright(b, s):
    number = int(s.post("photo", b"P6 96 160 255\n" + bytes(range(256)) * 180)[1])
    wait_for(lambda: s.state()["preview"]["done"] and b.script(
        "$('compare').style.getPropertyValue('--shape') < 1 && !$('compare').classList.contains('lone')"))
    for name, size in (("phone", SIZES["phone"]), ("phone on its side", SIZES["phone"][::-1])):
        b.size(*size)
        check("an upright photograph, %s: its captions have room" % name, b.script(APART))
    b.size(*SIZES["desk"])
    s.set(photo=1, size=96)
    check("a size of the user's own is its number", wait_for(lambda: b.script(
        "$('size').selectedOptions[0].textContent") == "96 pixels", 10))
    s.post("forget/%d" % number)


def states(program):
    s = Studio(os.path.join(FOLDER, "look"), "-n", "12", "-q", *TINY)
    b = Page(program, os.path.join(FOLDER, "look-chromium"), "1280,720")
    gallery = lambda: (b.click("#to-gallery"), wait_for(lambda: b.seen("#gallery-view")))
    try:
        b.begin(s.url)
        b.call("Accessibility.enable")
        wait_for(lambda: b.seen("#shelf img"))
        look(b, "empty", 14)
        dragging(b)
        s.post("choice?photo=1")
        s.post("choice?style=2")
        s.post("choice?style=3")
        s.post("style", b"P6 40 30 255\n" + bytes(range(256)) * 14 + bytes(16))
        wait_for(lambda: b.seen("#compare") and b.script("document.querySelectorAll('#chosen li').length") == 3)
        wait_for(lambda: s.state()["preview"]["done"])
        b.script("document.querySelector('#go details').open = true")
        look(b, "a preview, with its command line", 24)
        b.script("document.querySelector('#go details').open = false")
        upright(b, s)
        b.click("#to-brush")
        wait_for(lambda: b.seen("#brush"))
        look(b, "the brush", 26)
        b.click("#brush-done")
        b.click("#no-regions")
        s.set(size=512)
        b.click("#paint")
        wait_for(lambda: s.state()["job"]["done"] > 1)
        s.post("pause")
        s.post("paint")
        wait_for(lambda: s.state()["paused"] and b.script("$('pause').textContent") == "Go on")
        look(b, "a paused painting", 26)
        check("a paused painting: what waits is said, too", wait_for(lambda: b.script("$('queue').textContent") ==
                                                                     "paused, 1 waiting", 10),
              b.script("$('queue').textContent"))
        gallery()
        look(b, "a queue", 4)
        s.post("go")
        wait_for(lambda: s.state()["queued"] == 0, 300)
        for n in (1, 2):
            wait_for(lambda: b.seen('input[data-id="pick%d"]' % n))
            b.click('input[data-id="pick%d"]' % n)
        look(b, "the gallery", 8)
        b.click("#compare-two")
        wait_for(lambda: b.script("$('viewer').open"))
        look(b, "two compared", 2)
        b.click("#viewer-close")
        b.click('button[data-id="open1"]')
        wait_for(lambda: b.script("$('viewer').open"))
        b.script("document.querySelector('#viewer details').open = true")
        look(b, "a painting of the gallery", 8)
        check("a painting of the gallery, desk: its command line is seen whole",
              b.script("$('viewer').scrollHeight <= $('viewer').clientHeight"))
    finally:
        b.close()
        s.end()


in_chromium(three_actions)
if not REAL:
    in_chromium(states)
sys.exit(bool(broken))
