"""A refusal sorted wrongly is retried for ever, or never."""

import pytest
from tidemark.core.errors import FixConfiguration, MigrateSchema, TryAgain
from tidemark.core.loading.load_failures import BadData, explain_failure, sort_refusal


@pytest.mark.parametrize(
    ("reason", "family"),
    [
        ("ERROR: User arn:x is not authorized to assume IAM Role arn:y", FixConfiguration),
        ("ERROR: permission denied for relation orders", FixConfiguration),
        ("S3ServiceException:Access Denied,Status 403", FixConfiguration),
        ("Unmatched number of columns between table and file. Table columns: 3", MigrateSchema),
        ("has an incompatible Parquet schema for column 's3://b/f.id'", MigrateSchema),
        ('ERROR: column "colour" of relation "orders" does not exist', MigrateSchema),
        ("The length of the data column note is longer than the length defined", BadData),
        ("ERROR: Value too long for character type", BadData),
        ("String contains invalid or unsupported UTF8 codepoints. Bad UTF8 hex sequence", BadData),
        ("Cannot insert a NULL value into column name. File name: s3://b/f", BadData),
        ("Missing data for not-null field", BadData),
        ('null value in column "name" violates not-null constraint', BadData),
        ('new row for relation "t" violates check constraint "sane"', BadData),
        ('insert on table "t" violates foreign key constraint "of"', MigrateSchema),
        ("ERROR: 1023 Serializable isolation violation on table", TryAgain),
        ("Spectrum Scan Error: 5xx", TryAgain),
        ("Query aborted on user's request", TryAgain),
    ],
)
def test_a_refusal_is_sorted_by_who_acts_next(reason, family):
    error = explain_failure(
        reason, failed="copy_batch", table="shop.orders", target="secondary", statement_id="id-1"
    )
    assert type(error) is family
    for part in ("shop.orders -> secondary", reason, "id-1", "watermark has not moved"):
        assert part in str(error)


def test_bad_data_says_what_it_was():
    def why(reason):
        return explain_failure(
            reason, failed="copy_batch", table="t", target="p", statement_id="i"
        ).bad_text

    assert why("invalid or unsupported UTF8 codepoints. Bad UTF8 hex sequence: 00") == {
        "zero",
        "encoding",
    }
    assert why('invalid byte sequence for encoding "UTF8": 0x00') == {"zero", "encoding"}
    assert why("invalid or unsupported UTF8 codepoints. Bad UTF8 hex sequence: e9") == {"encoding"}
    assert why("The length of the data column note is longer") == set()


def test_bad_data_names_file_and_column_where_the_target_does():
    error = explain_failure(
        "Spectrum Scan Error",
        failed="copy_batch",
        table="t",
        target="p",
        statement_id="i",
        details="s3://b/staging/t/part-0.parquet  , column note (varchar): The length of the data "
        "column note is longer than the length defined in the table. Table: 4, Data: 9",
    )
    assert (error.file, error.column) == ("s3://b/staging/t/part-0.parquet", "note")
    assert error.why.endswith("Data: 9; Spectrum Scan Error")


def test_a_short_stage_is_no_division_by_zero_to_the_reader():
    error = explain_failure(
        "Divide by zero", failed="check_count", table="t", target="p", statement_id="i"
    )
    assert "not as many as the manifest promises" in str(error)
    assert "replan" in str(error)


def test_a_refusal_at_the_door_is_sorted_too():
    assert sort_refusal("UnrecognizedClientException: token")[0] is FixConfiguration
    assert sort_refusal("InternalServerException")[0] is TryAgain


def test_what_befalls_a_best_effort_target_is_said_to_be_owed():
    error = TryAgain(what="it is paused", do="Resume it.").during_load(
        "shop.orders", "secondary", owed=True
    )
    assert "shop.orders -> secondary: it is paused." in str(error)
    assert "owed" in str(error)
    assert "watermark" not in str(error)
