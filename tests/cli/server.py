#!/usr/bin/env python3
"""server.py FILE: an HTTP server on loopback that gives FILE in good ways and bad; prints its port.  For fetch.sh.

Each path is a behaviour, named by its first part; the last part is free, so that it can look like a file's name.
A line a request goes to standard error: path, range asked for, If-Range.
"""
import http.server
import sys
import time

DATA = open(sys.argv[1], "rb").read()
broken = {}  # path: how often it was asked for


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def head(self, status, length=None, **fields):
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for k, v in fields.items():
            self.send_header(k.replace("_", "-"), v)
        self.end_headers()

    def drop(self):
        self.wfile.flush()
        self.close_connection = True
        self.connection.close()

    def first(self):
        """Where the answer begins: 0 or what is asked for, if it is still the same file."""
        r, same = self.headers.get("Range"), self.headers.get("If-Range")
        return int(r[6:-1]) if r and same in (None, '"one"') else 0

    def good(self, data=DATA, until=None, tag='"one"', ranges=True):
        at = self.first() if ranges else 0
        if at > 0 and at >= len(data):
            return self.head(416, 0, Content_Range="bytes */%d" % len(data))
        fields = {"ETag": tag} if tag else {}
        if at:
            fields["Content_Range"] = "bytes %d-%d/%d" % (at, len(data) - 1, len(data))
        self.head(206 if at else 200, len(data) - at, **fields)
        self.wfile.write(data[at:until])
        if until is not None:
            self.drop()

    def do_GET(self):
        what = self.path.split("/")[1]
        n = broken[self.path] = broken.get(self.path, 0) + 1
        print(self.path, self.headers.get("Range"), self.headers.get("If-Range"), file=sys.stderr, flush=True)
        half = len(DATA) // 2
        try:
            getattr(self, what, self.missing)(n, half)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def missing(self, n, half):
        self.head(404, 9)
        self.wfile.write(b"not here\n")

    def plain(self, n, half):
        self.good()

    def drops(self, n, half):          # midway, the first two times
        self.good(until=(half, half + 400)[n - 1] if n < 3 else None)

    def dies(self, n, half):           # midway, and is gone the second time; then it is back
        if n == 2:
            return self.drop()
        self.good(until=half if n == 1 else None)

    def refuses(self, n, half):        # ranges: it sends the whole file again
        self.good(until=half if n == 1 else None, ranges=False)

    def changes(self, n, half):        # the file between two requests
        if n == 1:
            self.good(bytes(len(DATA)), until=half, tag='"zero"')
        elif n == 2:
            self.drop()
        else:
            self.good()

    def elsewhere(self, n, half):      # a range that was not asked for
        if n == 1:
            self.good(until=half)
        else:
            self.head(206, 10, Content_Range="bytes 0-9/%d" % len(DATA))
            self.wfile.write(DATA[:10])

    def shrinks(self, n, half):        # says after half of it that the whole has one byte
        if n == 1:
            self.good(until=half)
        else:
            at = self.first()
            self.head(206, 10, Content_Range="bytes %d-%d/1" % (at, at + 9))
            self.wfile.write(DATA[:10])

    def short(self, n, half):          # says it is longer than it is
        at = self.first()
        self.head(206 if at else 200, len(DATA) - at, ETag='"one"',
                  **({"Content_Range": "bytes %d-%d/%d" % (at, len(DATA) - 1, len(DATA))} if at else {}))
        self.wfile.write(DATA[at:half])
        self.drop()

    def long(self, n, half):           # says it is shorter than it is
        self.head(200, half)
        self.wfile.write(DATA)

    def untold(self, n, half):         # says nothing of its length
        self.head(200, Connection="close")
        self.wfile.write(DATA)
        self.drop()

    def cut(self, n, half):            # nothing of its length, and breaks off
        self.head(200, Connection="close")
        self.wfile.write(DATA[:half])
        self.drop()

    def huge(self, n, half):
        self.head(200, 1 << 40)
        self.wfile.write(DATA)
        self.drop()

    def endless(self, n, half):
        self.head(200, Connection="close")
        while True:
            self.wfile.write(bytes(1 << 16))

    def trickle(self, n, half):
        self.head(200, len(DATA))
        for i in range(1000):
            self.wfile.write(DATA[i:i + 1])
            time.sleep(.2)

    def silent(self, n, half):
        time.sleep(30)

    def circle(self, n, half):
        self.head(302, 0, Location=self.path)

    def moved(self, n, half):
        self.head(302, 0, Location="/plain/it")

    def away(self, n, half):
        self.head(302, 0, Location="file:///etc/passwd")

    def page(self, n, half):
        self.head(200, 30, Content_Type="text/html; charset=utf-8")
        self.wfile.write(b"<!DOCTYPE html><p>Please pay.\n")

    def disguised(self, n, half):      # a page that says it is a file
        self.head(200, 30, Content_Type="application/octet-stream")
        self.wfile.write(b"<!DOCTYPE html><p>Please pay.\n")

    def noise(self, n, half):
        self.good(bytes((i * 37 + i // 256) % 256 for i in range(5000)))

    def nothing(self, n, half):
        self.head(200, 0)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
