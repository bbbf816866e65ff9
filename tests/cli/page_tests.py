"""page_tests.py: what the tests of pages share: arguments, "ok" and "not ok" lines, waiting, requests, the browser."""
import http.client
import os
import shutil
import socket
import sys
import time

NST, SAMPLES, FOLDER = sys.argv[1:4]
TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# A network of VGG19's shape with a sixteenth of its channels, on one thread: what presses waits for an iteration.
TINY = ["-j", "1", "--model", os.path.join(TESTS, "data", "golden", "tiny.safetensors")]
broken = []


def check(name, good, detail=""):
    print(("ok - " if good else "not ok - ") + name + ("" if good else ": %s" % (detail,)), flush=True)
    if not good:
        broken.append(name)


def wait_for(what, seconds=120):
    end = time.time() + seconds
    while time.time() < end:
        try:
            v = what()
            if v:
                return v
        except OSError:
            pass
        time.sleep(.05)
    return None


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def request(port, method, path, body=None, headers=None):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    c.request(method, path, body=body, headers=headers or {})
    r = c.getresponse()
    text = r.read()
    c.close()
    return r.status, text


def token(port):
    """Of the page at / there."""
    return request(port, "GET", "/")[1].split(b'name="token" content="')[1].split(b'"')[0].decode()


def end(run):
    if run.poll() is None:
        run.kill()
        run.wait()


def in_chromium(test):
    """Calls test with the browser's path, where there is one."""
    chromium = next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None)
    if chromium:
        test(chromium)
    else:
        print("# no Chromium here: the page was not tried in a browser")
