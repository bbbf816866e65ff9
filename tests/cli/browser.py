"""browser.py: a headless Chromium for tests of pages, by its debugging pipe."""
import json
import os
import subprocess


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
