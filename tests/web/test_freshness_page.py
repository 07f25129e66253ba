"""If these fail, people cannot see in Airflow how old the data is, or are shown what is not so."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException
from fastapi.responses import Response
from selenium.webdriver.common.keys import Keys
from tidemark.web import freshness_page

from bench.freshness.documents import document
from tests.support.browser import Browser, browsing
from tests.support.freshness_answers import NOW, answer, answer_of, copy, failure, table
from tests.support.receiver import Served

_STATIC = Path(freshness_page.__file__).parent / "static"
_MANY = 1000


class Answers:
    """A server that answers what a test wants, where the product answers what is so."""

    def __init__(self) -> None:
        self.app = FastAPI()
        self.app.include_router(freshness_page.pages(), prefix="/tidemark")
        self.app.get("/tidemark/freshness")(self._freshness)
        self.set(table("shop.orders"))

    def set(self, *tables: dict[str, Any], **more: Any) -> None:
        self._say(lambda history: answer(*tables, history=history, **more))

    def set_documents(self, documents: Mapping[str, bytes]) -> None:
        self._say(lambda history: answer_of(documents, history=history))

    def _say(self, said: Callable[[bool], dict[str, Any]]) -> None:
        self.down = False
        self._texts = {history: json.dumps(said(history)) for history in (False, True)}

    def _freshness(self, history: bool = False) -> Response:
        if self.down:
            raise HTTPException(503)
        return Response(self._texts[history], media_type="application/json")


@pytest.fixture(scope="module")
def answers() -> Answers:
    return Answers()


@pytest.fixture(scope="module")
def window(answers: Answers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with (
        Served(answers.app) as served,
        browsing(served.url, tmp_path_factory.mktemp("page"), at=NOW) as browser,
    ):
        yield browser


def _row(name: str) -> str:
    return f'tr[data-table="{name}"]'


def _order(browser: Browser) -> list[str]:
    script = (
        "return [...document.querySelectorAll('tbody tr:not([hidden])')].map(r => r.dataset.table)"
    )
    return list(browser.driver.execute_script(script))


def test_a_copy_is_shown_with_all_that_is_known_of_it(window: Browser, answers: Answers) -> None:
    late = copy("red", 4000.0, debt=3, breaker="open", in_use=False, returns_in_seconds=45.0)
    late["last_failure"] = failure("sync__shop__lines", "load_secondary")
    answers.set(
        table("shop.orders"),
        table("shop.lines", primary=copy(role="required"), secondary=late),
        table("shop.new", primary=copy("grey", None, status="new", last_batch=None)),
        banner="Analytics data is currently delayed by 67 minutes.",
    )
    window.open("/tidemark/page")

    window.read("delayed by 67 minutes", "3 tables", "Measured 17:42:03 UTC", "Heartbeat of mysql_")
    assert _order(window)[0] == "shop.lines", "the worst comes first"
    said = window.find(_row("shop.lines")).text
    for words in (
        *("fresh", "42 s", "as of 17:41:20 UTC", "1,234 rows · 471 KiB · 3.1 s"),
        *("too old", "1 h 6 min", "as of 16:35:23 UTC", "owes 3 batches", "breaker open"),
        *("readers are not sent here, for 45 s more", "failed 17:38:03 UTC", "runs"),
    ):
        assert words in said
    link = window.find(f"{_row('shop.lines')} a.failed")
    assert link.get_attribute("href").endswith(
        "/dags/sync__shop__lines/runs/manual__1/tasks/load_secondary"
    )
    meter = window.find(f"{_row('shop.orders')} [role=meter]")
    assert meter.get_attribute("aria-valuetext") == "42 s of at most 15 min; 5 min is the aim"
    assert "new" in window.find(_row("shop.new")).text
    assert "not copied there" in window.find(_row("shop.new")).text

    window.click(f"{_row('shop.lines')} button.open")
    window.read("99.5 % wanted", "<b>TryAgain</b>: the cluster is paused")
    window.find(f"{_row('shop.lines')} .chart canvas")
    window.find(f"{_row('shop.orders')} .spark canvas")


def test_what_changes_is_seen_without_a_hand(window: Browser, answers: Answers) -> None:
    answers.set(table("shop.orders"))
    window.open("/tidemark/page")
    window.find(".badge", "^fresh$")

    answers.set(
        table("shop.orders", primary=copy("orange", 800.0)),
        table("shop.more"),
        banner="Delayed.",
        replica_lag=12.3,
    )
    window.read("late", "13 min", "Delayed.", "2 tables", "where tables are read it is 12 s behind")
    answers.down = True
    window.read("No answer", "What you see is of 17:42:03 UTC")
    answers.set(table("shop.orders"))
    window.find("#shown", "^1 table$")
    assert not window.driver.find_element("id", "banner").is_displayed()
    assert not window.driver.find_element("id", "trouble").is_displayed()


def test_one_finds_a_table_among_many(window: Browser, answers: Answers) -> None:
    """With a keyboard alone."""
    many = [f"mass.table_{number:04}" for number in range(_MANY)]
    late = {"mass.zulu": document("mass.zulu", timedelta(seconds=400))}
    answers.set_documents({**{name: document(name) for name in many}, **late})
    window.open("/tidemark/page")
    window.find("tbody[aria-busy=false] " + _row("mass.zulu"))
    assert _order(window) == ["mass.zulu", *many]

    body = window.find("body")
    body.send_keys("/")
    window.driver.switch_to.active_element.send_keys("_099")
    window.find("#shown", "^10 tables of 1001$")
    assert _order(window) == [f"mass.table_099{digit}" for digit in range(10)]
    window.click("button[data-sort=table]")
    window.click("button[data-sort=table]")
    assert _order(window)[0] == "mass.table_0999"
    assert window.find("th[aria-sort=descending]").text.startswith("Table")

    window.type("#name", "zu")
    window.find("#shown", "^1 table of")
    window.find(f"{_row('mass.zulu')} button.open").send_keys(Keys.ENTER)
    window.find(f"{_row('mass.zulu')} button.open[aria-expanded=true]")
    window.find("#name").send_keys(Keys.BACKSPACE, Keys.BACKSPACE, "0")
    window.click("#level-yellow")
    window.read("No table is like that.")
    window.click("#level-yellow")
    window.find(f"{_row('mass.table_0999')} button.open").send_keys(Keys.ARROW_DOWN)
    assert window.driver.switch_to.active_element.text == "mass.table_0998"


def test_it_fits_a_phone_and_its_colours(window: Browser, answers: Answers) -> None:
    answers.set(table("shop.a_long_name_that_somebody_thought_of_on_a_long_afternoon"))
    size = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    window.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        for scheme, wanted in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(17, 20, 24)")):
            features = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
            window.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", features)
            window.open("/tidemark/page")
            window.find(".spark canvas")
            needed, there, ground = window.driver.execute_script(
                "return [document.documentElement.scrollWidth, innerWidth,"
                " getComputedStyle(document.body).backgroundColor]"
            )
            assert needed <= there == 360
            assert ground == wanted
    finally:
        window.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        window.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_it_asks_nobody_else(window: Browser, answers: Answers) -> None:
    window.open("/tidemark/page")
    window.find("tbody tr")
    asked = "return performance.getEntriesByType('resource').map(e => e.name)"
    urls = window.driver.execute_script(asked)
    assert urls
    assert all(url.startswith(window.url) for url in urls)
    assert not [entry for entry in window.driver.get_log("browser") if "Security" in str(entry)]


def test_the_chart_library_is_what_it_says() -> None:
    listed = re.findall(r"^([0-9a-f]{64})  (.+)$", (_STATIC / "uplot/README.md").read_text(), re.M)
    assert {name for _, name in listed} == {
        path.name for path in (_STATIC / "uplot").iterdir() if path.name != "README.md"
    }
    for wanted, name in listed:
        assert hashlib.sha256((_STATIC / "uplot" / name).read_bytes()).hexdigest() == wanted, name
