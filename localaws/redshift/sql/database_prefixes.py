"""`database.schema.table`, when the database is the one a statement runs in.

https://docs.aws.amazon.com/redshift/latest/dg/cross-database_usage.html
The engine calls its databases otherwise, so the prefix is taken off; another database's stays, and
is refused.
"""

from __future__ import annotations

from collections.abc import Sequence

from localaws.redshift.sql.lexer import Token

# In front of a table's name. A list of tables is not looked into: `a.b.c` may be a column there.
_BEFORE_A_TABLE = (
    "from", "join", "into", "update", "table", "exists", "using", "view", "copy", "truncate",
    "vacuum", "full", "only", "analyze", "verbose", "lock", "like", "references",
)  # fmt: skip


def without_database(tokens: Sequence[Token], database: str) -> list[Token]:
    """Return the tokens without this database's name in front of schemas."""
    kept: list[Token] = []
    index = 0
    while index < len(tokens):
        parts = _parts(tokens, index) if tokens[index].text == database.lower() else 0
        follows_dot = bool(kept) and kept[-1].is_symbol(".")
        names_table = bool(kept) and kept[-1].is_word(*_BEFORE_A_TABLE)
        if not follows_dot and (parts == 4 or (parts == 3 and names_table)):
            index += 2
        kept.append(tokens[index])
        index += 1
    return kept


def _parts(tokens: Sequence[Token], start: int) -> int:
    """Count the names that dots join from here on; a last `*` counts."""
    count, index = 0, start
    while index < len(tokens) and (
        tokens[index].kind in ("word", "name") or (count and tokens[index].is_symbol("*"))
    ):
        count += 1
        if index + 1 >= len(tokens) or not tokens[index + 1].is_symbol("."):
            break
        index += 2
    return count
