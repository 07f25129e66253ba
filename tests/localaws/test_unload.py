"""UNLOAD: what its files are called and hold, and what it refuses.

https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html , unless a test says otherwise.
"""

import bz2
import gzip
import io
import json
import uuid
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

_VENUES = (
    "(1, 'Akron', 'OH', 10.5, '2026-01-02', '2026-01-02 03:04:05.5', true), "
    "(2, 'a|b, \"c\"', '', NULL, NULL, NULL, false), "
    "(3, NULL, 'NY', 0, '2026-01-03', '2026-01-03 00:00:00', NULL)"
)


@pytest.fixture
def venues(primary: Any, table: str) -> str:
    primary.run(
        f"CREATE TABLE {table} (id INT, city VARCHAR(20), state CHAR(2), price DECIMAL(8, 2), "
        "day DATE, seen TIMESTAMP, opened BOOLEAN)",
        f"INSERT INTO {table} VALUES {_VENUES}",
    )
    return table


class Unloads:
    """UNLOADs of one test, below a prefix of its own."""

    def __init__(self, caller: Any, lake: Any) -> None:
        self._caller = caller
        self.lake = lake
        self.prefix = f"{lake.prefix}/{uuid.uuid4().hex}/"
        self.target = f"s3://{lake.bucket}/{self.prefix}"

    def sql(self, query: str, options: str) -> str:
        quoted = query.replace("'", "''")
        return f"UNLOAD ('{quoted}') TO '{self.target}' IAM_ROLE '{self.lake.iam_role}' {options}"

    def run(self, query: str, options: str = "") -> Any:
        said = self._caller.tell(self.sql(query, options))
        assert said["Status"] == "FINISHED", said.get("Error")
        return said

    def error(self, query: str, options: str = "") -> str:
        return str(self._caller.error(self.sql(query, options)))

    def files(self) -> dict[str, bytes]:
        found = self.lake.s3.list_objects_v2(Bucket=self.lake.bucket, Prefix=self.prefix)
        return {
            item["Key"].removeprefix(self.prefix): self.lake.s3.get_object(
                Bucket=self.lake.bucket, Key=item["Key"]
            )["Body"].read()
            for item in found.get("Contents", ())
        }

    def lines(self) -> list[str]:
        return sorted("".join(body.decode() for body in self.files().values()).splitlines())


@pytest.fixture
def unloads(primary: Any, lake: Any) -> Unloads:
    return Unloads(primary, lake)


def test_delimited_text_is_the_default(unloads: Unloads, venues: str) -> None:
    said = unloads.run(f"SELECT id, city, state, price, day, seen, opened FROM {venues}")
    assert said["ResultRows"] == 3
    assert not said["HasResultSet"]
    names = sorted(unloads.files())
    assert all(name.endswith("_part_00") and name[:3] == "000" for name in names)
    assert unloads.lines() == [
        "1|Akron|OH|10.50|2026-01-02|2026-01-02 03:04:05.5|t",
        '2|a|b, "c"|  ||||f',
        "3||NY|0.00|2026-01-03|2026-01-03 00:00:00|",
    ]


def test_csv_quotes_what_needs_it(unloads: Unloads, venues: str) -> None:
    unloads.run(f"SELECT id, city FROM {venues} ORDER BY id", "CSV HEADER PARALLEL OFF")
    assert unloads.files() == {"000": b'id,city\n1,Akron\n2,"a|b, ""c"""\n3,\n'}


def test_text_options(unloads: Unloads, venues: str) -> None:
    query = f"SELECT id, city FROM {venues} ORDER BY id"
    unloads.run(query, "PARALLEL OFF ADDQUOTES ESCAPE NULL AS '@' DELIMITER AS '|'")
    assert unloads.files()["000"] == b'"1"|"Akron"\n"2"|"a\\|b, \\"c\\""\n"3"|"@"\n'
    unloads.run(query, "PARALLEL OFF ALLOWOVERWRITE GZIP")
    assert gzip.decompress(unloads.files()["000.gz"]) == b'1|Akron\n2|a|b, "c"\n3|\n'
    unloads.run(query, "PARALLEL OFF CLEANPATH BZIP2 EXTENSION 'txt.bz2'")
    assert {name: bz2.decompress(body) for name, body in unloads.files().items()} == {
        "000.txt.bz2": b'1|Akron\n2|a|b, "c"\n3|\n'
    }


def test_json_holds_a_line_for_each_row(unloads: Unloads, venues: str) -> None:
    unloads.run(
        f"SELECT id, city, opened, JSON_PARSE('{{\"a\": [1]}}') AS s FROM {venues} ORDER BY id",
        "FORMAT AS JSON PARALLEL OFF",
    )
    rows = [json.loads(line) for line in unloads.files()["000"].splitlines()]
    # "boolean values are unloaded as t or f"
    assert rows[:2] == [
        {"id": 1, "city": "Akron", "opened": "t", "s": {"a": [1]}},
        {"id": 2, "city": 'a|b, "c"', "opened": "f", "s": {"a": [1]}},
    ]
    assert rows[2]["opened"] is None
    assert "must be unique" in unloads.error("SELECT 1 AS a, 2 AS a", "JSON ALLOWOVERWRITE")


def test_what_was_unloaded_in_parquet_can_be_loaded_again(
    primary: Any, unloads: Unloads, venues: str
) -> None:
    unloads.run(f"SELECT * FROM {venues}", "PARQUET MANIFEST")
    names = sorted(unloads.files())
    assert names == ["0000_part_00.parquet", "0001_part_00.parquet", "manifest"]
    primary.run(
        f"CREATE TABLE {venues}_2 (LIKE {venues})",
        unloads.lake.copy(f"{venues}_2", f"{unloads.target}manifest"),
    )
    same = f"SELECT COUNT(*) FROM (SELECT * FROM {venues} UNION SELECT * FROM {venues}_2) u"
    assert primary.rows(same) == [[3]]
    assert primary.rows(f"SELECT COUNT(*) FROM {venues}_2") == [[3]]


def test_a_verbose_manifest_tells_sizes_and_schema(unloads: Unloads, venues: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD_command_examples.html
    unloads.run(f"SELECT id, city FROM {venues}", "MANIFEST VERBOSE HEADER PARALLEL OFF")
    files = unloads.files()
    manifest = json.loads(files["manifest"])
    meta = {"content_length": len(files["000"]), "record_count": 4}
    assert manifest["entries"] == [{"url": f"{unloads.target}000", "meta": meta}]
    assert manifest["meta"] == meta
    assert manifest["author"]["name"] == "Amazon Redshift"
    elements = manifest["schema"]["elements"]
    assert elements[0] == {"name": "id", "type": {"base": "integer"}}
    assert elements[1]["type"]["base"] == "character varying"


def test_partitions_are_folders(unloads: Unloads, venues: str) -> None:
    unloads.run(f"SELECT id, day FROM {venues}", "PARQUET PARTITION BY (day)")
    files = unloads.files()
    assert sorted(name.split("/")[0] for name in files) == [
        "day=2026-01-02", "day=2026-01-03", "day=__HIVE_DEFAULT_PARTITION__",
    ]  # fmt: skip
    assert pq.read_schema(io.BytesIO(next(iter(files.values())))).names == ["id"]
    unloads.run(f"SELECT id, day FROM {venues}", "PARQUET PARTITION BY (day) INCLUDE CLEANPATH")
    assert pq.read_schema(io.BytesIO(next(iter(unloads.files().values())))).names == ["id", "day"]
    assert "at least one column" in unloads.error(
        f"SELECT day FROM {venues}", "CSV PARTITION BY (day) ALLOWOVERWRITE"
    )


def test_existing_files_are_in_the_way(unloads: Unloads) -> None:
    unloads.run("SELECT 1")
    assert "Specified unload destination on S3 is not empty." in unloads.error("SELECT 1")
    unloads.run("SELECT 2", "ALLOWOVERWRITE")
    assert unloads.lines() == ["2"]


def test_no_rows_no_files(unloads: Unloads, venues: str) -> None:
    # https://github.com/databricks/spark-redshift/issues/446
    unloads.run(f"SELECT * FROM {venues} WHERE id > 9", "PARQUET")
    assert unloads.files() == {}


def test_a_large_result_is_cut_into_parts(primary: Any, unloads: Unloads, table: str) -> None:
    rows = pa.table({"c": pa.array([uuid.uuid4().hex * 8 for _ in range(60_000)])})
    primary.run(
        f"CREATE TABLE {table} (c VARCHAR(300))",
        unloads.lake.copy(table, unloads.lake.put(rows)["url"], ""),
    )
    unloads.run(f"SELECT c FROM {table}", "PARALLEL OFF MAXFILESIZE 5 MB")
    names = sorted(unloads.files())
    assert names[:3] == ["000", "001", "002"]
    assert len(unloads.lines()) == 60_000


@pytest.mark.parametrize(
    ("query", "options", "said"),
    [
        ("SELECT 1 LIMIT 1", "", "Limit clause is not supported"),
        ("DELETE FROM t", "", "needs a SELECT query"),
        ("SELECT 1", "PARQUET DELIMITER ','", "DELIMITER is not supported for parquet"),
        ("SELECT 1", "PARQUET GZIP", "GZIP is not supported for parquet"),
        ("SELECT 1", "CSV ADDQUOTES", "ADDQUOTES is not supported for csv"),
        ("SELECT 1", "CSV FIXEDWIDTH '0:3'", "does not support UNLOAD with FIXEDWIDTH"),
        ("SELECT 1", "ALLOWOVERWRITE CLEANPATH", "CLEANPATH cannot be used with ALLOWOVERWRITE"),
        ("SELECT 1", "MAXFILESIZE 4 MB", "MAXFILESIZE must be between 5 MB and 6.2 GB"),
        ("SELECT 1", "PARQUET ROWGROUPSIZE 16 MB", "ROWGROUPSIZE must be between"),
        ("SELECT 1", "SPEEDILY", 'syntax error at or near "speedily"'),
        ("SELECT nothing FROM nowhere", "", "nowhere"),
    ],
)
def test_what_unload_refuses(unloads: Unloads, query: str, options: str, said: str) -> None:
    assert said in unloads.error(query, options)


def test_a_limit_may_be_nested(unloads: Unloads, venues: str) -> None:
    unloads.run(f"SELECT id FROM {venues} WHERE id IN (SELECT id FROM {venues} LIMIT 1)")
    assert len(unloads.lines()) == 1


def test_the_log_names_every_file(primary: Any, unloads: Unloads, venues: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_STL_UNLOAD_LOG.html
    said = primary.batch(
        unloads.sql(f"SELECT id FROM {venues}", "PARALLEL OFF"),
        "SELECT TRIM(path), line_count FROM stl_unload_log WHERE query = pg_last_unload_id()",
        "SELECT pg_last_unload_count()",
    )
    assert said["Status"] == "FINISHED", said.get("Error")
    assert primary.result(said["SubStatements"][1]["Id"]) == [[f"{unloads.target}000", 3]]
    assert primary.result(said["SubStatements"][2]["Id"]) == [[3]]
