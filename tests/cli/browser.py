"""browser.py: a headless Chromium for tests of pages, by its debugging pipe."""
import base64
import json
import os
import subprocess
import time


class Browser:
    """Chromium by its debugging pipe: messages end with a zero byte."""

    def __init__(self, program, folder, size="1180,800"):
        mine, theirs = os.pipe()
        back, out = os.pipe()

        def place():
            a, b = os.dup(mine), os.dup(out)
            os.dup2(a, 3)
            os.dup2(b, 4)
        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--window-size=" + size,
             "--hide-scrollbars",
             "--user-data-dir=" + folder, "--remote-debugging-pipe", "about:blank"],
            preexec_fn=place, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(mine)
        os.close(out)
        self.to, self.back, self.rest, self.number, self.events = theirs, back, b"", 0, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = None
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    session = None

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self.rest:
                more = os.read(self.back, 65536)
                if not more:
                    raise OSError("the browser is gone")
                self.rest += more
            one, self.rest = self.rest.split(b"\0", 1)
            answer = json.loads(one)
            if answer.get("id") == self.number:
                return answer.get("result", {})
            self.events.append(answer)

    def script(self, text):
        return self.call("Runtime.evaluate", expression=text, awaitPromise=True).get("result", {}).get("value")

    def close(self):
        self.process.kill()
        self.process.wait()


class Page(Browser):
    """A page, its size, what is pressed and dropped there."""

    def begin(self, url):
        for domain in ("Network", "Page", "Runtime", "Log", "DOM"):
            self.call(domain + ".enable")
        self.call("Page.navigate", url=url)

    def size(self, w, h):
        self.call("Emulation.setDeviceMetricsOverride", width=w, height=h, deviceScaleFactor=1, mobile=w < 600)

    def dark(self, on):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme",
                "value": "dark" if on else "light"}])

    def box(self, selector):
        return json.loads(self.script("(() => { const b = document.querySelector('%s').getBoundingClientRect();"
                                      "return JSON.stringify([b.x, b.y, b.width, b.height]); })()" % selector))

    def click(self, selector):
        self.script("document.querySelector('%s').scrollIntoView({block: 'center'})" % selector)
        x, y, w, h = self.box(selector)
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x + w / 2, y=y + h / 2, button="left", clickCount=1)

    def drop(self, path, x, y):
        data = {"items": [], "files": [path], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.call("Input.dispatchDragEvent", type=kind, x=x, y=y, data=data)
            time.sleep(.1)

    def drag(self, points):
        for i, (x, y) in enumerate(points):
            kind = "mousePressed" if i == 0 else "mouseMoved"
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)
        self.call("Input.dispatchMouseEvent", type="mouseReleased", x=points[-1][0], y=points[-1][1], button="left",
                  clickCount=1)

    def shot(self, path, quality=92):
        """What is seen, as a JPEG, once it rests."""
        time.sleep(.7)
        data = self.call("Page.captureScreenshot", format="jpeg", quality=quality)["data"]
        with open(path, "wb") as f:
            f.write(base64.b64decode(data))

    def held(self):
        """The requests that wait, after Fetch.enable, for Fetch.continueRequest."""
        return [e["params"]["requestId"] for e in self.events if e.get("method") == "Fetch.requestPaused"]

    def key(self, key, code=0, modifiers=0, text=""):
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code, modifiers=modifiers,
                text=text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code, modifiers=modifiers)

    def seen(self, selector):
        return self.script(
                "(() => { const e = document.querySelector('%s'); "
                "return !!e && e.offsetParent !== null; })()" % selector)
