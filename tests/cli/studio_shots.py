#!/usr/bin/env python3
"""studio_shots.py: makes the screenshots of `nst studio` in data/ anew.  No test: it paints as users do, for a minute.

studio_shots.py NST SAMPLES FOLDER DATA: the program, data/, an empty folder that some of them name as the user's, and
where they go: DATA/studio.jpg for the README, DATA/screenshots for the AppStream file.
"""
import os
import sys
import tempfile

from browser import Page
from page_tests import FOLDER, in_chromium, wait_for
from studio_run import Studio

DATA = sys.argv[4]
STARRY_NIGHT, SCREAM = 2, 3 # of the shelf


def shot(b, name, controls):
    """controls: those at the end of the page."""
    b.script("scrollTo(0, %d)" % (100000 if controls else 0))
    b.shot(os.path.join(DATA, name), quality=82)


def ready(s):
    wait_for(lambda: s.state()["preview"]["done"])


def painted(s, share):
    wait_for(lambda: s.state()["job"]["done"] > share * s.state()["job"]["total"] > 0)


def regions(s, b):
    """The Starry Night above, The Scream everywhere else."""
    b.click("#to-brush")
    wait_for(lambda: b.seen("#brush"))
    s.set(rest=1)
    b.script("$('brush-size').value = 24")
    x, y, w, h = b.box("#brush")
    for row in (.1, .26):
        b.drag([(x + w * t / 20, y + h * row) for t in range(21)])
    wait_for(lambda: s.state()["choice"]["styles"][0]["mask"])


def shots(program):
    s = Studio(FOLDER, "-q")
    b = Page(program, tempfile.mkdtemp(), "1280,720")
    try:
        b.begin(s.url)
        b.size(1280, 720) # 16:9, as software centres want their screenshots
        b.dark(False)
        s.post("choice?photo=1")
        s.post("choice?style=%d" % STARRY_NIGHT)
        s.post("choice?style=%d" % SCREAM)
        ready(s)
        b.script("stage.cut(30)")
        shot(b, "screenshots/preview.jpg", False)
        regions(s, b)
        shot(b, "screenshots/regions.jpg", False)
        b.click("#brush-done")
        b.click("#no-regions")
        s.post("choice?remove=1")
        ready(s)
        b.click("#paint")
        painted(s, .7)
        shot(b, "screenshots/painting.jpg", True)
        s.finish(1)
        b.click("#see-result")
        wait_for(lambda: b.script("$('viewer').open"))
        b.script("gallery.compare.cut(35); document.querySelector('#viewer details').open = true")
        shot(b, "screenshots/result.jpg", False)
        b.click("#viewer-close")
        b.click("#to-paint")
        b.size(1280, 820)
        s.post("choice?remove=0")
        s.post("choice?style=%d" % SCREAM)
        ready(s)
        b.script("stage.cut(42)")
        b.click("#paint")
        painted(s, .7)
        shot(b, "studio.jpg", True)
    finally:
        b.close()
        s.end()


in_chromium(shots)
