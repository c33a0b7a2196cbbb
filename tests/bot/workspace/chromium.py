"""A browser to look at the page with, driven over its DevTools protocol."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from websocket import WebSocket, create_connection

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")

_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync "
    "--remote-debugging-port=0 --remote-allow-origins=*"
).split()
_KEYS = {"Enter": 13, "Escape": 27, "Tab": 9}


class Chromium:
    """One tab. What went wrong in it is in `complaints`."""

    def __init__(self, profile: Path, address: str, patience: float = 60.0) -> None:
        """Start a browser with a profile of its own, and open an address.

        Args:
            profile: An empty folder.
            address: What to open.
            patience: How long to wait for what should come, in seconds.
        """
        assert PROGRAM is not None
        self.complaints: list[str] = []
        self._number = 0
        self._patience = patience
        self._process = subprocess.Popen(
            [PROGRAM, *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._socket = self._attach(profile)
        for domain in ("Page", "Runtime", "Log"):
            self._command(f"{domain}.enable")
        self.resize(1280, 800)
        self._command("Page.navigate", url=address)

    def close(self) -> None:
        """End the browser."""
        self._socket.close()
        self._process.terminate()
        self._process.wait(10)

    def evaluate(self, expression: str) -> Any:
        """Return what an expression gives on the page."""
        answer = self._command("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, expression: str, seconds: float | None = None) -> Any:
        """Wait until an expression is true, and return what it gives."""
        end = time.monotonic() + (self._patience if seconds is None else seconds)
        while not (found := self.evaluate(expression)):
            assert time.monotonic() < end, f"in vain: {expression}; {self.complaints}"
            time.sleep(0.03)
        return found

    def text(self, selector: str) -> str:
        """Wait for an element and return the text in it."""
        found = f"document.querySelector({json.dumps(selector)})"
        self.wait(f"!!{found}")
        return str(self.evaluate(f"{found}.innerText"))

    def click(self, selector: str) -> None:
        """Wait for an element and click on its middle."""
        self.hold(f"document.querySelector({json.dumps(selector)})")()

    def hold(self, found: str) -> Callable[[], None]:
        """Wait for the element that an expression gives, and press on its middle.

        Returns:
            What lets go again.
        """
        x, y = self.wait(
            f"""(() => {{
                const node = {found};
                if (!node?.getClientRects().length) return null;
                node.scrollIntoView({{block: "nearest"}});
                const box = node.getBoundingClientRect();
                return [box.x + box.width / 2, box.y + box.height / 2];
            }})()"""
        )

        def mouse(kind: str, button: str, buttons: int) -> None:
            place = {"x": x, "y": y, "button": button, "buttons": buttons, "clickCount": 1}
            self._command("Input.dispatchMouseEvent", type=kind, **place)

        mouse("mouseMoved", "none", 0)
        mouse("mousePressed", "left", 1)
        return lambda: mouse("mouseReleased", "left", 0)

    def hover(self, selector: str) -> None:
        """Wait for an element and move the mouse over it."""
        x, y = self.wait(
            f"""(() => {{
                const box = document.querySelector({json.dumps(selector)})?.getBoundingClientRect();
                return box && [box.x + box.width / 2, box.y + Math.min(box.height / 2, 12)];
            }})()"""
        )
        self._command("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def resize(self, width: int, height: int) -> None:
        """Make the window so large, in pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._command("Emulation.setDeviceMetricsOverride", **size)

    def write(self, text: str) -> None:
        """Type text where the focus is."""
        self._command("Input.insertText", text=text)

    def press(self, key: str) -> None:
        """Press Enter, Escape or Tab."""
        for kind in ("keyDown", "keyUp"):
            more = {"text": "\r"} if (kind, key) == ("keyDown", "Enter") else {}
            self._command(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=_KEYS[key],
                **more,
            )

    def photograph(self, path: Path, selector: str = "") -> None:
        """Save what is to be seen as a PNG: all of it, or one element."""
        clip = {}
        if selector:
            x, y, width, height = self.wait(
                f"""(() => {{
                    const box = document.querySelector({json.dumps(selector)})
                        ?.getBoundingClientRect();
                    return box && [box.x, box.y, box.width, box.height];
                }})()"""
            )
            clip = {"clip": {"x": x, "y": y, "width": width, "height": height, "scale": 1}}
        taken = self._command("Page.captureScreenshot", format="png", **clip)
        path.write_bytes(base64.b64decode(taken["data"]))

    def _attach(self, profile: Path) -> WebSocket:
        end = time.monotonic() + self._patience
        port_file = profile / "DevToolsActivePort"
        while True:
            assert time.monotonic() < end, "the browser did not start"
            if port_file.is_file() and (lines := port_file.read_text().splitlines()):
                with urlopen(f"http://127.0.0.1:{lines[0]}/json") as answer:
                    pages = [tab for tab in json.load(answer) if tab["type"] == "page"]
                if pages:
                    return create_connection(pages[0]["webSocketDebuggerUrl"], timeout=120)
            time.sleep(0.05)

    def _command(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        command = {"id": self._number, "method": method, "params": parameters}
        self._socket.send(json.dumps(command))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == self._number:
                assert "error" not in message, message
                return message["result"]
            if message.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
                self.complaints.append(json.dumps(message["params"])[:500])
