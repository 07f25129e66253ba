"""A browser in which a test does what a person would: headless Chromium, from Debian's packages.

Airflow draws its pages with React: an element may be replaced between looking and clicking, so
each act is repeated until it succeeds. Elements are found by what a person, or a screen reader,
reads.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from localaws.processes import free_port
from onebox.rest import wait_until

_PAGE_S = 240.0  # a page may come slowly from a busy machine
_LOAD_S = 110.0  # selenium itself waits for 120 s, and then breaks off without a word
_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",  # tests may run as root, and open nothing but this machine's own pages
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--no-proxy-server",
    "--lang=en-US",
)
# The browser itself knows what can be seen and read: WebDriver's own calls find it out anew for
# each element, and on a page of Airflow's that takes a processor for seconds.
_SHOWN = """
    return [...document.querySelectorAll(arguments[0])]
        .filter(e => e.checkVisibility({visibilityProperty: true}) && e.getClientRects().length)
        .map(e => [e, e.innerText ?? e.textContent])
"""


# A page that tells times of today without their day would say something else tomorrow.
_CLOCK = """
    const begun = Date.now();
    Date = class extends Date {
        constructor(...given) { given.length ? super(...given) : super(Date.now()); }
        static now() { return %d + super.now() - begun; }
    };
"""


class Browser:
    """One window.

    :param url: what paths are appended to
    :param pictures: where :meth:`picture` puts its files
    """

    def __init__(self, driver: Chrome, url: str, pictures: Path) -> None:
        self.driver, self.url, self._pictures = driver, url.rstrip("/"), pictures

    def open(self, path: str) -> None:
        """Go to a page of the site."""
        self.driver.get(self.url + path)

    def leave(self) -> None:
        """Go where nothing is drawn and nobody asked. A page of Airflow's that merely stands open
        takes a quarter of a processor, and its API server's time besides."""
        self.driver.get("about:blank")

    @property
    def text(self) -> str:
        """All that can be read on the page now."""
        return _as_read(self.driver.execute_script("return document.body?.innerText"))

    def read(self, *wanted: str) -> str:
        """Wait until all of `wanted` can be read on the page, and return its text.

        :raises NotInTime: some did not come
        """
        said = ""

        def there() -> bool:
            nonlocal said
            said = self.text
            return all(words in said for words in wanted)

        self._until(there, f"{wanted} on {self.driver.title}")
        return said

    def find(self, css: str, text: str | None = None, nth: int = 0) -> WebElement:
        """Wait for the `nth` visible element of a selector, with a text that matches `text`.

        :param text: a regular expression, of which a part of the element's text must be one
        """
        found: list[WebElement] = []

        def there() -> bool:
            found[:] = [
                element
                for element, said in self.driver.execute_script(_SHOWN, css)
                if text is None or re.search(text, _as_read(said))
            ]
            return len(found) > nth

        self._until(there, f"{css} {text or ''}")
        return found[nth]

    def click(self, css: str, text: str | None = None, nth: int = 0) -> None:
        """Click an element as soon as there is one that can be clicked."""

        def clicked() -> bool:
            self.find(css, text, nth).click()
            return True

        self._until(clicked, f"click on {css} {text or ''}")

    def type(self, css: str, keys: str, text: str | None = None) -> None:
        """Type into a field, in the place of what it held."""

        def typed() -> bool:
            field = self.find(css, text)
            field.clear()
            field.send_keys(keys)
            return True

        self._until(typed, f"{css} to type into")

    def enter(self, css: str) -> None:
        """Go on inside a frame, as soon as it is there; what is found is then found in it."""

        def entered() -> bool:
            self.driver.switch_to.default_content()
            self.driver.switch_to.frame(self.find(css))
            return True

        self._until(entered, f"frame {css}")

    def gone(self, css: str) -> None:
        """Wait until nothing that can be seen fits a selector."""

        def nothing() -> bool:
            found = self.driver.find_elements(By.CSS_SELECTOR, css)
            return not any(element.is_displayed() for element in found)

        self._until(nothing, f"end of {css}")

    def picture(self, name: str) -> Path:
        """Keep what the window shows."""
        self._pictures.mkdir(parents=True, exist_ok=True)
        path = self._pictures / f"{name}.png"
        self.driver.save_screenshot(str(path))
        return path

    def _until(self, done: Callable[[], bool], what: str) -> None:
        def tried() -> bool:
            with contextlib.suppress(WebDriverException):  # not there yet, or already another
                return done()
            return False

        def instead() -> str:
            said = ""
            with contextlib.suppress(WebDriverException):
                said = self.text
            return f"there is no {what}; the page says:\n{said}"

        wait_until(tried, _PAGE_S, instead)


@contextlib.contextmanager
def browsing(
    url: str,
    pictures: Path,
    *,
    width: int = 1440,
    height: int = 900,
    dark: bool = False,
    at: datetime | None = None,
) -> Iterator[Browser]:
    """Open a window, and close it at the end.

    :param dark: the person's system prefers dark pages
    :param at: what the person's clock says whenever a page is opened; None: the right time
    """
    options = ChromeOptions()
    options.binary_location = program("chromium")
    for argument in (*_ARGUMENTS, f"--window-size={width},{height}"):
        options.add_argument(argument)
    driver = Chrome(options=options, service=Service(program("chromedriver"), port=free_port()))
    try:
        driver.set_page_load_timeout(_LOAD_S)
        if dark:
            scheme = {"name": "prefers-color-scheme", "value": "dark"}
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        if at:
            clock = {"source": _CLOCK % (at.timestamp() * 1000)}
            driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", clock)
        yield Browser(driver, url, pictures)
    finally:
        driver.quit()


def _as_read(text: str | None) -> str:
    return (text or "").replace("\u00a0", " ").replace("\t", " ").strip()


def program(name: str) -> str:
    """Where a program lies. `make test` installs both."""
    found = shutil.which(name)
    assert found, f"there is no {name}: onebox/bootstrap.sh browser"
    return found
