#!/usr/bin/env python3
"""video_page.py: the page of nst video --web, by sockets and in a headless Chromium.  video-web.sh calls it; "ok" and
"not ok" lines.

video_page.py NST SAMPLES FOLDER: the program, the folder of content.jpg and style.jpg, one to write into.
"""
import json
import os
import subprocess
import sys
import time

from browser import Page
from page_tests import (FOLDER, NST, SAMPLES, TINY, broken, check, end, free_port, in_chromium, request, token,
                        wait_for)

PORT = free_port()


def start(name, *options, frames="100000"):
    """A photograph as a film, which is still: each picture is quick."""
    args = [NST, "video", "-q", "-s", "64", "--scales", "1", "-n", "2", "--frame-iterations", "1", "--frames", frames]
    args += ["--web-port", str(PORT), "-o", os.path.join(FOLDER, name)] + TINY + list(options)
    args += [os.path.join(SAMPLES, "content.jpg"), os.path.join(SAMPLES, "style.jpg")]
    return subprocess.Popen(args, stderr=subprocess.PIPE, text=True)


def ask(method, path, headers=None):
    return request(PORT, method, path, None, headers)


def state():
    return json.loads(ask("GET", "/state.json")[1])


def told_of_end():
    """What the page says last; like nst.js it asks at intervals."""
    said = None
    try:
        while True:
            time.sleep(.7)
            said = state()["state"]
    except OSError:
        return said


def by_sockets():
    run = start("film.mkv")
    try:
        check("the page answers", wait_for(lambda: ask("GET", "/")[0] == 200))
        check("pictures are painted", wait_for(lambda: state()["film"]["done"] > 40))
        film = state()["film"]
        check("  of so many", film["total"] == 100000 and film["pass"] == 1, film)
        strip = film["strip"]
        check("  8 to 15 of them in the strip, as far from each other",
              8 <= len(strip) < 16 and len({b - a for a, b in zip(strip, strip[1:])}) == 1 and strip[0] == 1, strip)
        jpeg = b"\xff\xd8\xff"
        check("  each can be had", all(ask("GET", "/strip.jpg?%d" % n)[1][:3] == jpeg for n in strip[:4]))
        check("  others cannot", ask("GET", "/strip.jpg?2")[0] == 404 and ask("GET", "/strip.jpg")[0] == 404)
        for path in ("/picture.jpg", "/content.jpg"):
            check("GET " + path, ask("GET", path)[1][:3] == jpeg)
        number = state()["picture"]
        check("the last picture is renewed", wait_for(lambda: state()["picture"] > number))
        check("losses of pictures", len(state()["curve"]) > 10)
        good = {"X-Nst-Token": token(PORT)}
        check("a film's strength stays", ask("POST", "/strength?80", good)[0] == 400)
        check("pause", ask("POST", "/pause", good)[0] == 200 and wait_for(lambda: state()["state"] == "paused"))
        check("go on", ask("POST", "/go", good)[0] == 200 and wait_for(lambda: state()["state"] == "painting"))
        ask("POST", "/pause", good)
        check("the last picture is seen", wait_for(lambda: state()["state"] == "paused") and
              ask("GET", "/picture.jpg")[0] == 200)
        check("stop and keep", ask("POST", "/stop", good)[0] == 200)
        check("  which a page that asks now and then is told", told_of_end() == "stopped")
        check("  ends well", run.wait(120) == 0, run.returncode)
        check("  with a film", os.path.getsize(os.path.join(FOLDER, "film.mkv")) > 0)
        check("  that goes on", os.path.exists(os.path.join(FOLDER, "film.mkv.frames", "state")))
    finally:
        end(run)


def port_in_use():
    run = start("one.mkv")
    try:
        wait_for(lambda: ask("GET", "/")[0] == 200)
        other = start("other.mkv")
        text = other.communicate(timeout=120)[1]
        check("port in use: one sentence", other.returncode == 1 and text.count("\n") == 1 and
              text.startswith("nst: --web: port %d of 127.0.0.1 cannot be served: " % PORT), text)
        check("  and nothing is left", not os.path.exists(os.path.join(FOLDER, "other.mkv.frames")))
    finally:
        end(run)


def in_browser(program):
    run = start("seen.mkv")
    b = None
    try:
        wait_for(lambda: ask("GET", "/")[0] == 200)
        b = Page(program, os.path.join(FOLDER, "chromium"))
        b.begin("http://127.0.0.1:%d/" % PORT)
        check("browser: the painting is loaded",
              wait_for(lambda: b.script("document.getElementById('after').naturalWidth > 0"), 180))
        check("browser: the film's picture lies beside it",
              wait_for(lambda: b.script("document.getElementById('before').naturalWidth > 0")))
        check("browser: the strip", wait_for(lambda: b.script(
            "document.querySelectorAll('#strip img').length > 7 && "
            "[...document.querySelectorAll('#strip img')].every(i => i.naturalWidth > 0)")))
        check("browser: its numbers rise", b.script(
            "[...document.querySelectorAll('#strip li')].every((e, i, all) => "
            "!i || +e.dataset.number > +all[i - 1].dataset.number)"))
        check("browser: pictures are counted", wait_for(lambda: b.script(
            "/^[0-9]+ . 100000$/.test(document.getElementById('step').textContent)")))
        check("browser: no strength to change",
              b.script("getComputedStyle(document.getElementById('change')).display") == "none")
        b.script("document.getElementById('stop').click()")
        check("browser: stop and keep",
              wait_for(lambda: b.script("document.getElementById('state').textContent") == "stopped, kept"))
        check("browser: the program ends well", run.wait(120) == 0, run.returncode)
        wrong = [e["params"] for e in b.events if e.get("method") == "Runtime.exceptionThrown"]
        check("browser: no errors in the page", not wrong, wrong)
    finally:
        if b:
            b.close()
        end(run)


def passes():
    """The second pass goes backwards over a film of 24 pictures."""
    for n in range(1, 25):
        os.symlink(os.path.join(os.path.abspath(SAMPLES), "content.jpg"), os.path.join(FOLDER, "in-%d.jpg" % n))
    args = [NST, "video", "-q", "-s", "64", "--scales", "1", "-n", "2", "--frame-iterations", "30", "--passes", "9"]
    args += ["--web-port", str(PORT), "-o", os.path.join(FOLDER, "passes.mkv")] + TINY
    run = subprocess.Popen(args + [os.path.join(FOLDER, "in-%d.jpg"), os.path.join(SAMPLES, "style.jpg")],
                           stderr=subprocess.PIPE, text=True)
    try:
        check("a later pass", wait_for(lambda: state()["film"]["pass"] > 1 and len(state()["film"]["strip"]) > 2))
        film = state()["film"]
        check("  has a strip of its own", film["strip"] == sorted(film["strip"], reverse=film["pass"] % 2 == 0), film)
        check("  counts the pictures of all", 24 * (film["pass"] - 1) <= film["done"] and film["total"] == 216, film)
    finally:
        end(run)


by_sockets()
port_in_use()
passes()
in_chromium(in_browser)
sys.exit(bool(broken))
