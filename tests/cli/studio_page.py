#!/usr/bin/env python3
"""studio_page.py: the page of `nst studio` in a headless Chromium.  studio.sh calls it; "ok" and "not ok" lines.

studio_page.py NST SAMPLES FOLDER [SHOTS]: as studio.py; a folder where screenshots go, which are painted by the
built-in
model, larger and for longer.
"""
import os
import sys
import time

from browser import Page
from page_tests import FOLDER, TINY, broken, check, in_chromium, wait_for
from studio_run import PHOTO, STYLE, Studio, same_by_command

SHOTS = sys.argv[4] if len(sys.argv) > 4 else None


class Shown(Page):
    def shot(self, name):
        if SHOTS:
            super().shot(os.path.join(SHOTS, name + ".jpg"))


# The mask of a job's first style has what is brushed.
SAME_MASK = """(async () => {
  const img = new Image(), m = brush.masks[0], g = brush.canvas(m.width, m.height).getContext('2d');
  img.src = 'mask/%d';
  await img.decode();
  g.drawImage(img, 0, 0);
  const sent = g.getImageData(0, 0, m.width, m.height).data;
  return m.getContext('2d').getImageData(0, 0, m.width, m.height).data.every((v, k) => k %% 4 < 3 || v === sent[k - 3]);
})()"""


def at_once(s, b):
    """Who presses Paint at once gets what was changed last, however late it comes to the server."""
    s.set(size=64)
    number = max(j["number"] for j in s.lists()["jobs"]) + 2 # one was removed
    b.script("{ const r = $('strength'); r.value = 33; r.dispatchEvent(new Event('input')); $('paint').click() }")
    wait_for(lambda: s.job(number)["state"] != "none")
    check("browser: a slider moves and Paint is pressed at once", s.job(number)["choice"]["strength"] == 33,
          s.job(number))
    s.finish(number)
    b.click("#to-brush")
    wait_for(lambda: b.seen("#brush"))
    b.call("Fetch.enable", patterns=[{"urlPattern": "*/mask/*", "requestStage": "Request"}])
    x, y, w, h = b.box("#brush")
    for row in (.3, .7):
        b.drag([(x + w * t / 20, y + h * row) for t in range(2, 12)])
    b.script("$('paint').click()")
    seen = []
    for _ in range(2): # the newest goes first, where there are two
        wait_for(lambda: b.script("1") and len(b.held()) > len(seen) + 1, 2)
        check("browser: no painting before its mask is there", s.job(number + 1)["state"] == "none")
        seen.append([i for i in b.held() if i not in seen][-1])
        b.call("Fetch.continueRequest", requestId=seen[-1])
    b.call("Fetch.disable")
    wait_for(lambda: s.job(number + 1)["state"] != "none")
    check("browser: strokes and Paint at once: the mask is what was brushed last", b.script(
        SAME_MASK % s.job(number + 1)["choice"]["styles"][0]["mask"]))
    s.finish(number + 1)


def in_browser(program):
    s = Studio(os.path.join(FOLDER, "Bilder mit 'Namen'"), *(("-j", "2", "-q") if SHOTS else ["-n", "25", "-q"] + TINY))
    b = Shown(program, os.path.join(FOLDER, "chromium"), "1280,720")
    try:
        b.begin(s.url)
        b.size(1280, 720) # 16:9, as software centres want their screenshots
        b.dark(False)
        check("browser: the page invites", wait_for(lambda: b.seen("#empty .drop") and b.seen("#shelf img")))
        b.shot("1-empty")
        x, y, w, h = b.box("#empty")
        letter = os.path.join(FOLDER, "letter with a long name, " * 4 + ".odt")
        with open(letter, "wb") as f:
            f.write(b"PK" * 1000)
        b.drop(letter, x + w / 4, y + h / 2)
        check("browser: what is no picture is a sentence with the file's name", wait_for(lambda: b.script(
            "/^letter.*….*\\.odt: This file is no picture .*\\.$/.test($('message').textContent)")),
              b.script("$('message').textContent"))
        check("browser:   which hides neither Paint nor the bar below the picture", b.box("#message")[1] + b.box(
            "#message")[3] < b.box("#under")[1] < b.box("#paint")[1], (b.box("#message"), b.box("#under")))
        b.shot("14-no-picture")
        b.drop(os.path.abspath(PHOTO), x + w / 4, y + h / 2)
        check("browser: a photograph is dropped", wait_for(lambda: s.state()["choice"]["photo"] == 1),
              s.state()["choice"])
        check("browser:   and seen", wait_for(lambda: b.script(
                "document.querySelector('#compare .before').naturalWidth > 0")))
        began = time.time()
        b.click('#shelf button[data-id="2"]')
        check("browser: a painting from the shelf", wait_for(lambda: len(s.state()["choice"]["styles"]) == 1))
        check("browser: a preview", wait_for(lambda: b.script(
                "document.querySelector('#compare .after').naturalWidth > 0")))
        wait_for(lambda: s.state()["preview"]["done"])
        print("# preview after %.1f s" % (time.time() - began))
        b.shot("2-preview")
        number = s.state()["preview"]["number"]
        b.script("const r = $('strength'); r.value = 80; r.dispatchEvent(new Event('input'))")
        check("browser: strength", wait_for(lambda: s.state()["choice"]["strength"] == 80))
        check("browser:   the preview follows", wait_for(lambda: s.state()["preview"]["number"] > number))
        b.click('#colors input[value="2"]')
        check("browser: colours", wait_for(lambda: s.state()["choice"]["color"] == 2), s.state()["choice"])
        b.script("$('size').value = %d; $('size').onchange()" % (512 if SHOTS else 384))
        b.script("const d = document.querySelector('#compare .divide'); d.value = 42; "
                 "d.dispatchEvent(new Event('input'))")
        check("browser: the divider moves", b.script("$('compare').style.getPropertyValue('--cut')") == "42%")
        x, y, w, h = b.box("#shelf")
        b.drop(os.path.abspath(STYLE), 1000, 300)
        check("browser: another painting is dropped", wait_for(lambda: len(s.state()["choice"]["styles"]) == 2),
              s.state()["choice"])

        # Regions by brush.
        b.click("#to-brush")
        check("browser: the brush", wait_for(lambda: b.seen("#brush") and s.state()["choice"]["regions"]))
        x, y, w, h = b.box("#brush")
        b.drag([(x + w * t / 20, y + h * .25) for t in range(2, 12)])
        check("browser: a stroke is a mask", wait_for(lambda: s.state()["choice"]["styles"][0]["mask"] > 0))
        one = s.state()["choice"]["styles"][0]["mask"]
        b.drag([(x + w * t / 20, y + h * .5) for t in range(2, 12)])
        wait_for(lambda: s.state()["choice"]["styles"][0]["mask"] > one)
        two = s.ask("GET", "mask/%d" % s.state()["choice"]["styles"][0]["mask"])[1]
        b.shot("3-brush")
        b.click("#brush-undo")
        check("browser: undo", wait_for(lambda: s.ask("GET", "mask/%d" % s.state()["choice"]["styles"][0]["mask"])[
                1] not in (b"", two)))
        b.click("#tool-eraser")
        before = s.state()["choice"]["styles"][0]["mask"]
        b.drag([(x + w * .4, y + h * .25), (x + w * .5, y + h * .25)])
        check("browser: eraser", wait_for(lambda: s.state()["choice"]["styles"][0]["mask"] > before))
        b.script("$('brush').focus()")
        before = s.state()["choice"]["styles"][0]["mask"]
        b.click("#tool-brush")
        b.script("$('brush').focus()")
        b.key("ArrowDown", 40)
        b.key(" ", 32, text=" ")
        check("browser: by keyboard", wait_for(lambda: s.state()["choice"]["styles"][0]["mask"] > before))
        tabs = lambda n: wait_for(lambda: b.script("document.querySelectorAll('#brush-styles button').length") == n)
        s.post("choice?style=4")
        check("browser: another tab's painting comes to the brush", tabs(3))
        s.post("choice?remove=2")
        check("browser:   and goes", tabs(2) and b.seen("#brush"))
        b.key("Escape", 27)
        check("browser: done", wait_for(lambda: not b.seen("#brush")))
        wait_for(lambda: s.state()["preview"]["done"])
        b.shot("4-regions")

        b.click("#paint")
        check("browser: it paints", wait_for(lambda: s.state()["job"]["done"] > 1 and b.seen("#watch")))
        check("browser: the painting grows", wait_for(lambda: b.script(
                "document.querySelector('#compare .after').src.includes('live')")))
        if SHOTS:
            wait_for(lambda: s.state()["job"]["done"] > .5 * s.state()["job"]["total"])
            b.shot("5-painting")
        b.click("#pause")
        check("browser: pause", wait_for(lambda: s.state()["paused"]))
        b.call("Page.reload")
        check("browser: a reload shows the same", wait_for(
            lambda: b.seen("#watch") and b.script("$('pause').textContent") == "Go on" and b.script(
                    "$('strength').value") == "80"))
        b.click("#pause")
        check("browser: go on", wait_for(lambda: not s.state()["paused"]))
        check("browser: the end", wait_for(lambda: b.seen("#finished"), 300))
        b.shot("6-finished")
        if not SHOTS: # where it takes a minute
            same_by_command(s, 1, "browser")
        b.click("#see-result")
        check("browser: the gallery", wait_for(lambda: b.script("$('viewer').open") and b.seen("#save-tiff")))
        b.script("document.querySelector('#viewer details').open = true")
        check("browser: the command line", wait_for(lambda: "--content-mask" in b.script(
                "$('viewer-command').textContent")))
        b.shot("7-viewer")
        b.click("#again")
        check("browser: paint again", wait_for(lambda: b.seen("#paint") and not b.script("$('viewer').open")))
        b.click("#no-regions")
        wait_for(lambda: not s.state()["choice"]["regions"])
        b.script("$('size').value = 384; $('size').onchange()")
        wait_for(lambda: s.state()["choice"]["size"] == 384)
        b.click("#paint")
        check("browser: a second painting", s.finish(2, 300) == "done", s.job(2))
        b.click("#to-gallery")
        for n in (1, 2):
            check("browser: pick", wait_for(lambda: b.seen('input[data-id="pick%d"]' % n)))
            b.click('input[data-id="pick%d"]' % n)
        b.shot("8-gallery")
        b.click("#compare-two")
        check("browser: compare two", wait_for(lambda: b.script(
            "[...document.querySelectorAll('#viewer-compare img')]"
            ".every(i => i.src.includes('painted') && i.naturalWidth)")))
        b.shot("9-compare")
        b.click("#viewer-close")
        b.click('button[data-id="open2"]')
        b.click("#remove")
        check("browser: removing asks again", s.job(2)["state"] == "done" and b.script("$('viewer').open"))
        b.click("#remove")
        check("browser:   and removes", wait_for(lambda: s.job(2)["state"] == "none"))

        # A picture that came in is deleted from the shelf: by its button, then by the keyboard.
        wait_for(lambda: not b.script("$('viewer').open"))
        b.click("#to-paint")
        other = os.path.join(FOLDER, "other.ppm")
        with open(other, "wb") as f:
            f.write(b"P6 40 30 255\n" + bytes(range(256)) * 14 + bytes(16))
        number = max(i["number"] for i in s.lists()["sources"])
        for by in ("button", "keyboard"):
            number += 1 # no number comes again
            tile = '#shelf button[data-id="%d"]' % number
            b.drop(other, 1000, 300)
            check("browser: a picture on the shelf", wait_for(lambda: b.seen(tile)), s.lists()["sources"])
            for again in (False, True):
                if by == "button":
                    b.click('#shelf button[data-id="forget%d"]' % number)
                else:
                    b.script("document.querySelector('%s').focus()" % tile)
                    b.key("Delete", 46)
                if by == "button" and not again:
                    b.shot("13-delete")
                if not again:
                    check("browser:   is asked about first", number in [i["number"] for i in s.lists()["sources"]] and
                          b.script("!$('message').hidden"))
            check("browser:   and deleted by " + by, wait_for(lambda: number not in [
                i["number"] for i in s.lists()["sources"]]))
            check("browser:   and the focus stays on the shelf", wait_for(lambda: b.script(
                "document.activeElement.dataset.id") == "add"), b.script("document.activeElement.outerHTML"))

        # A file is dropped on a page whose scripts have not come yet.
        b.call("Fetch.enable", patterns=[{"urlPattern": "*/studio.js"}])
        b.call("Page.navigate", url=s.url)
        check("browser: a page without its script", wait_for(lambda: b.script(
            "document.readyState === 'interactive' && typeof add === 'undefined'")))
        b.drop(other, 1000, 300)
        check("browser:   stays when a file is dropped", b.script("location.href") == s.url, b.script("location.href"))
        b.call("Fetch.disable")
        check("browser:   which is a painting once the script is there", wait_for(lambda: s.state()["choice"]["styles"][
            -1]["source"] == number + 1, 20), s.state()["choice"])
        s.post("forget/%d" % (number + 1))

        at_once(s, b)

        # Two tabs, a phone, the dark.
        b.dark(True)
        b.click("#to-paint")
        b.shot("10-dark")
        b.size(390, 844)
        check("browser: nothing is wider than a phone", wait_for(lambda: b.script(
                "document.documentElement.scrollWidth") <= 390),
              b.script("document.documentElement.scrollWidth"))
        b.shot("11-phone-dark")
        b.dark(False)
        b.script("scrollTo(0, 500)")
        b.shot("12-phone")
        b.size(1280, 720)
        b.click("#quit")
        check("browser: a closed studio's page says so and takes no press", wait_for(lambda: b.script(
            "/closed/.test($('message').textContent) && [...document.querySelectorAll('header, main')]"
            ".every(e => e.inert)")))
        b.shot("15-closed")
        check("browser:   and the studio ends", s.process.wait(60) == 0, s.process.returncode)
        names = b.script(
                "JSON.stringify([...document.querySelectorAll('button, input:not([hidden]), select, a.button')]"
                 ".filter(e =>"
                         "e.offsetParent && !(e.textContent.trim() || e.ariaLabel || e.labels?.length))"
                 ".map(e => e.outerHTML))")
        check("browser: every control has a name", names == "[]", names)
        missing = b.script(
                "JSON.stringify([...document.querySelectorAll('[data-w], [data-l]')]"
                 ".map(e => e.dataset.w || e.dataset.l)"
                           ".filter(k => words[k] === undefined))")
        check("browser: every text is in words.js", missing == "[]", missing)
        wrong = [e["params"] for e in b.events if e.get("method") == "Runtime.exceptionThrown"]
        check("browser: no errors in the page", not wrong, wrong)
        log = [e["params"]["entry"] for e in b.events if e.get("method") == "Log.entryAdded" and
               e["params"]["entry"]["source"] == "security"]
        check("browser: nothing that the page's own rules refuse", not log, log)
        asked = [e["params"]["request"]["url"] for e in b.events if e.get("method") == "Network.requestWillBeSent"]
        elsewhere = [u for u in asked if not u.startswith((s.url, "data:", "blob:"))]
        check("browser: nothing is asked of anyone else", asked and not elsewhere, elsewhere)
    finally:
        b.close()
        s.end()


in_chromium(in_browser)
sys.exit(bool(broken))
