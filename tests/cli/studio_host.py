#!/usr/bin/env python3
"""studio_host.py: `nst studio --host`: other machines are asked for the password that is printed.  studio.sh calls it;
"ok" and "not ok" lines.

studio_host.py NST SAMPLES FOLDER: as studio.py.
"""
import base64
import http.client
import os
import re
import socket
import subprocess
import sys

from page_tests import FOLDER, NST, TINY, broken, check, free_port, request, wait_for
from studio_run import PHOTO, STYLE, read


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode((user + ":" + password).encode()).decode()}


class Served:
    """A studio for other machines; this one reaches it by 127.0.0.1, where it is asked, too."""

    def __init__(self, host):
        self.port, self.folder = free_port(), os.path.join(FOLDER, "host")
        self.process = subprocess.Popen([NST, "studio", "--no-browser", "--folder", self.folder, "--port",
                                         str(self.port), "--host", host, "-q"] + TINY, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().split()[-1]

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()

    def ask(self, method, path, headers=None, body=None):
        return request(self.port, method, path, body, headers)


def for_others():
    s = Served("0.0.0.0")
    try:
        password = s.process.stdout.readline().split()[-1]
        check("the address is said without the token", s.address == "http://0.0.0.0:%d/" % s.port, s.address)
        check("a password of 128 bits is printed", re.fullmatch("[0-9a-f]{32}", password), password)
        page = os.path.join(s.folder, "studio.html")
        text = wait_for(lambda: read(page).decode())
        token = re.search(r"/([0-9a-f]{32})/\"", text).group(1)
        check("it is another one than the token, and in the user's own page", token != password and password in text and
              os.stat(page).st_mode & 0o777 == 0o600, text)
        right = basic("anyone", password)
        for path in ("/", "/%s/" % token, "/%s/state" % token):
            c = http.client.HTTPConnection("127.0.0.1", s.port)
            c.request("GET", path)
            r = c.getresponse()
            body = r.read()
            c.close()
            check("%s without a password" % path[:2], r.status == 401 and token.encode() not in body and
                  r.getheader("WWW-Authenticate", "").startswith("Basic ") and not r.getheader("Location"), r.status)
        wrong = {"a wrong one": basic("nst", "0" * 32), "its first half": basic("nst", password[:16]),
                 "more than it": basic("nst", password + "0"), "nothing": basic("nst", ""),
                 "the token": basic("nst", token), "no colon": {"Authorization": "Basic " + base64.b64encode(
                     password.encode()).decode()}, "no base64": {"Authorization": "Basic nst:" + password},
                 "capitals": basic("nst", password.upper() if password != password.upper() else "x"),
                 "another scheme": {"Authorization": "Bearer " + password}, "a long one": basic("nst", "a" * 5000),
                 "as bytes of 0": basic("nst", "\0" * 32), "an empty header": {"Authorization": ""},
                 "padding": {"Authorization": "Basic ===="}}
        for name, headers in wrong.items():
            for method, path in (("GET", "/"), ("GET", "/%s/state" % token), ("POST", "/%s/paint" % token)):
                check("password: %s, %s" % (name, method), s.ask(method, path, headers)[0] == 401)
        before = len(os.listdir(os.path.join(s.folder, "sources")))
        check("an upload without it is refused", s.ask("POST", "/%s/style" % token, body=read(STYLE))[0] == 401 and
              len(os.listdir(os.path.join(s.folder, "sources"))) == before)
        with socket.create_connection(("127.0.0.1", s.port)) as raw:
            raw.sendall(("GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: %s\r\n\r\n" %
                         (s.port, right["Authorization"])).encode())
            answer = raw.recv(2000).decode()
        check("with it one is sent to the page", " 302 " in answer and "Location: /%s/\r\n" % token in answer, answer)
        check("the page and the state", s.ask("GET", "/%s/" % token, right)[0] == 200 and
              s.ask("GET", "/%s/state" % token, right)[0] == 200)
        check("a wrong token stays wrong", s.ask("GET", "/%s/state" % ("0" * 32), right)[0] == 403)
        check("a foreign Origin is refused with it, too", s.ask("GET", "/%s/state" % token, dict(
            right, Origin="http://evil.example"))[0] == 403)
        check("uploads come in", s.ask("POST", "/%s/style" % token, right, read(STYLE))[0] == 200)
        other = subprocess.run([NST, "studio", "--no-browser", "--folder", s.folder, PHOTO], capture_output=True,
                               text=True)
        check("a second studio's photograph gets in", other.returncode == 0 and
              b'"photo":1' in s.ask("GET", "/%s/state" % token, right)[1], other)
    finally:
        s.end()


def for_this_machine():
    for host in ("127.0.0.1", "localhost", "127.0.0.2"):
        s = Served(host)
        try:
            check("%s: this machine is asked for nothing" % host, request(
                int(s.address.split(":")[2].split("/")[0]), "GET", "/x", None, {})[0] == 403 if host != "127.0.0.2" else
                  re.search("/[0-9a-f]{32}/$", s.address), s.address)
        finally:
            s.end()
    run = subprocess.run([NST, "studio", "--no-browser", "--folder", os.path.join(FOLDER, "host"), "--host",
                          "192.0.2.1"], capture_output=True, text=True)
    check("an address of another machine is one sentence", run.returncode == 1 and run.stderr.count("\n") == 1, run)


for_others()
for_this_machine()
sys.exit(bool(broken))
