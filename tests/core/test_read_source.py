"""If this fails, what we ask a source has changed: read the golden file before accepting it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tidemark.core.source.key_ranges import KeyColumn
from tidemark.core.templates import render

FOLDER = Path(__file__).parents[1] / "golden"
GOLDEN = FOLDER / "read_source.sql"

VALUES = {
    "schema": "sh`op",
    "table": "orders.2024",
    "columns": [
        {"name": "id", "form": "plain", "hash": ""},
        {"name": "flags", "form": "bits", "hash": ""},
        {"name": "weight", "form": "number", "hash": ""},
        {"name": "mail", "form": "plain", "hash": "text"},
        {"name": "raw", "form": "plain", "hash": "bytes"},
    ],
    "cursor": "updated_at",
    "low": datetime(2024, 1, 1, 12, 0, 0, 1, tzinfo=UTC),
    "high": datetime(2024, 1, 2, tzinfo=UTC),
    "key": (KeyColumn("tenant"), KeyColumn("id"), KeyColumn("hash", binary=True)),
    "key_low": ("T'1", 10, "00ff"),
    "key_high": ("T'1", 20, "0a"),
    "ranges": [(None, ("T", 1, "00")), (("T", 1, "00"), None)],
    "moments": [datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC)],
    "index": "by_time",
    "every": 5000,
    "thread": 42,
    "seconds": 600,
    "mariadb": True,
    "where": "Country IN ('DE', 'L''x') and `odd name` > -1.5 AND LOWER(state) LIKE '5\\%'",
    "hash_pads": ("36", "5c"),
}
OPEN = {
    **dict.fromkeys(("low", "high", "where", "index", "key_low", "key_high")),
    "key": (),
}
ONE_KEY = {"key": (KeyColumn("id"),), "key_low": (10,), "key_high": (20,), "index": "PRIMARY"}
QUESTIONS = (
    "session",
    "describe",
    "clock",
    "window",
    "null_cursor",
    "share",
    "key_ranges",
    "newest_key",
    "cursor_span",
    "sample",
    "next_key",
    "limit",
    "boundaries",
    "hash_key",
    "rows",
    "stop",
)


def test_the_questions_read_as_they_are_sent() -> None:
    asked: dict[str, str] = {}
    for question in QUESTIONS:
        asked |= render("read_source.sql", "mysql", question=question, **VALUES)
    everything = render("read_source.sql", "mysql", question="rows", **(VALUES | OPEN))
    asked["rows, every bound open"] = everything["rows"]
    one_key = render("read_source.sql", "mysql", question="rows", **(VALUES | ONE_KEY))
    asked["rows, one key column"] = one_key["rows"]
    mysql = render("read_source.sql", "mysql", question="session", **(VALUES | {"mariadb": False}))
    asked["time_limit, MySQL"] = mysql["time_limit"]
    text = "".join(f"-- {name}\n{sql}\n\n" for name, sql in asked.items())
    assert text == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize(("schema", "golden"), [("sh'op", "one"), (None, "every")])
def test_the_catalogue_is_asked_as_it_is_sent(schema: str | None, golden: str) -> None:
    asked = render("discover_tables.sql", "mysql", schema=schema)
    text = "".join(f"-- {name}\n{sql}\n\n" for name, sql in asked.items())
    file = FOLDER / f"discover_{golden}_schema.sql"
    assert text == file.read_text(encoding="utf-8")
