#!/usr/bin/env python3
"""web.py: the page of --web from outside: by sockets, and in a headless Chromium.  web.sh calls it; "ok" and "not ok"
lines.

web.py NST SAMPLES FOLDER [JPEG]: the program, the folder of content.jpg and style.jpg, one to write into,
where a screenshot goes.
"""
import base64
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time

from browser import Page
from page_tests import (FOLDER, NST, SAMPLES, TINY, broken, check, end, free_port, in_chromium, request, token,
                        wait_for)

SHOT = sys.argv[4] if len(sys.argv) > 4 else None
PORT = free_port()


def start(*options, port=PORT, name="out.png", size="96", n="1000000", scales="1", model=TINY):
    args = [NST, "-q", "-s", size, "--scales", scales, "-n", n, "-o", os.path.join(FOLDER, name),
            "--web-port", str(port)]
    args += model
    args += list(options) + [os.path.join(SAMPLES, "content.jpg"), os.path.join(SAMPLES, "style.jpg")]
    return subprocess.Popen(args, stderr=subprocess.PIPE, text=True)


def ask(method, path, headers=None, port=PORT):
    return request(port, method, path, None, headers)


def state():
    return json.loads(ask("GET", "/state.json")[1])


def by_sockets(run):
    check("the page answers", wait_for(lambda: ask("GET", "/")[0] == 200))
    own = token(PORT)
    check("a token of 32 digits", len(own) == 32 and own != "@TOKEN@", own)
    for path in ("/nst.js", "/nst.css", "/content.jpg"):
        check("GET " + path, ask("GET", path)[0] == 200)
    check("a picture", wait_for(lambda: ask("GET", "/picture.jpg")[1][:3] == b"\xff\xd8\xff"))
    check("what is not there", ask("GET", "/etc/passwd")[0] == 404)
    check("DELETE", ask("DELETE", "/")[0] == 405)

    # Foreign pages: a script of another page, a name bent to this address, a form without the token.
    good = {"X-Nst-Token": own}
    for name, headers in (("a foreign Origin", {"Origin": "http://evil.example"}), ("Origin null", {"Origin": "null"}),
                          ("another port's page", {"Origin": "http://127.0.0.1:1"}),
                           ("a foreign Host", {"Host": "evil.example"}),
                          ("a foreign Host with our port", {"Host": "evil.example:%d" % PORT})):
        check(name + " is refused", ask("GET", "/state.json", headers)[0] == 403)
        check("  and may press nothing", ask("POST", "/stop", dict(good, **headers))[0] == 403)
    for name, headers in (("without the token", {}), ("with a wrong one", {"X-Nst-Token": "0" * 32})):
        check("POST %s is refused" % name, ask("POST", "/stop", headers)[0] == 403)
    check("our own Origin is not", ask("GET", "/state.json", {"Origin": "http://127.0.0.1:%d" % PORT})[0] == 200)
    check("strength out of range", ask("POST", "/strength?101", good)[0] == 400)
    check("strength that is no number", ask("POST", "/strength?x", good)[0] == 400)
    check("an unknown button", ask("POST", "/erase", good)[0] == 400)
    check("the painting goes on", run.poll() is None)

    with open("/proc/net/tcp") as f:
        mine = [line.split()[1] for line in f if line.split()[1].endswith(":%04X" % PORT) and line.split()[3] == "0A"]
    check("bound to loopback only", mine == ["0100007F:%04X" % PORT], mine)

    # Garbage, requests that never end, clients that vanish with a picture half read.
    dice = random.Random(7)
    for i in range(150):
        s = socket.create_connection(("127.0.0.1", PORT), timeout=30)
        try:
            if i % 3 == 0:
                s.sendall(dice.randbytes(dice.randrange(1, 4000)))
            elif i % 3 == 1:
                s.sendall(b"GET /picture.jpg HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                s.recv(10)
            else:
                s.sendall(b"POST /stop HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999\r\n\r\n" +
                          b"x" * dice.randrange(2000))
        except OSError:
            pass
        s.close()
    check("garbage and clients that vanish: it still answers", ask("GET", "/state.json")[0] == 200)

    # Fifty clients at once, while ten more hold their requests open.
    held = [socket.create_connection(("127.0.0.1", PORT)) for _ in range(10)]
    for s in held:
        s.sendall(b"GET / HTTP/1.1\r\nHo")
    got = []

    def client():
        try:
            got.append(all(ask("GET", p)[0] == 200 for p in ("/", "/state.json", "/picture.jpg") * 3))
        except OSError as e:
            got.append(e)
    threads = [threading.Thread(target=client) for _ in range(50)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    check("50 clients at once", got == [True] * 50, got)
    for s in held:
        s.close()

    before = state()["done"]
    check("meanwhile it paints", wait_for(lambda: state()["done"] > before))
    check("pause", ask("POST", "/pause", good)[0] == 200 and wait_for(lambda: state()["state"] == "paused"))
    before = state()["done"]
    time.sleep(1)
    check("  nothing is painted", state()["done"] == before)
    loss = state()["curve"][-1][1]
    check("strength", ask("POST", "/strength?80", good)[0] == 200)
    check("go on", ask("POST", "/go", good)[0] == 200 and wait_for(lambda: state()["done"] > before))
    check("  with that strength", wait_for(lambda: state()["strength"] == 80))
    # The style's weight is multiplied by 10^(0.8 * 0.6), three times, of a loss that the style is most of.
    check("  in the losses, too", wait_for(lambda: state()["curve"][-1][1] > 1.3 * loss), (loss, state()["curve"][-3:]))

    other = start(name="other.png")
    text = other.communicate(timeout=120)[1]
    check("port in use: one sentence", other.returncode == 1 and text.count("\n") == 1 and
          text.startswith("nst: --web: port %d of 127.0.0.1 cannot be served: " % PORT), text)

    check("stop and keep", ask("POST", "/stop", good)[0] == 200)
    check("  ends well", run.wait(120) == 0, run.returncode)
    check("  with a picture", os.path.getsize(os.path.join(FOLDER, "out.png")) > 0)


def in_browser(program):
    run = start(size="448", n="40", scales="4", model=()) if SHOT else start()
    b = None
    try:
        wait_for(lambda: ask("GET", "/")[0] == 200)
        b = Page(program, os.path.join(FOLDER, "chromium"))
        b.begin("http://127.0.0.1:%d/" % PORT)
        check("browser: the painting is loaded",
              wait_for(lambda: b.script("document.getElementById('after').naturalWidth > 0"), 180))
        step = b.script("document.getElementById('step').textContent")
        source = b.script("document.getElementById('after').src")
        check("browser: the numbers go on",
              wait_for(lambda: b.script("document.getElementById('step').textContent") != step))
        check("browser: the painting is renewed",
              wait_for(lambda: b.script("document.getElementById('after').src") != source, 180))
        check("browser: the photograph lies beside it",
              wait_for(lambda: b.script("document.getElementById('before').naturalWidth > 0")))
        b.script("const d = document.getElementById('divide'); d.value = 42; d.dispatchEvent(new Event('input'))")
        check("browser: the divider moves",
              b.script("document.getElementById('compare').style.getPropertyValue('--cut')") == "42%")
        check("browser: the curve is drawn", wait_for(lambda: b.script(
            "document.getElementById('curve').getContext('2d').getImageData(0, 0, 640, 300).data.some(v => v > 0)")))
        if SHOT:
            time.sleep(float(os.environ.get("SHOT_AFTER", "20")))
            shot = b.call("Page.captureScreenshot", format="jpeg", quality=82)
            with open(SHOT, "wb") as f:
                f.write(base64.b64decode(shot["data"]))
        b.script("document.getElementById('pause').click()")
        check("browser: pause", wait_for(lambda: b.script("document.getElementById('state').textContent") == "paused"))
        b.script("document.getElementById('pause').click()")
        check("browser: go on",
              wait_for(lambda: b.script("document.getElementById('state').textContent") == "painting"))
        b.script("const s = document.getElementById('strength'); s.value = 70; s.dispatchEvent(new Event('change'))")
        check("browser: strength", wait_for(lambda: state()["strength"] == 70))
        b.script("document.getElementById('stop').click()")
        check("browser: stop and keep",
              wait_for(lambda: b.script("document.getElementById('state').textContent") == "stopped, kept"))
        check("browser: the program ends well", run.wait(120) == 0, run.returncode)
        asked = [e["params"]["request"]["url"] for e in b.events if e.get("method") == "Network.requestWillBeSent"]
        elsewhere = [u for u in asked if not u.startswith(("http://127.0.0.1:%d/" % PORT, "data:"))]
        check("browser: nothing is asked of anyone else", asked and not elsewhere, elsewhere)
        wrong = [e["params"] for e in b.events if e.get("method") == "Runtime.exceptionThrown"]
        check("browser: no errors in the page", not wrong, wrong)
    finally:
        if b:
            b.close()
        end(run)


def on_a_device():
    """The picture comes from the device, the strength goes there, in the middle of the run."""
    run = start("--device", "opencl", "--preset", "opengenus", size="48", name="device.png")
    try:
        check("opencl: it paints", wait_for(lambda: state()["done"] > 2, 300))
        check("opencl: a picture", wait_for(lambda: ask("GET", "/picture.jpg")[1][:3] == b"\xff\xd8\xff"))
        loss = state()["curve"][-1][1]
        ask("POST", "/strength?80", {"X-Nst-Token": token(PORT)})
        check("opencl: strength, in the losses, too", wait_for(lambda: state()["curve"][-1][1] > 1.3 * loss),
              (loss, state()["curve"][-1]))
        ask("POST", "/stop", {"X-Nst-Token": token(PORT)})
        said = run.communicate(timeout=120)[1]
        check("opencl: stop and keep", run.returncode == 0 and
              os.path.getsize(os.path.join(FOLDER, "device.png")) > 0, (run.returncode, said))
    finally:
        end(run)


first = start()
try:
    by_sockets(first)
finally:
    if first.poll() is None:
        first.kill()
        first.wait()
in_chromium(in_browser)
if "\nopencl:" in subprocess.run([NST, "devices"], capture_output=True, text=True).stdout:
    on_a_device()
else:
    print("# no OpenCL device here: the page was not tried with one")
sys.exit(bool(broken))
