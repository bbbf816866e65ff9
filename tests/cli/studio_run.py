"""studio_run.py: what the tests of `nst studio` share: a studio that runs, its requests, and its command lines."""
import json
import os
import re
import struct
import subprocess
import sys
import zlib

from page_tests import FOLDER, NST, SAMPLES, check, free_port, request, wait_for

PHOTO, STYLE = os.path.join(SAMPLES, "content.jpg"), os.path.join(SAMPLES, "pictures", "scream.jpg")


class Studio:
    def __init__(self, folder, *options):
        self.folder, self.port = folder, free_port()
        self.process = subprocess.Popen([NST, "studio", "--no-browser", "--folder", folder, "--port", str(self.port)] +
                                        list(options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        found = re.search(r"(http://127\.0\.0\.1:\d+(/[0-9a-f]{32}/))$", line.strip())
        if not found:
            check("the studio starts", False, line + self.process.stderr.read())
            sys.exit(1)
        self.url, self.root = found.groups()

    def ask(self, method, path, body=None, headers=None, root=None):
        return request(self.port, method, (self.root if root is None else root) + path, body, headers)

    def post(self, path, body=None):
        return self.ask("POST", path, body)

    def state(self):
        return json.loads(self.ask("GET", "state")[1])

    def lists(self):
        return json.loads(self.ask("GET", "lists")[1])

    def job(self, number):
        return next((j for j in self.lists()["jobs"] if j["number"] == number), {"state": "none"})

    def finish(self, number, seconds=200):
        wait_for(lambda: self.job(number)["state"] not in ("none", "queued", "painting"), seconds)
        return self.job(number)["state"]

    def set(self, **values):
        for key, value in values.items():
            status, text = self.post("choice?%s=%s" % (key, value))
            check("choice: %s=%s" % (key, value), status == 200, text)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


def read(path):
    with open(path, "rb") as f:
        return f.read()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def grey_png(w, h, value):
    rows = b"".join(b"\0" + bytes(value(x, y) for x in range(w)) for y in range(h))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def same_by_command(s, number, name):
    """The picture of the page, and the one of the command line that it shows."""
    status, line = s.ask("GET", "command/%d" % number)
    folder = os.path.join(FOLDER, "typed")
    os.makedirs(folder, exist_ok=True)
    made = os.path.join(folder, "nst-%04d.png" % number)
    typed = line.decode().replace("nst ", "'%s' -q " % NST, 1)
    run = subprocess.run(["sh", "-c", typed], cwd=folder, capture_output=True, text=True)
    good = run.returncode == 0 and read(made) == read(os.path.join(s.folder, "nst-%04d.png" % number))
    check(name + ": the same bytes by the command line", good, run.stderr + typed)
    return line.decode()
