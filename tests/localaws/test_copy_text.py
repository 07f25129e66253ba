"""COPY of CSV and delimited text: what is read how, and what is told of what cannot be read."""

import bz2
import gzip
from typing import Any

import pyarrow as pa
import pytest


class Loads:
    """COPYs of small texts into tables of one caller."""

    def __init__(self, caller: Any, lake: Any) -> None:
        self.caller = caller
        self.lake = lake

    def put(self, body: str | bytes, name: str = "part.txt") -> str:
        raw = body.encode() if isinstance(body, str) else body
        return str(self.lake.put_bytes(raw, name)["url"])

    def sql(self, table: str, body: str | bytes, options: str = "") -> str:
        return f"COPY {table} FROM '{self.put(body)}' IAM_ROLE '{self.lake.iam_role}' {options}"

    def run(self, table: str, body: str | bytes, options: str = "") -> dict[str, Any]:
        said: dict[str, Any] = self.caller.tell(self.sql(table, body, options))
        assert said["Status"] == "FINISHED", said.get("Error")
        return said

    def errors(self, table: str, body: str | bytes, options: str = "") -> list[list[Any]]:
        """Return code, reason, line, column and value of everything that the COPY refused."""
        said = self.caller.tell(self.sql(table, body, options))
        assert said["Status"] == "FAILED", f"{options}: {body!r} was loaded"
        # https://docs.aws.amazon.com/redshift/latest/dg/tutorial-loading-run-copy.html
        assert said["Error"] == (
            f"ERROR: Load into table '{table}' failed.  "
            "Check 'stl_load_errors' system table for details."
        )
        return self.log(said)

    def log(self, said: dict[str, Any]) -> list[list[Any]]:
        rows: list[list[Any]] = self.caller.rows(
            "SELECT err_code, TRIM(err_reason), line_number, TRIM(colname), TRIM(raw_field_value) "
            f"FROM stl_load_errors WHERE query = {said['RedshiftQueryId']} ORDER BY line_number"
        )
        return rows

    def reason(self, table: str, body: str | bytes, options: str = "") -> str:
        [[code, reason, *_]] = self.errors(table, body, options)
        return f"{code} {reason}"


@pytest.fixture
def loads(primary: Any, lake: Any) -> Loads:
    return Loads(primary, lake)


@pytest.fixture
def people(primary: Any, table: str) -> str:
    primary.run(f"CREATE TABLE {table} (id INT, name VARCHAR(10), day DATE)")
    return table


def rows(loads: Loads, table: str) -> list[list[Any]]:
    found: list[list[Any]] = loads.caller.rows(f"SELECT * FROM {table} ORDER BY id")
    return found


def test_pipes_and_backslash_n_are_the_defaults(loads: Loads, people: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html
    said = loads.run(people, "1|Ann|2026-01-02\n2||\n3|\\N|2026-01-03 04:05:06\n4|x|\\N|\n")
    assert said["ResultRows"] == 4
    assert rows(loads, people) == [
        [1, "Ann", "2026-01-02"], [2, "", None], [3, None, "2026-01-03"], [4, "x", None],
    ]  # fmt: skip


def test_csv_reads_quotes_and_newlines(loads: Loads, people: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html
    body = 'id,name,day\n1,"a ""b""",\r\n2, "c,\nd" ,2026-01-02\n'
    loads.run(people, body, "CSV IGNOREHEADER 1")
    assert rows(loads, people) == [[1, 'a "b"', None], [2, "c,\nd", "2026-01-02"]]
    loads.run(people, "3;%e;f%;\n", "FORMAT AS CSV QUOTE AS '%' DELIMITER ';'")
    assert rows(loads, people)[2] == [3, "e;f", None]


def test_escape_and_removequotes(loads: Loads, people: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html
    loads.run(people, "1|a\\|b\\\nc\\\\|\n2|\\\\N|\n", "ESCAPE")
    loads.run(people, "3|'d|e'|\n4|\"f\"|\n5|g'|\n", "REMOVEQUOTES")
    assert [row[1] for row in rows(loads, people)] == ["a|b\nc\\", None, "d|e", "f", "g'"]
    assert loads.reason(people, "6|'h|\n", "REMOVEQUOTES") == "1214 Delimiter not found"


def test_what_becomes_null(loads: Loads, people: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html
    for number, options in enumerate(
        ("", "EMPTYASNULL", "BLANKSASNULL", "NULL AS 'none'", "FILLRECORD", "TRIMBLANKS")
    ):
        body = {"NULL AS 'none'": f"{number}|none|none\n", "FILLRECORD": f"{number}\n"}.get(
            options, f"{number}|{'' if options in ('', 'EMPTYASNULL') else '  '}|\n"
        )
        loads.run(people, body, options)
    assert [row[1:] for row in rows(loads, people)] == [
        ["", None], [None, None], [None, None], [None, None], ["", None], ["", None],
    ]  # fmt: skip


def test_long_texts_may_be_cut(loads: Loads, people: str) -> None:
    # https://github.com/databricks/spark-redshift/pull/53
    assert loads.errors(people, "1|ab|\n2|éééééé|\n") == [
        [1204, "String length exceeds DDL length", 2, "name", "......"]
    ]
    loads.run(people, "2|éééééé|\n", "TRUNCATECOLUMNS")
    assert rows(loads, people) == [[2, "ééééé", None]]


@pytest.mark.parametrize(
    ("ddl", "field", "options", "said"),
    [
        # https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_ERROR_DETAIL.html
        ("INT", "12a", "", "1207 Invalid digit, Value 'a', Pos 2, Type: Integer"),
        ("BIGINT", "1.0", "", "1207 Invalid digit, Value '.', Pos 1, Type: Long"),
        ("DECIMAL(8, 2)", "1e2", "", "1207 Invalid digit, Value 'e', Pos 1, Type: Decimal"),
        # https://docs.aws.amazon.com/redshift/latest/dg/r_Load_Error_Reference.html
        ("SMALLINT", "40000", "", "1222 Overflow for type smallint"),
        ("DECIMAL(4, 2)", "123", "", "1204 Overflow for type numeric"),
        ("REAL", "x", "", "1208 Invalid digit, Value 'x', Pos 0, Type: Float"),
        ("BOOLEAN", "perhaps", "", "1210 Unknown boolean format"),
        ("DATE", "2026-1-2", "", "1205 Invalid Date Format - length must be 10 or more"),
        ("DATE", "2026-02-30", "", "1205 Invalid date format or value [YYYY-MM-DD]"),
        ("DATE", "2026-02-03", "DATEFORMAT 'MM/DD/YYYY'",
         "1205 Invalid date format or value [MM/DD/YYYY]"),
        ("TIMESTAMP", "2026-01-02T03:04:05", "",
         "1206 Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]"),
        ("TIMESTAMP", "soon", "TIMEFORMAT 'auto'", "1206 Invalid timestamp format or value [auto]"),
        ("TIMESTAMP", "12x", "TIMEFORMAT AS 'epochsecs'",
         "1206 Invalid timestamp format or value [epochsecs]"),
        ("SUPER", "{no", "", "1224 Invalid JSON format for SUPER"),
        ("VARBYTE(4)", "0g", "", "1219 Invalid hexadecimal digit"),
        # https://docs.aws.amazon.com/redshift/latest/dg/multi-byte-character-load-errors.html
        ("CHAR(9)", "é", "", "1220 Multibyte character not supported for CHAR "
                             "(Hint: try using VARCHAR). Invalid char: c3 a9"),
        ("CHAR(2)", "abc", "", "1204 Char length exceeds DDL length"),
        # https://github.com/spark-redshift-community/spark-redshift/pull/58
        ("INT NOT NULL", "", "", "1213 Missing data for not-null field"),
        # https://docs.aws.amazon.com/redshift/latest/dg/r_COPY_command_examples.html
        ("INT", "1|2", "", "1202 Extra column(s) found"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_told(
    loads: Loads, table: str, ddl: str, field: str, options: str, said: str
) -> None:
    loads.caller.run(f"CREATE TABLE {table} (c {ddl})")
    assert loads.reason(table, f"{field}\n", options) == said


@pytest.mark.parametrize(
    ("ddl", "field", "options", "expected"),
    [
        ("DECIMAL(8, 2)", "20.259", "", "20.25"),
        ("DECIMAL(8, 2)", "20.259", "ROUNDEC", "20.26"),
        ("BOOLEAN", "YES", "", True),
        ("DOUBLE PRECISION", "-1.5e3", "", -1500.0),
        ("DATE", "03/31/2003", "DATEFORMAT AS 'MM/DD/YYYY'", "2003-03-31"),
        ("DATE", "March 31, 2003", "DATEFORMAT 'MON DD, YYYY'", "2003-03-31"),
        # https://docs.aws.amazon.com/redshift/latest/dg/automatic-recognition.html
        ("TIMESTAMP", "2019-02-11T05:09:12.195Z", "TIMEFORMAT 'auto'", "2019-02-11 05:09:12.195"),
        ("TIMESTAMP", "19960108 040809", "TIMEFORMAT 'auto'", "1996-01-08 04:08:09"),
        ("DATE", "J2451187", "DATEFORMAT 'auto'", "1999-01-08"),
        ("TIMESTAMP", "03.31.2003 18:45:05.123456", "TIMEFORMAT 'MM.DD.YYYY HH:MI:SS'",
         "2003-03-31 18:45:05.123456"),
        ("TIMESTAMP", "1-2-26 01:02:03 PM", "TIMEFORMAT 'MM-DD-YY HH12:MI:SS AM'",
         "2026-01-02 13:02:03"),
        ("TIMESTAMP", "86400", "TIMEFORMAT 'epochsecs'", "1970-01-02 00:00:00"),
        ("TIMESTAMP", "1500", "TIMEFORMAT 'epochmillisecs'", "1970-01-01 00:00:01.5"),
        ("TIMESTAMPTZ", "2026-01-02 03:04:05-08", "", "2026-01-02 11:04:05+00"),
        ("DATE", "00/00/00", "ACCEPTANYDATE DATEFORMAT 'MM/DD/YYYY'", None),
        ("SUPER", '{"a": [1, "b"]}', "", '{"a":[1,"b"]}'),
        ("VARBYTE(4)", "00ff", "", "AP8="),
        ("VARCHAR(9)", "a\t\\b", "DELIMITER '|'", "a\t\\b"),
    ],
)  # fmt: skip
def test_a_value_that_fits_is_loaded(
    loads: Loads, table: str, ddl: str, field: str, options: str, expected: Any
) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html
    # https://docs.aws.amazon.com/redshift/latest/dg/r_DATEFORMAT_and_TIMEFORMAT_strings.html
    loads.caller.run(f"CREATE TABLE {table} (c {ddl})")
    loads.run(table, f"{field}\n", options)
    assert loads.caller.rows(f"SELECT c FROM {table}") == [[expected]]


def test_errors_below_maxerror_are_kept_and_the_rest_is_loaded(loads: Loads, people: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-load.html
    body = "1|a|\nx|b|\n3|c\n4|d|2026-01-02\n"
    assert len(loads.errors(people, body, "MAXERROR 2")) == 2
    said = loads.run(people, body, "MAXERROR 3")
    assert said["ResultRows"] == 2
    assert loads.log(said) == [
        [1207, "Invalid digit, Value 'x', Pos 0, Type: Integer", 2, "id", "x"],
        # https://docs.aws.amazon.com/redshift/latest/dg/system-tables-for-troubleshooting-data-loads.html
        [1214, "Delimiter not found", 3, "", ""],
    ]
    query = said["RedshiftQueryId"]
    [[kind, where, raw]] = loads.caller.rows(
        "SELECT TRIM(column_type), position, TRIM(error_message) FROM sys_load_error_detail "
        f"WHERE query_id = {query} AND line_number = 2"
    )
    assert (kind, where, raw[:7]) == ("int4", 0, "Invalid")
    # https://docs.aws.amazon.com/redshift/latest/dg/r_STL_LOADERROR_DETAIL.html
    assert loads.caller.rows(
        f"SELECT TRIM(value) FROM stl_loaderror_detail WHERE query = {query} AND line_number = 2"
    ) == [["x"]]
    assert loads.run(people, body, "IGNOREALLERRORS")["ResultRows"] == 2


def test_noload_only_checks(loads: Loads, people: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-load.html
    loads.run(people, "1|a|\n", "NOLOAD")
    assert loads.reason(people, "x|a|\n", "NOLOAD").startswith("1207")
    assert rows(loads, people) == []


def test_compressed_and_encoded_files(loads: Loads, people: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-file-compression.html
    packed = pa.BufferOutputStream()
    with pa.CompressedOutputStream(packed, "zstd") as stream:
        stream.write(b"3|c|\n")
    loads.run(people, gzip.compress(b"1|a|\n"), "GZIP")
    loads.run(people, bz2.compress(b"2|b|\n"), "BZIP2")
    loads.run(people, packed.getvalue().to_pybytes(), "ZSTD")
    loads.run(people, "4|é|\n".encode("utf-16"), "ENCODING AS UTF16")
    loads.run(people, b"5|\xe9|\n", "ACCEPTINVCHARS AS '^'")
    assert [row[1] for row in rows(loads, people)] == ["a", "b", "c", "é", "^"]
    assert loads.reason(people, b"6|\xe9\n") == "1214 Delimiter not found"
    assert loads.reason(people, b"6|\xe9|\n").endswith("Bad UTF8 hex sequence: e9 (error 2)")
    assert "failed to inflate" in loads.caller.error(loads.sql(people, "7|x|\n", "GZIP"))
    assert "not encoded in utf-16" in loads.caller.error(
        loads.sql(people, b"7|x|\n", "ENCODING UTF16LE")
    )


def test_header_blank_lines_and_column_list(loads: Loads, people: str) -> None:
    loads.run(f"{people} (name, id)", "n|i\n\na|1\n", "IGNOREHEADER AS 1 IGNOREBLANKLINES")
    assert rows(loads, people) == [[1, "a", None]]


def test_a_manifest_of_text_needs_no_lengths(loads: Loads, people: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/loading-data-files-using-manifest.html
    entries = [{"url": loads.put("1|a|\n"), "mandatory": True}, {"url": loads.put("2|b|\n")}]
    source = loads.lake.manifest(entries)
    loads.caller.run(f"COPY {people} FROM '{source}' IAM_ROLE '{loads.lake.iam_role}' MANIFEST")
    assert [row[0] for row in rows(loads, people)] == [1, 2]
    folder = entries[0]["url"].rpartition("/")[0] + "/"
    source = loads.lake.manifest([{"url": folder}])
    # https://docs.aws.amazon.com/redshift/latest/dg/r_Load_Error_Reference.html
    assert "code:      8001" in loads.caller.error(
        f"COPY {people} FROM '{source}' IAM_ROLE '{loads.lake.iam_role}' MANIFEST"
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("CSV ESCAPE", "ESCAPE is not supported for CSV"),
        ("CSV REMOVEQUOTES", "REMOVEQUOTES is not supported for CSV"),
        ("QUOTE '%'", "QUOTE is only supported with CSV"),
        ("DELIMITER ';;'", "DELIMITER must be a single ASCII character"),
        ("MAXERROR 100001", "MAXERROR must be between 0 and 100000"),
        ("MAXERROR 1 IGNOREALLERRORS", "IGNOREALLERRORS cannot be used with MAXERROR"),
        ("GZIP ZSTD", "conflicting or redundant options"),
        ("DATEFORMAT 'sometimes'", "the format 'sometimes' is not valid"),
        ("FIXEDWIDTH '0:3'", "does not support COPY of the format FIXEDWIDTH"),
        ("LZOP", "does not support COPY of files compressed with LZOP"),
        ("SERIALIZETOJSON", "SERIALIZETOJSON is only supported for columnar formats"),
        ("CSV SPEEDILY", 'syntax error at or near "speedily"'),
    ],
)
def test_options_that_cannot_be(loads: Loads, people: str, options: str, said: str) -> None:
    assert said in loads.caller.error(loads.sql(people, "1|a|2026-01-02\n", options))
