#!/usr/bin/env python3
"""studio.py: `nst studio` from outside: by sockets, by the command lines that it shows, killed and resumed.
studio.sh calls
it; "ok" and "not ok" lines.

studio.py NST SAMPLES FOLDER: the program, the folder of content.jpg and style.jpg, one to write into.
"""
import http.client
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib

from page_tests import FOLDER, NST, TESTS, TINY, broken, check, free_port, wait_for
from studio_run import PHOTO, STYLE, Studio, chunk, grey_png, read, same_by_command


def by_sockets(s):
    status, page = s.ask("GET", "")
    check("the page answers", status == 200 and b"studio.js" in page, status)
    for path in ("studio.css", "studio.js", "drop.js", "brush.js", "gallery.js", "words.js", "icon.svg", "state",
                 "lists", "thumb/1", "view/2"):
        check("GET " + path, s.ask("GET", path)[0] == 200)
    c = http.client.HTTPConnection("127.0.0.1", s.port)
    c.request("GET", s.root)
    r = c.getresponse()
    r.read()
    check("headers that keep the page to itself", "default-src 'self'" in r.getheader("Content-Security-Policy") and
          r.getheader("X-Content-Type-Options") == "nosniff" and r.getheader("Referrer-Policy") == "no-referrer")
    c.close()

    # Who may not look: other users of the machine, other pages, other machines.
    for name, root in (("without the token", "/"), ("with a wrong one", "/" + "0" * 32 + "/"),
                       ("with a part of it", s.root[:20] + "/"), ("with a longer one", s.root[:-1] + "0/")):
        check(name + " nothing is seen", s.ask("GET", "state", root=root)[0] == 403)
        check("  and nothing done", s.ask("POST", "paint", root=root)[0] == 403)
    for name, headers in (("a foreign Origin", {"Origin": "http://evil.example"}), ("Origin null", {"Origin": "null"}),
                          ("another port's page", {"Origin": "http://127.0.0.1:1"}),
                          ("a foreign Host", {"Host": "evil.example:%d" % s.port})):
        check(name + " is refused", s.ask("GET", "state", headers=headers)[0] == 403)
        check("  and may send nothing", s.ask("POST", "photo", read(PHOTO), headers=headers)[0] == 403)
    with open("/proc/net/tcp") as f:
        mine = [line.split()[1] for line in f if line.split()[1].endswith(":%04X" % s.port) and line.split()[3] == "0A"]
    check("bound to loopback only", mine == ["0100007F:%04X" % s.port], mine)

    # Names: nothing that is asked for becomes a part of one.
    for path in ("view/../../etc/passwd", "view/%2e%2e%2f1", "view/1/../../..", "view/", "view/-1", "view/1x", "png/1",
                 "png/..", "mask/999", "thumb/0000000000001", "../" * 9 + "etc/passwd", "command/77"):
        check("GET %s" % path, s.ask("GET", path)[0] in (403, 404), s.ask("GET", path))
    before = sorted(os.listdir(s.folder)), len(s.lists()["sources"])
    for path in ("choice?photo=../../etc/passwd", "choice?photo=99", "choice?photo=2", "choice?style=1",
                 "choice?strength=1e3",
                 "choice?strength=nan", "choice?strength=0x10", "choice?strength=", "choice?strength", "choice?size=9",
                 "choice?size=99999999", "choice?color=4", "choice?color=-1", "choice?blend=7:1", "choice?blend=x",
                 "choice?remove=9",
                 "choice?remove=-1", "choice?rest=3", "choice?unmask=-1", "choice?x=1", "choice", "remove/99",
                 "again/0", "again/99",
                 "erase", "quit/1"):
        check("POST %s" % path, s.post(path)[0] == 400, s.post(path))

    # Uploads: what is no picture, too large, damaged, never ends.
    for name, body in (("a text", b"hello" * 100), ("nothing", b""), ("a program", read(NST)[:5000]),
                       ("SVG", b"<svg xmlns='http://www.w3.org/2000/svg'/>" * 9), ("a cut JPEG", read(PHOTO)[:300]),
                       ("half a JPEG", read(PHOTO)[:20000]), ("one pixel", grey_png(1, 1, lambda x, y: 9)),
                       ("a PNG that says it is huge", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(
                           ">IIBBBBB", 60000, 60000, 16, 6, 0, 0, 1)) + chunk(b"IDAT", zlib.compress(b"\0" * 999)) +
                        chunk(b"IEND", b""))):
        status, text = s.post("photo", body)
        check("upload of %s is refused by one sentence" % name, status == 409 and text.count(b"\n") == 1 and
              b"--" not in text, (status, text))
    check("a mask that is no PNG", s.post("mask/0", read(PHOTO))[0] == 409)
    check("a mask for no style", s.post("mask/3", grey_png(20, 15, lambda x, y: 9))[0] == 409)
    with socket.create_connection(("127.0.0.1", s.port)) as raw:
        raw.sendall(("POST %sphoto HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: %d\r\n\r\n" %
                     (s.root, s.port, (64 << 20) + 1)).encode())
        check("more than 64 MB are refused before they are sent", b" 413 " in raw.recv(200))
    with socket.create_connection(("127.0.0.1", s.port)) as raw:
        raw.sendall(("POST %smask/0 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nTransfer-Encoding: chunked\r\n\r\n" %
                     (s.root, s.port)).encode())
        sent = 0
        try:
            for _ in range(400):
                raw.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
                sent += 65536
        except OSError:
            pass
        check("a body without an end is cut off", sent < 300 * 65536, sent)
    held = []
    for _ in range(20):
        raw = socket.create_connection(("127.0.0.1", s.port))
        raw.sendall(("POST %sphoto HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 1000\r\n\r\nabc" %
                     (s.root, s.port)).encode())
        held.append(raw)
    check("twenty uploads that never end: it answers", s.ask("GET", "state")[0] == 200)
    for raw in held:
        raw.close()
    dice = random.Random(11)
    for i in range(60):
        with socket.create_connection(("127.0.0.1", s.port)) as raw:
            try:
                raw.sendall(dice.randbytes(dice.randrange(1, 3000)) if i % 2 else
                            ("GET %sview/1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % s.root).encode())
            except OSError:
                pass
    check("garbage and clients that vanish: it answers", s.ask("GET", "state")[0] == 200)
    check("  and nothing was left behind", before == (sorted(os.listdir(s.folder)), len(s.lists()["sources"])),
          os.listdir(s.folder))

    got = []

    def client():
        try:
            got.append(all(s.ask("GET", p)[0] == 200 for p in ("", "state", "view/1", "lists") * 2))
        except OSError as e:
            got.append(e)
    slow = [socket.create_connection(("127.0.0.1", s.port)) for _ in range(20)]
    for raw in slow:
        raw.sendall(b"GET / HTTP/1.1\r\nHo")
    threads = [threading.Thread(target=client) for _ in range(80)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    check("80 clients and 20 slow ones at once", got == [True] * 80, [g for g in got if g is not True][:3])
    for raw in slow:
        raw.close()


def what_is_painted(s):
    for name in ("plain.heic", "plain.avif", "plain.jxl"):
        status, text = s.post("photo", read(os.path.join(TESTS, "data", "pictures", name)))
        check("%s is taken, or refused by one sentence" % name, status == 200 or (status == 409 and text.count(
                b"\n") == 1),
              (status, text))
    photo = s.post("photo", read(PHOTO))
    check("a photograph", photo[0] == 200, photo)
    check("  the one that comes with it is not kept twice", photo[1] == b"1\n", photo)
    other = os.path.join(FOLDER, "other.png")
    subprocess.run([NST, "-q", "-n", "1", "-s", "150", "--scales", "1", "-o", other] + TINY + [PHOTO, STYLE],
            check=True)
    photo = s.post("photo", read(other))
    check("another photograph", photo[0] == 200 and int(photo[1]) > 4, photo)
    style = s.post("style", read(STYLE))
    check("a style", style == (200, b"3\n"), style)
    s.post("style", read(STYLE))
    check("  is chosen once, even if it comes twice", len(s.state()["choice"]["styles"]) == 1, s.state()["choice"])
    s.set(size=96, strength=60, stroke=0.8, color=2)
    check("its preview", wait_for(lambda: s.state()["preview"]["done"] and s.state()["preview"]["shown"]))
    shown = s.ask("GET", "preview/1")[1]
    check("  is a picture", shown[:3] == b"\xff\xd8\xff")
    for key, value in (("strength", 5), ("color", 1), ("stroke", 2), ("size", 1024)):
        s.set(**{key: value})
        wait_for(lambda: s.state()["preview"]["done"])
        now = s.ask("GET", "preview/1")[1]
        check("  which follows %s" % key, now[:3] == b"\xff\xd8\xff" and now != shown)
        shown = now
    s.set(size=96, strength=60, stroke=0.8, color=2)
    first = int(s.post("paint")[1])
    s.set(color=0)
    second = int(s.post("paint")[1])
    check("a queue of two", s.state()["queued"] >= 1)
    check("the first is painted", s.finish(first) == "done", s.job(first))
    check("the second, too", s.finish(second) == "done", s.job(second))
    line = same_by_command(s, first, "a painting")
    check("  with all that the page says", "--strength=60" in line and "--color=content" in line, line)
    data = read(os.path.join(s.folder, "nst-%04d.png" % first))
    check("the settings are in the file", b"--strength 60" in data)
    for kind, begins in (("png", b"\x89PNG"), ("tiff", b"II*\0"), ("jpeg", b"\xff\xd8\xff")):
        status, text = s.ask("GET", "%s/%d" % (kind, first))
        check("saved as " + kind, status in (200, 404 if kind == "tiff" else 200) and
              (status == 404 or (text.startswith(begins) and b"strength" in text)), (status, text[:20]))
    check("small and large in the gallery", s.ask("GET", "small/%d" % first)[0] == 200 and
          s.ask("GET", "painted/%d" % first)[0] == 200)

    # Two styles, blended; then in regions.
    s.set(style=2)
    s.set(blend="1:0.5")
    blended = int(s.post("paint")[1])
    check("two styles", s.finish(blended) == "done", s.job(blended))
    line = same_by_command(s, blended, "two styles")
    check("  by their shares", "--style-blend=1,0.5" in line, line)
    s.set(regions=1)
    check("everything else is the last one's", s.state()["choice"]["rest"] == 1, s.state()["choice"])
    masked = s.post("mask/0", grey_png(64, 48, lambda x, y: min(255, 8 * x)))
    check("a mask", masked[0] == 200, masked)
    check("  which comes back", s.ask("GET", "mask/%d" % int(masked[1]))[1][:4] == b"\x89PNG")
    wait_for(lambda: s.state()["preview"]["done"])
    check("  its preview", not s.state()["preview"]["error"], s.state()["preview"])
    regions = int(s.post("paint")[1])
    check("regions", s.finish(regions) == "done", s.job(regions))
    mask = os.path.join(s.folder, "nst-%04d-mask-1.png" % regions)
    check("  the mask lies beside the result", os.path.exists(mask))
    line = same_by_command(s, regions, "regions")
    check("  from that mask", mask in line and "--content-mask=rest" in line, line)
    run = subprocess.run([NST, "-q", "-j", "1", "-m", "small", "-s", "512", "-n", "1", "--scales", "1",
            "--content-mask", mask,
                          "-o", other, PHOTO, STYLE, PHOTO], capture_output=True, text=True)
    check("regions at 512 pixels, whose bands are cut by the margin", run.returncode == 0, run)
    s.set(rest=-1)
    lone = int(s.post("paint")[1])
    check("a region alone, the rest stays a photograph", s.finish(lone) == "done", s.job(lone))
    same_by_command(s, lone, "a region alone")
    s.set(unmask=0)
    check("regions without one are a sentence", s.post("paint")[0] == 409)
    check("paint again", s.post("again/%d" % regions)[0] == 200)
    d = s.state()["choice"]
    check("  with its mask and styles", d["regions"] and d["styles"][0]["mask"] > 0 and len(d["styles"]) == 2, d)
    s.set(regions=0)
    while s.state()["choice"]["styles"]:
        s.post("choice?remove=0")
    s.set(style=3, strength=50, color=1)
    s.set(size=64)
    check("a name that a shell would take apart", "'" in s.ask("GET", "command/0")[1].decode() or " " not in s.folder)
    return first


def runs_one_after_another(s):
    """Pauses, stops, discards; and memory stays."""
    number = int(s.post("paint")[1])
    s.finish(number)

    def rss():
        with open("/proc/%d/status" % s.process.pid) as f:
            return int(next(line for line in f if line.startswith("VmRSS")).split()[1])
    for _ in range(3):
        s.finish(int(s.post("paint")[1]))
    before = rss()
    for i in range(8):
        s.set(strength=20 + i)
        wait_for(lambda: s.state()["preview"]["done"])
        s.finish(int(s.post("paint")[1]))
    if b"__asan_" in read(NST):
        print("# a sanitizer keeps what was freed: memory was not looked at")
    else:
        check("eight more paintings take no more memory", rss() < before + 6000, (before, rss()))


def pauses(s):
    s.set(size=256)
    number = int(s.post("paint")[1])
    check("it paints", wait_for(lambda: s.state()["job"]["done"] > 2))
    check("  the picture so far", wait_for(lambda: s.state()["job"]["picture"] > 0 and
                                           s.ask("GET", "live/1")[1][:3] == b"\xff\xd8\xff"))
    s.post("pause")

    def rests():
        done = s.state()["job"]["done"]
        time.sleep(1)
        return s.state()["paused"] and s.state()["job"]["done"] == done
    check("pause", wait_for(rests)) # once the iteration that had begun has ended
    before = s.state()["job"]["done"]
    waits = int(s.post("paint")[1])
    check("a job that waits is taken off", s.post("remove/%d" % waits)[0] == 200 and s.job(waits)["state"] == "none")
    check("  the one that is painted is not", s.post("remove/%d" % number)[0] == 400)
    s.post("go")
    check("go on", wait_for(lambda: s.state()["job"]["done"] > before))
    s.post("stop")
    check("stop and keep", s.finish(number) == "stopped", s.job(number))
    check("  the picture is there", s.ask("GET", "png/%d" % number)[0] == 200)
    number = int(s.post("paint")[1])
    wait_for(lambda: s.state()["job"]["done"] > 1)
    s.post("discard")
    check("discard", wait_for(lambda: s.job(number)["state"] == "none"))
    check("  leaves nothing", wait_for(lambda: not [n for n in os.listdir(s.folder) if "%04d" % number in n]),
          os.listdir(s.folder))


def killed(folder):
    """Killed in the middle: the next studio goes on to the same bytes; so after Ctrl-C."""
    s = Studio(folder, "-n", "600", "--scales", "1", "-q", *TINY)
    for path, kind in ((PHOTO, "photo"), (STYLE, "style")):
        s.post(kind, read(path))
    s.set(size=300)
    chosen = s.state()["choice"]
    number = int(s.post("paint")[1])
    check("a checkpoint is written", wait_for(lambda: os.path.exists(os.path.join(folder, ".studio",
            "checkpoint-%04d" % number))),
          os.listdir(os.path.join(folder, ".studio")))
    at = s.state()["job"]["done"]
    s.process.send_signal(signal.SIGKILL)
    s.process.wait()
    s.end()
    s = Studio(folder, "-n", "600", "--scales", "1", "-q", *TINY)
    check("killed: the choice is as it was", s.state()["choice"] == chosen, (s.state()["choice"], chosen))
    check("  and the painting goes on", wait_for(lambda: s.state()["job"]["number"] == number and s.state()["job"][
            "done"] > 5),
          s.state()["job"])
    wait_for(lambda: s.state()["job"]["done"] > at)
    s.process.send_signal(signal.SIGINT)
    check("Ctrl-C ends it", s.process.wait(60) == -signal.SIGINT, s.process.returncode)
    s.end()
    s = Studio(folder, "-n", "600", "--scales", "1", "-q", *TINY)
    check("after that it goes on, too", s.finish(number) == "done", s.job(number))
    same_by_command(s, number, "killed and interrupted")
    check("  no checkpoint is left", not os.path.exists(os.path.join(folder, ".studio", "checkpoint-%04d" % number)))
    other = subprocess.run([NST, "studio", "--no-browser", "--folder", folder], capture_output=True, text=True)
    check("a second studio of the folder says that there is one", other.returncode == 0
            and "open already" in other.stdout,
          other)
    for name, status, photo in ((PHOTO, 0, 1), (NST, 1, 1), ("/nowhere.jpg", 1, 1)):
        other = subprocess.run([NST, "studio", "--no-browser", "--folder", folder, name], capture_output=True,
                text=True)
        check("a photograph for it, %s" % os.path.basename(name), other.returncode == status and
              other.stderr.count("\n") == status and s.state()["choice"]["photo"] == photo, other)
    check("close", s.post("quit")[0] == 200 and s.process.wait(30) == 0, s.process.returncode)
    check("  studio.html is gone", not os.path.exists(os.path.join(folder, "studio.html")))
    s.end()

    # A browser is opened by a file of the user's own, so that no other user reads the address; what is missing is
    # left out.
    os.remove(os.path.join(folder, "sources", "style-0003.jpg"))
    with open(os.path.join(folder, ".studio", "choice")) as f:
        check("the choice named a style that is gone", "style 3" in f.read())
    bin_folder = os.path.join(FOLDER, "bin")
    os.makedirs(bin_folder)
    with open(os.path.join(bin_folder, "xdg-open"), "w") as f:
        f.write("#!/bin/sh\necho \"$1\" >'%s/opened.new'; cat \"$1\" >>'%s/opened.new'; "
                "mv '%s/opened.new' '%s/opened'\n" %
                ((FOLDER,) * 4))
    os.chmod(os.path.join(bin_folder, "xdg-open"), 0o755)
    run = subprocess.Popen([NST, "studio", "--folder", folder, "--port", str(free_port()), "-q", *TINY], text=True,
                           stdout=subprocess.PIPE, env=dict(os.environ, PATH=bin_folder + ":" + os.environ["PATH"]))
    url = run.stdout.readline().split()[-1]
    opened = wait_for(lambda: os.path.exists(os.path.join(FOLDER, "opened")) and
                      read(os.path.join(FOLDER, "opened")).decode(), 30) or ""
    check("xdg-open gets studio.html", opened.startswith(os.path.join(folder, "studio.html")) and url in opened, opened)
    check("  which only the user reads", os.stat(os.path.join(folder, "studio.html")).st_mode & 0o777 == 0o600)
    run.send_signal(signal.SIGINT)
    run.wait(60)
    run.stdout.close()


first = Studio(os.path.join(FOLDER, "studio"), "-n", "8", "--scales", "1", "-q", *TINY)
try:
    by_sockets(first)
    what_is_painted(first)
    runs_one_after_another(first)
finally:
    first.end()
slow = Studio(os.path.join(FOLDER, "slow"), "-n", "100000", "--scales", "1", "-q", *TINY)
try:
    slow.post("photo", read(PHOTO))
    slow.post("style", read(STYLE))
    pauses(slow)
finally:
    slow.end()
killed(os.path.join(FOLDER, "killed"))
sys.exit(bool(broken))
