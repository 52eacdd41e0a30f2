"""A real browser for tests of pages: headless Chromium, driven through its driver.

What is looked at is what a reader would meet: messages on the console, requests that leave the page, elements without a
size, and those that stick out of a narrow screen. Needs Chromium, its driver and selenium; `launch` says which is
missing.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_DRIVER = "chromedriver"
# The sandbox cannot be had by root in a container, and the pages are our own. The others keep the browser from talking
# to anybody by itself, which would be noise among the requests of a page.
_OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_OWN_SCHEMES = ("file:", "data:", "blob:", "about:", "chrome:")
_SECONDS = 60

# Whatever reaches beyond the given width, unless it lies in something that scrolls or cuts by itself.
_STICKING_OUT = """
const width = arguments[0];
const contained = element => {
  for (let box = element.parentElement; box && box !== document.body; box = box.parentElement)
    if (getComputedStyle(box).overflowX !== 'visible' && box.getBoundingClientRect().right <= width + 0.5) return true;
  return false;
};
const found = [];
for (const element of document.body.querySelectorAll('*')) {
  if (element.ownerSVGElement || !element.getClientRects().length) continue;
  const right = element.getBoundingClientRect().right;
  if (right > width + 0.5 && !contained(element))
    found.push(`${element.tagName.toLowerCase()}${element.id ? '#' + element.id : ''} ends at ${Math.round(right)}`);
}
return found;
"""


class BrowserMissingError(Exception):
    """No browser can be driven here; the text says what is missing, for a test to skip with."""


class Browser:
    """A browser with one page.

    Parameters
    ----------
    driver : Chrome
    """

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver
        self._width: int | None = None
        self._marks = 0

    def open(self, page: Path) -> None:
        """Open a page from disk, and forget what was logged before."""
        self.messages()
        self.requests()
        self.driver.get(page.resolve().as_uri())

    def run(self, script: str, *arguments: Any) -> Any:
        """Run JavaScript in the page; what it returns."""
        return self.driver.execute_script(script, *arguments)

    def messages(self) -> list[str]:
        """Warnings and errors on the console since the last call, errors that nobody caught among them."""
        entries = self._logged()
        return [str(entry["message"]) for entry in entries if entry["level"] in ("WARNING", "SEVERE")]

    def requests(self) -> list[str]:
        """Addresses beyond the page's own file that it asked for since the last call."""
        entries: list[dict[str, Any]] = self.driver.get_log("performance")  # type: ignore[no-untyped-call]
        events = [json.loads(entry["message"])["message"] for entry in entries]
        asked = [one["params"]["request"]["url"] for one in events if one["method"] == "Network.requestWillBeSent"]
        return [address for address in asked if not address.startswith(_OWN_SCHEMES)]

    def resize(self, width: int, height: int, phone: bool = False) -> None:
        """Give the page a screen of so many CSS pixels; that of a phone heeds the page's viewport element."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone}
        self._send("Emulation.setDeviceMetricsOverride", size)
        self._width = width

    def media(self, scheme: str = "light", kind: str = "screen") -> None:
        """Show the page to readers who prefer a ``light`` or ``dark`` scheme, on a ``screen`` or in ``print``."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._send("Emulation.setEmulatedMedia", {"media": kind, "features": features})

    def sticking_out(self) -> list[str]:
        """Name what makes the page scroll sideways: elements beyond the screen that nothing around them contains."""
        width = self._width or int(self.run("return document.documentElement.clientWidth"))
        found: list[str] = self.run(_STICKING_OUT, width)
        whole = int(self.run("return document.documentElement.scrollWidth"))
        if whole > width and not found:
            found = [f"page is {whole} wide"]
        return found

    def boxes(self, selector: str) -> list[tuple[float, float]]:
        """Width and height in CSS pixels of what a selector finds, in the order of the page."""
        script = (
            "return [...document.querySelectorAll(arguments[0])].map(one => one.getBoundingClientRect())"
            ".map(box => [box.width, box.height])"
        )
        return [(float(width), float(height)) for width, height in self.run(script, selector)]

    def press(self, selector: str, key: str) -> None:
        """Focus an element and press a key, as a reader without a mouse does."""
        element = self.driver.find_element("css selector", selector)
        self.run("arguments[0].focus()", element)
        self.driver.switch_to.active_element.send_keys(key)

    def picture(self, file: Path) -> None:
        """Take a picture of the whole page, PNG."""
        height = int(self.run("return document.documentElement.scrollHeight"))
        width = self._width or int(self.run("return document.documentElement.clientWidth"))
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        answer = self._send("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
        file.write_bytes(base64.b64decode(answer["data"]))

    def print_to(self, file: Path) -> None:
        """Print the page to PDF, A4."""
        paper = {"paperWidth": 8.27, "paperHeight": 11.69, "printBackground": True}
        file.write_bytes(base64.b64decode(self._send("Page.printToPDF", paper)["data"]))

    def _logged(self) -> list[dict[str, Any]]:
        """Entries of the console's log until now: it lags behind the page, so one of our own marks its end."""
        self._marks += 1
        mark = f"mark {self._marks} of the test"
        self.run("console.info(arguments[0])", mark)
        found: list[dict[str, Any]] = []
        end = time.monotonic() + _SECONDS
        while time.monotonic() < end:
            found += self.driver.get_log("browser")  # type: ignore[no-untyped-call]
            if any(mark in entry["message"] for entry in found):
                return found
            time.sleep(0.01)
        raise TimeoutError(f"the console shows nothing of the page for {_SECONDS} s")

    def _send(self, command: str, parameters: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self.driver.execute_cdp_cmd(command, parameters)
        return answer


@contextmanager
def launch(profile: Path) -> Iterator[Browser]:
    """Start a browser, and end it with all of its processes.

    Parameters
    ----------
    profile : Path
        An empty folder for what the browser keeps, so that it begins like new.

    Yields
    ------
    Browser

    Raises
    ------
    BrowserMissingError
        If Chromium, its driver or selenium is not here, or the driver is for another version.
    """
    try:
        from selenium.common.exceptions import WebDriverException
        from selenium.webdriver import Chrome, ChromeOptions
        from selenium.webdriver.chrome.service import Service
    except ImportError:
        raise BrowserMissingError("selenium is not installed: make develop") from None
    program = next(filter(None, map(shutil.which, _BROWSERS)), None)
    driver_program = shutil.which(_DRIVER)
    if program is None or driver_program is None:
        missing = "Chromium" if program is None else _DRIVER
        raise BrowserMissingError(f"{missing} is not installed: make browser")
    options = ChromeOptions()
    options.binary_location = program
    for option in (*_OPTIONS, f"--user-data-dir={profile}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    try:
        # The path is given, so selenium looks for no driver on the network.
        driver = Chrome(options=options, service=Service(driver_program, log_output=subprocess.DEVNULL))
    except WebDriverException as error:
        first = str(error).partition("\n")[0]
        raise BrowserMissingError(f"{program} does not start under {driver_program}: {first}") from error
    try:
        driver.set_page_load_timeout(_SECONDS)
        yield Browser(driver)
    finally:
        driver.quit()
