"""If these fail, `discover` proposes what loses rows, or what does not even parse."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tidemark.cli import main
from tidemark.core.settings.tables import parse_tables
from tidemark.hooks.mysql.catalogue import list_tables
from tidemark.hooks.mysql.source import MySqlSource, SourceError

from tests.hooks.conftest import Run
from tests.support.dialects import numbers

GOLDEN = Path(__file__).parents[1] / "golden" / "discover.yaml"
TABLES = {
    "find_shop.orders": "id INT PRIMARY KEY, updated_at DATETIME(6) NOT NULL DEFAULT"
    " CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), deleted_at DATETIME, KEY (updated_at)",
    "find_shop.customers": "id INT PRIMARY KEY, created TIMESTAMP NOT NULL DEFAULT"
    " CURRENT_TIMESTAMP, modifiedOn TIMESTAMP NULL, is_deleted BOOL",
    "find_shop.by_code": "code CHAR(3) NOT NULL, note INT, updated_at DATETIME NOT NULL,"
    " UNIQUE (note), UNIQUE one (code), UNIQUE two (code, updated_at), KEY (updated_at)",
    "find_shop.log": "id BIGINT AUTO_INCREMENT PRIMARY KEY, at DATETIME, what TEXT",
    "find_shop.countries": "code CHAR(2) PRIMARY KEY, updated_at INT",
    "find_shop.loose": "a INT, updated_at DATETIME",
    "find_shop.old": "id INT PRIMARY KEY, updated_at DATETIME NOT NULL, KEY (updated_at)",
    "find_shop.`no-name`": "id INT PRIMARY KEY, updated_at DATETIME",
    "find_france.orders": "id INT PRIMARY KEY, updated_at DATETIME NOT NULL, KEY (updated_at)",
    "find_france.tmp_orders": "id INT PRIMARY KEY, updated_at DATETIME NOT NULL",
}
CONFIGURATION = """
version: 1
defaults: {source: source_under_test, target_table: "{schema}_{table}"}
exclude: [find_france.tmp_*]
tables:
  find_shop.countries: {}
"""


@pytest.fixture
def shop(sql: Run, source: MySqlSource) -> None:
    for schema in ("find_shop", "find_france"):
        sql(f"DROP DATABASE IF EXISTS {schema}")
        sql(f"CREATE DATABASE {schema} CHARACTER SET utf8mb4")
    for name, columns in TABLES.items():
        sql(f"CREATE TABLE {name} ({columns})")
    sql("ALTER TABLE find_shop.old ENGINE = MyISAM")
    sql(f"INSERT INTO find_shop.log (what) SELECT 'x' FROM {numbers(1, 150_000)}")
    sql("ANALYZE TABLE find_shop.log")
    sql("CREATE VIEW find_shop.seen AS SELECT * FROM find_shop.orders")


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shop: None) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        (tmp_path / "tables.yaml").write_text(text)
        monkeypatch.setenv("TIDEMARK_CONFIG_DIR", str(tmp_path))
        return tmp_path

    return write


def discovered(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["discover", *words]) == 0
    return capsys.readouterr().out


def without_sizes(text: str) -> str:
    return re.sub(r"about [\d,]+ rows, [\d,]+ MiB", "about N rows, N MiB", text)


def test_what_is_not_copied_yet_is_proposed(
    configure: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    configure(CONFIGURATION)
    text = discovered(capsys, "--schema", "find_shop")
    assert without_sizes(text) == GOLDEN.read_text()
    proposed = parse_tables("version: 1\n" + text, {})
    assert sorted(proposed) == [
        "find_shop.by_code",
        "find_shop.customers",
        "find_shop.log",
        "find_shop.old",
        "find_shop.orders",
    ]
    france = discovered(capsys, "--source", "source_under_test", "--schema", "find_france")
    assert "find_france.orders: {}" in france
    assert "tmp_orders" not in france


@pytest.mark.runbook("A table appeared on the source, or vanished")
def test_wildcards_are_resolved_into_a_file(
    configure: Callable[[str], Path], capsys: pytest.CaptureFixture[str], sql: Run
) -> None:
    wildcards = "  find_france.*: {}\n  '*.orders': {retries: 9}\n"
    folder = configure(CONFIGURATION + wildcards)
    said = discovered(capsys, "--write")
    assert "+ find_france.orders\n+ find_shop.orders\n" in said
    found = folder / "tables.found.yaml"
    tables = parse_tables(CONFIGURATION + wildcards, {}, found=found.read_text())
    assert list(tables) == ["find_shop.countries", "find_france.orders", "find_shop.orders"]
    assert tables["find_shop.orders"].soft_delete == "deleted_at"
    assert tables["find_france.orders"].retries == 9
    sql("DROP TABLE find_france.orders")
    sql("CREATE TABLE find_france.log (id INT)")
    said = discovered(capsys, "--write")
    assert "- find_france.orders" in said
    assert "! find_france.log is left out: it lacks a key" in said


def test_a_found_file_changes_only_when_tables_do(
    configure: Callable[[str], Path], capsys: pytest.CaptureFixture[str], sql: Run
) -> None:
    folder = configure(CONFIGURATION + "  find_shop.*: {}\n")
    discovered(capsys, "--write")
    before = (folder / "tables.found.yaml").read_text()
    sql(f"INSERT INTO find_shop.orders (id) SELECT seq FROM {numbers(1, 90_000)}")
    sql("ANALYZE TABLE find_shop.orders")
    discovered(capsys, "--write")
    assert (folder / "tables.found.yaml").read_text() == before


def test_nothing_new_is_said(
    configure: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    configure("version: 1\nexclude: ['find_*']\ntables: {a.b: {}}")
    said = discovered(capsys, "--source", "source_under_test", "--schema", "find_shop")
    assert said.startswith("# Nothing new")


def test_a_schema_that_is_not_there_is_named(source: MySqlSource) -> None:
    with pytest.raises(SourceError, match="shows no table in schema nowhere"):
        list_tables("source_under_test", "nowhere")
