"""The section as the command line runs it: `make bench ARGS=freshness`.

A thousand tables have state documents in the bucket; one process answers, and another asks, or a
browser shows the page.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx
import yaml
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

from bench.figures import Figure, middle
from bench.stack import running_stack
from localaws import Endpoints
from localaws.processes import free_port
from onebox.following import Bucket
from onebox.settings import airflow_environment

SECTION = "freshness"
TABLES = 1000
_ROOT = Path(__file__).parents[2]
_PATIENCE_S = 120.0
_TIMES = """
const at = (kind, name) => performance.getEntriesByType(kind).find(e => e.name === name)?.startTime;
return [at("paint", "first-contentful-paint"), at("mark", "tables shown")];
"""


def run(
    home: Path, seconds: float, rounds: int, figures: list[Figure], say: Callable[[str], None]
) -> None:
    """Measure and append the figures. Raises RuntimeError when the API does not answer."""
    home = home.resolve() / "freshness"
    with running_stack(home) as (endpoints, _):
        environment = _prepare(endpoints, home)
        with _serving(environment, home) as port:
            say("the first look")
            url = f"http://127.0.0.1:{port}"
            figures += _answers(url)
            say("routes")
            figures += _routes(port, seconds)
            say("the page")
            figures += _page(url, rounds)


def _prepare(endpoints: Endpoints, home: Path) -> dict[str, str]:
    """Write tables.yaml and the state documents; return the API's environment."""
    from bench.freshness.documents import put_documents  # other sections do without tidemark

    include = home / "include"
    include.mkdir(parents=True, exist_ok=True)
    names = [f"many.t{number:04}" for number in range(TABLES)]
    tables = {"version": 1, "defaults": {"schedule": "* * * * *"}, "tables": dict.fromkeys(names)}
    (include / "tables.yaml").write_text(yaml.safe_dump(tables))
    (include / "targets.yaml").write_text((_ROOT / "include" / "targets.yaml").read_text())
    Bucket(endpoints).create()
    put_documents(endpoints, names)
    extra = {"TIDEMARK_CONFIG_DIR": str(include)}
    return airflow_environment(home, _ROOT, endpoints, extra=extra)


@contextlib.contextmanager
def _serving(environment: Mapping[str, str], home: Path) -> Iterator[int]:
    port, written = free_port(), home / "api.log"
    command = [sys.executable, "-m", "uvicorn", "bench.freshness.serving:app", "--factory"]
    command += [f"--port={port}", "--no-access-log", "--log-level=warning"]
    with written.open("w") as log:
        process = subprocess.Popen(command, env=environment, cwd=_ROOT, stdout=log, stderr=log)
    try:
        end = time.monotonic() + _PATIENCE_S
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the API did not start: see {written}")
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=_PATIENCE_S)


def _listens(port: int) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"http://127.0.0.1:{port}/page", timeout=5).is_success
    return False


def _answers(url: str) -> list[Figure]:
    taken = []
    for _ in range(2):
        began = time.perf_counter()
        found = httpx.get(f"{url}/freshness", timeout=_PATIENCE_S).raise_for_status().json()
        taken.append(time.perf_counter() - began)
    if len(found["tables"]) != TABLES:
        raise RuntimeError(f"{len(found['tables'])} of {TABLES} tables were answered")
    how = f"{TABLES:,} tables on two targets"
    return [
        Figure(SECTION, "GET /freshness, the first", taken[0], "s", note=f"{how}, all documents"),
        Figure(SECTION, "GET /freshness, known", taken[1], "s", note=how),
    ]


def _routes(port: int, seconds: float) -> list[Figure]:
    figures = []
    for senders in (1, 8):
        load = [sys.executable, "-m", "bench.webhook.load", str(port), str(senders), str(seconds)]
        load.append("/freshness/many.t0500/route?max_lag_seconds=86400")
        told = json.loads(subprocess.run(load, cwd=_ROOT, capture_output=True, check=True).stdout)
        if told["refused"]:
            raise RuntimeError(f"{told['refused']} questions were refused")
        slowest = told["seconds"]
        how = f"{senders} at a time, one process"
        goal = "< 10" if senders == 1 else ""  # of one core that answers, not of those who wait
        figures += [
            Figure(SECTION, "GET …/route", told["answered"] / seconds, "requests/s", note=how),
            Figure(SECTION, "p50", 1000 * middle(slowest), "ms", note=how),
            Figure(SECTION, "p99", 1000 * slowest[len(slowest) * 99 // 100], "ms", goal, how),
        ]
    return figures


def _page(url: str, rounds: int) -> list[Figure]:
    options = ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1440,900"):
        options.add_argument(argument)
    taken: list[list[float]] = []
    options.binary_location = shutil.which("chromium") or ""
    driver = Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        for _ in range(rounds + 1):
            driver.get(f"{url}/page")
            WebDriverWait(driver, _PATIENCE_S).until(
                lambda page: page.execute_script(_TIMES)[1] is not None
            )
            taken.append(driver.execute_script(_TIMES))
    finally:
        driver.quit()
    how = f"headless Chromium, median of {rounds}"
    painted, shown = (sorted(each) for each in zip(*taken[1:], strict=True))
    return [
        Figure(SECTION, "the page, first paint", middle(painted) / 1000, "s", "< 1", how),
        Figure(SECTION, "the page, tables shown", middle(shown) / 1000, "s", "< 1", how),
    ]
