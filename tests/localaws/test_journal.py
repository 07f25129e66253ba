"""Results are kept for 24 hours and client tokens for 8, restarts or not; nothing longer."""

import sqlite3
from pathlib import Path

from localaws.redshift.engine.journal import Journal
from localaws.redshift.engine.results import Outcome, Pages

_HOUR = 3600


def _finished(journal: Journal, name: str) -> int:
    statement = journal.submit(
        name, "primary", {"Sql": "SELECT 1"}, ["SELECT 1"],
        batch=False, token=f"token of {name}", fingerprint="",
    )  # fmt: skip
    pages = Pages()
    pages.add('[{"longValue": 1}]', 1)
    pages.finish()
    (unit,) = statement.units
    outcome = Outcome(1, 1, [{"name": "a"}], pages)
    journal.finish(name, "FINISHED", error="", duration=1, results={unit.query: outcome})
    return unit.query


def _age(path: Path, name: str, seconds: int) -> None:
    with sqlite3.connect(path) as db:
        for table, key in (("statements", "id"), ("units", "statement"), ("tokens", "statement")):
            db.execute(
                f"UPDATE {table} SET created = created - ? WHERE {key} = ?",
                (seconds, name),
            )
    db.close()


def test_what_is_old_is_forgotten_and_nothing_else(tmp_path: Path) -> None:
    # https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html (considerations)
    path = tmp_path / "journal.sqlite"
    journal = Journal(path)
    queries = {name: _finished(journal, name) for name in ("new", "token", "old")}
    _age(path, "token", 8 * _HOUR + 60)
    _age(path, "old", 24 * _HOUR + 60)

    def kept() -> dict[str, tuple[bool, bool]]:
        return {
            name: (
                journal.statement(name) is not None,
                journal.token(f"token of {name}") is not None,
            )
            for name in queries
        }

    expected = {"new": (True, True), "token": (True, False), "old": (False, False)}
    assert kept() == expected
    assert [each.id for each in journal.recent(before=2**62, limit=10)] == ["token", "new"]
    assert len(journal.recent(before=2**62, limit=10, status="FINISHED")) == 2
    assert journal.recent(before=2**62, limit=10, status="STARTED") == []
    journal.close()
    journal = Journal(path)
    assert kept() == expected
    assert journal.page(queries["new"], 0) == ('[[{"longValue": 1}]]', False)
    assert journal.page(queries["old"], 0) is None
    journal.close()
