"""If these fail, people see a lag that is not there, or do not see one, or are sent to old data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
import yaml
from tidemark.web.freshness import create_app
from tidemark.web.freshness_desk import FreshnessDesk
from tidemark.web.freshness_page import pages
from tidemark.web.token_login import Everything

from tests.support import freshness_answers
from tests.support.browser import Browser, browsing
from tests.support.product import Product
from tests.support.receiver import Served
from tests.support.source import DATABASE

_HOUR_S = 3600


@dataclass
class Seen:
    """The page, in a window, and the API that it asks."""

    product: Product
    window: Browser
    api: httpx.Client

    def configure(self, **budget: Any) -> None:
        """Change the budget of all tables: by the hour, so that no slow machine breaks it."""
        known = {
            "target_lag_seconds": _HOUR_S / 2,
            "max_lag_seconds": _HOUR_S,
            "recover_for_seconds": _HOUR_S,
        }
        document = {"version": 1, "budgets": {"hours": {**known, **budget}}}
        draft = self.product.config / "freshness.yaml.draft"
        draft.write_text(yaml.safe_dump({**document, "default_budget": "hours"}))
        draft.replace(self.product.config / "freshness.yaml")

    def target(self, table: str) -> str:
        """The target that a reader of a table is sent to."""
        answer = self.api.get(f"/tidemark/freshness/{DATABASE}.{table}/route")
        assert answer.status_code == 200, answer.text
        return str(answer.json()["target"])

    def copies(self, table: str) -> dict[str, Any]:
        """What is known of a table on each target."""
        answer = self.api.get(f"/tidemark/freshness/{DATABASE}.{table}").json()
        copies: dict[str, Any] = answer["table"]["targets"]
        return copies

    def cell(self, table: str, target: str) -> str:
        """What can be read of a table on a target."""
        at = ["primary", "secondary"].index(target) + 1
        return f'tr[data-table="{DATABASE}.{table}"] td:nth-of-type({at})'

    def find(self, table: str, target: str, text: str) -> None:
        """Wait until something can be read of a table on a target."""
        self.window.find(self.cell(table, target), text)


@pytest.fixture(scope="module")
def seen(product: Product, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    app = create_app(FreshnessDesk(refresh_seconds=0.5), Everything, prefix="/tidemark")
    app.include_router(pages(), prefix="/tidemark")
    with (
        Served(app) as served,
        httpx.Client(base_url=served.url, timeout=60) as api,
        browsing(served.url, tmp_path_factory.mktemp("page")) as window,
    ):
        yield Seen(product, window, api)


def test_a_stopped_secondary_is_seen_and_left_until_it_has_held(
    product: Product, seen: Seen
) -> None:
    seen.configure()
    idle, late = product.table("idle"), product.table("late")
    product.source.insert(idle, [1, 2])
    product.sync(idle)
    long_ago = product.source.now() - timedelta(hours=3, minutes=1)
    product.source.insert(late, [1], at=long_ago)
    product.source.insert(late, [2], at=long_ago + timedelta(seconds=1))
    product.source.insert(late, [3])
    product.sync(late, limit=1)  # complete up to the second row
    with product.secondary.paused():
        run = product.sync(late, "failed")

        seen.window.open("/tidemark/page")
        seen.window.read("delayed by 3 hours on secondary", f"{DATABASE}.{late}")
        for words in ("too old", "3 h", "owes 1 batch", "failed"):
            seen.find(late, "secondary", words)
        seen.find(late, "primary", "fresh")
        seen.find(idle, "primary", "fresh")
        seen.find(idle, "secondary", "fresh")
        assert seen.target(late) == "primary"
        assert seen.target(idle) == "secondary", "a copy is read before the primary"

    run.clear("load_secondary").go().expect("success")
    seen.find(late, "secondary", "fresh")
    seen.find(late, "secondary", "readers are sent elsewhere, for")
    assert seen.target(late) == "primary", "it comes back only after the hold"

    seen.configure(recover_for_seconds=0)
    seen.find(late, "secondary", r"(?s)\A(?!.*elsewhere).*fresh")
    assert seen.target(late) == "secondary"


def test_an_unchanged_table_is_fresh_and_a_stalled_source_is_not(
    product: Product, seen: Seen
) -> None:
    seen.configure()
    seen.window.open("/tidemark/page")
    idle, other = product.table("still"), product.table("other")
    product.source.insert(idle, [1])
    product.sync(idle)
    first = _as_of(seen, idle)
    product.sync(idle)
    second = _as_of(seen, idle)
    assert second > first, "nothing has changed, and that is known up to now"

    with product.source.transaction() as open_one:
        open_one.execute(f"INSERT INTO {other} (id, name) VALUES (1, 'not committed')")
        begun = product.source.now()
        product.sync(idle)
        assert _as_of(seen, idle) <= begun, "a row may still come from before"
    product.sync(idle)
    assert _as_of(seen, idle) > begun
    seen.find(idle, "secondary", "fresh")


def test_the_page_is_tried_with_what_the_api_answers(product: Product, seen: Seen) -> None:
    """The page's own tests make answers up."""
    table = product.table("shape")
    product.source.insert(table, [1])
    product.sync(table)
    found = seen.api.get(f"/tidemark/freshness/{DATABASE}.{table}").json()["table"]
    made = freshness_answers.table("a.b")
    assert set(found) == set(made)
    real, made_up = found["targets"]["primary"], made["targets"]["primary"]
    assert set(real) - {"history"} == set(made_up)
    assert set(real["budget"]) == set(made_up["budget"])
    assert set(real["last_batch"]) == set(made_up["last_batch"])
    whole = seen.api.get("/tidemark/freshness").json()
    assert set(whole) - {"_metadata"} == set(freshness_answers.answer(made))


def _as_of(seen: Seen, table: str) -> datetime:
    """How far both targets are complete, as soon as the page says so."""
    (at,) = {each["as_of"] for each in seen.product.state(table)["targets"].values()}
    found = datetime.fromisoformat(at)
    for target in ("primary", "secondary"):
        seen.find(table, target, f"as of .*{found:%H:%M:%S} UTC")
    return found
