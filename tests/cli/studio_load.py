#!/usr/bin/env python3
"""studio_load.py: how fast `nst studio` is.  No test: it measures, on a quiet machine, for about ten minutes.

studio_load.py NST SAMPLES FOLDER [ROUNDS [OPTION]...]: the program, data/, an empty folder, 3 rounds, options of the
studio.  It says
 * the seconds from a choice to the first picture of its preview and to the whole one,
 * the seconds of a painting at 512 pixels by the studio with one page open, and by nst with the same command line,
 * the same by the studio for 100 clients: 60 pages, 20 that read slowly, 20 that send slowly.
The rounds take turns, the medians are said.  The clients have a low priority, since they would run elsewhere; the
studio's CPU seconds are without theirs.
"""
import asyncio
import json
import multiprocessing
import os
import re
import statistics
import subprocess
import sys
import time

from page_tests import FOLDER, NST, wait_for
from studio_run import PHOTO, Studio, read

ROUNDS = int(sys.argv[4]) if len(sys.argv) > 4 else 3
PAGES, READERS, SENDERS = 60, 20, 20
STYLES = (2, 3, 4) # of the shelf


# ---- clients: a process of their own

async def page(s, told):
    """As the page does: the state four times a second, and each new picture."""
    seen = 0
    async def get(path, to, back):
        to.write(("GET %s%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % (s.root, path, s.port)).encode())
        head = await back.readuntil(b"\r\n\r\n")
        size = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length:"))
        return await back.readexactly(size)
    while True:
        try:
            back, to = await asyncio.open_connection("127.0.0.1", s.port)
            while True:
                began = time.monotonic()
                state = json.loads(await get("state", to, back))
                told.append(time.monotonic() - began)
                if state["job"]["picture"] != seen:
                    seen = state["job"]["picture"]
                    await get("live/%d" % seen, to, back)
                await asyncio.sleep(.25)
        except (OSError, asyncio.IncompleteReadError):
            await asyncio.sleep(.25)


async def reader(s):
    while True:
        try:
            back, to = await asyncio.open_connection("127.0.0.1", s.port, limit=512)
            to.write(("GET %sview/1 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % (s.root, s.port)).encode())
            while await back.read(512):
                await asyncio.sleep(1)
        except OSError:
            await asyncio.sleep(1)


async def sender(s):
    while True:
        try:
            _, to = await asyncio.open_connection("127.0.0.1", s.port)
            for c in ("GET %sstate HTTP/1.1\r\nX-Long: %s" % (s.root, "a" * 1000)).encode():
                to.write(bytes([c]))
                await to.drain()
                await asyncio.sleep(1)
        except OSError:
            await asyncio.sleep(1)


async def all_clients(s, end):
    told = []
    tasks = [asyncio.create_task(t) for t in [page(s, told) for _ in range(PAGES)] +
             [reader(s) for _ in range(READERS)] + [sender(s) for _ in range(SENDERS)]]
    while not end.is_set():
        await asyncio.sleep(.2)
    for t in tasks:
        t.cancel()
    return told


def clients(s, end, pipe):
    os.nice(10)
    told = asyncio.run(all_clients(s, end))
    pipe.send((len(told), statistics.median(told or [0]), max(told or [0]), time.process_time()))


# ---- what is measured

def cpu(pid):
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def preview(s, change):
    """Seconds from the change to the first picture of its preview, and to the last."""
    number = s.state()["preview"]["number"]
    began, first = time.time(), None
    change()
    while True:
        now = s.state()
        if first is None and now["preview"]["number"] > number and now["preview"]["shown"]:
            first = time.time() - began
        if now["preview"]["done"]:
            return first, time.time() - began
        time.sleep(.02)


def by_studio(s):
    began, before = time.time(), cpu(s.process.pid)
    number = int(s.post("paint")[1])
    seen = 0
    while s.job(number)["state"] in ("queued", "painting"):
        picture = s.state()["job"]["picture"]
        if picture != seen: # one page looks
            s.ask("GET", "live/%d" % picture)
        seen = picture
        time.sleep(.25)
    if s.job(number)["state"] != "done":
        sys.exit("painting %d: %s" % (number, s.job(number)))
    return number, time.time() - began, cpu(s.process.pid) - before


def by_command(s, number):
    line = s.ask("GET", "command/%d" % number)[1].decode().replace("nst ", "exec '%s' -q " % os.path.abspath(NST), 1)
    began = time.time()
    subprocess.run(["sh", "-c", line], cwd=FOLDER, check=True)
    return time.time() - began


def with_clients(s):
    end, (here, there) = multiprocessing.Event(), multiprocessing.Pipe()
    crowd = multiprocessing.Process(target=clients, args=(s, end, there))
    crowd.start()
    time.sleep(2)
    _, seconds, used = by_studio(s)
    end.set()
    told = here.recv()
    crowd.join()
    return seconds, used, told


def measure_previews(s):
    s.post("photo", read(PHOTO))
    s.post("choice?style=2")
    wait_for(lambda: s.state()["preview"]["done"])
    found = []
    for r in range(ROUNDS):
        for style in STYLES:
            s.post("choice?remove=0")
            found.append(preview(s, lambda: s.post("choice?style=%d" % style)))
    large = os.path.join(FOLDER, "large.jpg")
    subprocess.run([NST, "-q", "-s", "64", "-n", "1", "--scales", "1", "-o", os.path.join(FOLDER, "small.ppm"), PHOTO,
                    PHOTO], check=True)
    enlarge(os.path.join(FOLDER, "small.ppm"), os.path.join(FOLDER, "large.ppm"), 62)
    found_large = preview(s, lambda: s.post("photo", read(os.path.join(FOLDER, "large.ppm"))))
    for name, which in (("a painting of the shelf", found), ("a photograph of 12 megapixels", [found_large])):
        print("preview of %s: the first picture after %.2f s, the whole after %.2f s (at most %.2f s)" % (
            name, statistics.median(f[0] for f in which), statistics.median(f[1] for f in which),
            max(f[1] for f in which)), flush=True)


def enlarge(name, to, times):
    """A PPM with each pixel so many times: a large file, without any library."""
    data = read(name)
    w, h = map(int, re.match(rb"P6\s(?:#.*\n)*(\d+) (\d+)", data).groups())
    pixels = data[-3 * w * h:]
    with open(to, "wb") as f:
        f.write(b"P6 %d %d 255\n" % (w * times, h * times))
        for y in range(h):
            row = b"".join(pixels[3 * (y * w + x):][:3] * times for x in range(w))
            f.write(row * times)


def measure_paintings(s):
    s.post("choice?photo=1")
    s.post("choice?size=512")
    wait_for(lambda: s.state()["preview"]["done"])
    alone, typed, crowded = [], [], []
    for r in range(ROUNDS):
        number, seconds, used = by_studio(s)
        alone.append((seconds, used))
        typed.append(by_command(s, number))
        crowded.append(with_clients(s))
        asked, median, longest, own = crowded[-1][2]
        print("# round %d: studio %.2f s, nst %.2f s, 100 clients %.2f s (%d states a second of %d, median %.0f ms, "
              "longest %.0f ms, the clients' own CPU %.1f s)" % (r + 1, seconds, typed[-1], crowded[-1][0], asked /
                                                                 crowded[-1][0], PAGES * 4, 1000 * median,
                                                                 1000 * longest, own), flush=True)
    a, t, c = (statistics.median(x) for x in ([s for s, _ in alone], typed, [x[0] for x in crowded]))
    print("painting at 512 pixels: studio %.2f s, nst %.2f s, ratio %.3f" % (a, t, a / t))
    print("with 100 clients: %.2f s, ratio to the studio's %.3f; the studio's CPU seconds %.1f instead of %.1f, "
          "ratio %.3f" % (c, c / a, statistics.median(x[1] for x in crowded), statistics.median(u for _, u in alone),
                          statistics.median(x[1] for x in crowded) / statistics.median(u for _, u in alone)))


if __name__ == "__main__":
    studio = Studio(os.path.join(FOLDER, "load"), "-q", *sys.argv[5:])
    try:
        measure_previews(studio)
        measure_paintings(studio)
    finally:
        studio.end()
