#!/usr/bin/env python3
"""studio_server.py: `nst studio` from outside, the rest: pictures are removed, it sleeps when it is idle.  studio.sh
calls it; "ok" and "not ok" lines.

studio_server.py NST SAMPLES FOLDER: as studio.py.
"""
import os
import sys
import time

from page_tests import FOLDER, TINY, broken, check, wait_for
from studio_run import PHOTO, STYLE, Studio, read


def removes(s):
    """Pictures that came in are removed; no others, and none that a job waits for."""
    other = os.path.join(FOLDER, "other.ppm")
    with open(other, "wb") as f:
        f.write(b"P6 40 30 255\n" + bytes(range(256)) * 14 + bytes(16))
    before = sorted(os.listdir(s.folder + "/sources")), sorted(os.listdir(s.folder + "/.studio"))
    photo, style = (int(s.post(kind, read(other))[1]) for kind in ("photo", "style"))
    s.post("style", read(STYLE))
    check("two pictures came in", len(os.listdir(s.folder + "/sources")) == 6 and photo > 4 and style > photo)
    shown = {i["number"]: i["removable"] for i in s.lists()["sources"]}
    check("  which the page may remove", [n for n in shown if shown[n]] == [photo, style], shown)
    for n in (0, 1, 4, style + 1, 99999):
        check("no other, number %d" % n, s.post("forget/%d" % n)[0] == 409)
    for path in ("forget/", "forget/x", "forget/../1", "forget"):
        check("POST %s" % path, s.post(path)[0] == 400, s.post(path))
    number = int(s.post("paint")[1])
    wait_for(lambda: s.state()["job"]["done"] > 1)
    status, text = s.post("forget/%d" % style)
    check("none that is being painted from", (status, b"painting %d" % number in text) == (409, True), (status, text))
    s.post("discard")
    wait_for(lambda: s.job(number)["state"] == "none")
    check("then it is removed", s.post("forget/%d" % style) == (200, b"%d\n" % style))
    chosen = s.state()["choice"]
    check("  and not chosen any more", [c["source"] for c in chosen["styles"]] == [3] and chosen["photo"] == photo,
          chosen)
    check("  nor shown", s.ask("GET", "view/%d" % style)[0] == 404 and s.ask("GET", "thumb/%d" % style)[0] == 404)
    check("  nor removed twice", s.post("forget/%d" % style)[0] == 409)
    s.post("forget/%d" % photo)
    now = sorted(os.listdir(s.folder + "/sources")), sorted(os.listdir(s.folder + "/.studio"))
    check("no file of theirs is left, and no other is gone", now == (before[0], sorted(set(before[1]) | {"choice"})),
          now)
    wait_for(lambda: s.state()["preview"]["done"])
    return style


def numbers_stay(folder, last):
    """A number that a job names is not given to another picture, even when nothing else has it."""
    record = os.path.join(folder, ".studio", "job-0009")
    with open(record, "w") as f:
        f.write("state done\nphoto 1\nstyle %d 1 0\n" % (last + 5))
    s = Studio(folder, "-n", "1", "--scales", "1", "-q", *TINY)
    try:
        check("a removed picture's number is not used again", int(s.post("style", read(
            os.path.join(FOLDER, "other.ppm")))[1]) == last + 6)
    finally:
        s.end()


def woken(pid):
    """How often its threads have gone to sleep so far."""
    total = 0
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/status" % (pid, task)) as f:
            total += int(next(line for line in f if line.startswith("voluntary_ctxt")).split()[1])
    return total


def sleeps(s):
    s.post("photo", read(PHOTO))
    s.post("style", read(STYLE))
    wait_for(lambda: s.state()["preview"]["done"])

    def idle(name):
        time.sleep(1)
        before = woken(s.process.pid)
        time.sleep(3)
        check(name, woken(s.process.pid) - before < 20, woken(s.process.pid) - before)
    idle("an idle studio sleeps")
    number = int(s.post("paint")[1])
    wait_for(lambda: s.state()["job"]["done"] > 1)
    s.post("pause")
    idle("  so does a paused one")
    s.post("go")
    before = s.state()["job"]["done"]
    check("  and goes on", wait_for(lambda: s.state()["job"]["done"] > before))
    s.post("pause")
    s.post("stop")
    check("  a paused one stops", s.finish(number) == "stopped", s.job(number))
    s.process.terminate()
    check("a signal wakes an idle one", s.process.wait(30) == -15, s.process.returncode)


slow = Studio(os.path.join(FOLDER, "sleeps"), "-n", "100000", "--scales", "1", "-q", *TINY)
try:
    last = removes(slow)
    sleeps(slow)
finally:
    slow.end()
numbers_stay(slow.folder, last)
sys.exit(bool(broken))
