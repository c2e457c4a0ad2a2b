"""A headless Chromium, driven over the DevTools protocol (https://chromedevtools.github.io/devtools-protocol/)."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

TIMEOUT_S = 30.0
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
KEYS = {
    "ArrowLeft": 37,
    "ArrowRight": 39,
    "Home": 36,
    "End": 35,
    " ": 32,
    "z": 90,
    "Escape": 27,
    "Delete": 46,
}
CTRL, SHIFT = 2, 8


def find_browser() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """A browser with an empty profile; it ends with the block."""
    binary = find_browser()
    assert binary
    flags = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--mute-audio",
        "--disable-dev-shm-usage",
    ]
    command = [binary, *flags, "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with connect(_endpoint(profile), max_size=None) as socket:
            browser = Browser(socket)
            yield browser
            browser.call("Browser.close")
        process.wait(TIMEOUT_S)
    finally:
        process.kill()
        process.wait()


def _endpoint(profile: Path) -> str:
    """The address that Chromium writes to its profile when it is ready."""
    file = profile / "DevToolsActivePort"
    deadline = time.monotonic() + TIMEOUT_S
    while not file.is_file() or len(lines := file.read_text().split()) < 2:
        assert time.monotonic() < deadline, "Chromium does not start"
        time.sleep(0.05)
    return f"ws://127.0.0.1:{lines[0]}{lines[1]}"


class Browser:
    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._count = 0
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Sends a command and waits for its answer."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": params}
        self._socket.send(json.dumps(message | ({"sessionId": session} if session else {})))
        while True:
            answer = json.loads(self._socket.recv(TIMEOUT_S))
            if answer.get("id") == self._count:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self.events.append(answer)

    def open(self, url: str, *, width: int = 1200, height: int = 900, scale: float = 1) -> Page:
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session, target)
        page.call("Page.enable")
        page.call("Runtime.enable")
        page.call("Log.enable")
        page.resize(width, height, scale)
        self.events.clear()
        page.call("Page.navigate", url=url)
        page.wait_for("document.readyState === 'complete'")
        return page


class Page:
    """One tab. Its methods do what a person with a mouse and a keyboard does."""

    def __init__(self, browser: Browser, session: str, target: str) -> None:
        self._browser, self._session, self._target = browser, session, target

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        return self._browser.call(method, self._session, **params)

    def close(self) -> None:
        self._browser.call("Target.closeTarget", targetId=self._target)

    def resize(self, width: int, height: int, scale: float = 1) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=False,
        )

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, a promise's when it is there."""
        result = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=True
        )
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def wait_for(self, condition: str) -> None:
        deadline = time.monotonic() + TIMEOUT_S
        while not self.evaluate(condition):
            assert time.monotonic() < deadline, f"still not so: {condition}"
            time.sleep(0.02)

    def settle(self) -> None:
        """Waits until what was asked for is drawn."""
        self.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def mouse(self, kind: str, x: float, y: float, modifiers: int = 0) -> None:
        button = "none" if kind == "mouseMoved" else "left"
        self.call(
            "Input.dispatchMouseEvent", type=kind, x=x, y=y, button=button, clickCount=1, modifiers=modifiers
        )

    def click(self, selector: str) -> None:
        """In the middle of an element, wherever on the page it is."""
        find = f"document.querySelector({json.dumps(selector)})"
        self.evaluate(f"{find}.scrollIntoView({{block: 'center'}})")
        at = self.evaluate(
            f"(() => {{ const r = {find}.getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        self.click_at(*at)

    def click_at(self, x: float, y: float, modifiers: int = 0) -> None:
        self.mouse("mousePressed", x, y, modifiers)
        self.mouse("mouseReleased", x, y, modifiers)
        self.settle()

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        self.mouse("mouseMoved", *start)
        self.mouse("mousePressed", *start)
        for share in (0.5, 1.0):
            x, y = (a + share * (b - a) for a, b in zip(start, end, strict=True))
            self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y, button="left", buttons=1)
        self.mouse("mouseReleased", *end)
        self.settle()

    def press(self, key: str, modifiers: int = 0) -> None:
        common = {"key": key, "windowsVirtualKeyCode": KEYS[key], "modifiers": modifiers}
        self.call("Input.dispatchKeyEvent", type="rawKeyDown", **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)
        self.settle()

    def choose(self, selector: str, value: str | float) -> None:
        """Sets a select or an input, as choosing or typing does."""
        self.evaluate(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.value = {json.dumps(value)};"
            " for (const kind of ['input', 'change']) e.dispatchEvent(new Event(kind, {bubbles: true})); })()"
        )
        self.settle()

    def text(self, selector: str) -> str:
        return self.evaluate(f"document.querySelector({json.dumps(selector)}).textContent")

    def screenshot(self, path: Path, *, full: bool = False) -> None:
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=full)
        path.write_bytes(base64.b64decode(shot["data"]))

    def problems(self) -> list[str]:
        """What the browser complained of since the page was opened: exceptions, refused or missing resources."""
        return [json.dumps(event["params"]) for event in self._browser.events if _is_problem(event)]

    def forget_problems(self) -> None:
        self._browser.events.clear()


def _is_problem(event: dict[str, Any]) -> bool:
    if event["method"] == "Log.entryAdded":
        return event["params"]["entry"]["level"] == "error"
    return event["method"] == "Runtime.exceptionThrown"
