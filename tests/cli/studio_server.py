#!/usr/bin/env python3
"""studio_server.py: `nst studio` from outside, the rest: it sleeps when it is idle.  studio.sh calls it; "ok" and "not
ok" lines.

studio_server.py NST SAMPLES FOLDER: as studio.py.
"""
import os
import sys
import time

from page_tests import FOLDER, TINY, broken, check, wait_for
from studio_run import PHOTO, STYLE, Studio, read


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
    sleeps(slow)
finally:
    slow.end()
sys.exit(bool(broken))
