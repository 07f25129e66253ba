"""COMMENT: https://docs.aws.amazon.com/redshift/latest/dg/r_COMMENT.html"""

from __future__ import annotations

from collections.abc import Sequence

from localaws.redshift.engine.session import Plan
from localaws.redshift.errors import NotSupported
from localaws.redshift.sql.cursor import Cursor
from localaws.redshift.sql.lexer import Token
from localaws.redshift.sql.plans import RunSql


def comment(tokens: Sequence[Token]) -> Plan:
    """Plan COMMENT ON TABLE, COLUMN or VIEW."""
    cursor = Cursor(tokens)
    cursor.expect_words("comment", "on")
    what = cursor.take()
    if not what.is_word("table", "column", "view"):
        raise NotSupported(f"COMMENT ON {what.raw.upper()}")
    target = cursor.table()
    cursor.expect_words("is")
    text = "NULL" if cursor.skip_words("null") else cursor.take().sql()
    cursor.expect_end()
    return RunSql("COMMENT", f"COMMENT ON {what.text} {target} IS {text}", takes_snapshot=False)
