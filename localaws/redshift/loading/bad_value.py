"""One value or line that cannot be loaded, with the codes and words of Redshift's load errors.

Codes: https://docs.aws.amazon.com/redshift/latest/dg/r_Load_Error_Reference.html
"""

from __future__ import annotations


class BadValue(Exception):
    """Why a value cannot be loaded: `code` and `reason` of stl_load_errors."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def delimiter_not_found() -> BadValue:
    """Too few columns: .../dg/system-tables-for-troubleshooting-data-loads.html"""
    return BadValue(1214, "Delimiter not found")


def extra_columns() -> BadValue:
    """Too many columns: https://docs.aws.amazon.com/redshift/latest/dg/r_COPY_command_examples.html"""
    return BadValue(1202, "Extra column(s) found")


def bad_quotes() -> BadValue:
    """A quotation mark where CSV has none. The code is what public logs show: unsourced by AWS."""
    return BadValue(1214, "Invalid quote formatting for CSV")


def missing() -> BadValue:
    """NULL for NOT NULL: https://github.com/spark-redshift-community/spark-redshift/pull/58"""
    return BadValue(1213, "Missing data for not-null field")


def invalid_digit(text: str, position: int, kind: str) -> BadValue:
    """No number: https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_ERROR_DETAIL.html"""
    return BadValue(1207, f"Invalid digit, Value '{text[position]}', Pos {position}, Type: {kind}")


def too_long(kind: str) -> BadValue:
    """Too many bytes: https://github.com/databricks/spark-redshift/pull/53 for VARCHAR,
    https://docs.aws.amazon.com/redshift/latest/dg/r_STL_LOAD_ERRORS.html for CHAR.
    """
    return BadValue(1204, f"{'Char' if kind == 'char' else 'String'} length exceeds DDL length")


def out_of_range(kind: str) -> BadValue:
    """A number that the type cannot hold. Wording unsourced."""
    return BadValue(1222 if kind != "numeric" else 1204, f"Overflow for type {kind}")


def bad_date(shown: str) -> BadValue:
    """No date in the expected format. Wording unsourced beyond that of the timestamp."""
    return BadValue(1205, f"Invalid date format or value [{shown}]")


def bad_timestamp(shown: str) -> BadValue:
    """No time in the expected format. The words are those of public logs: unsourced by AWS."""
    return BadValue(1206, f"Invalid timestamp format or value [{shown}]")
