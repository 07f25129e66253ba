"""What a MERGE may compare and refer to: https://docs.aws.amazon.com/redshift/latest/dg/r_MERGE.html"""

from __future__ import annotations

from collections.abc import Sequence

from localaws.redshift.errors import NotSupported, StatementError
from localaws.redshift.sql.cursor import Cursor
from localaws.redshift.sql.lexer import Token

Names = tuple[set[tuple[str, ...]], set[tuple[str, ...]]]


def check_condition(tokens: Sequence[Token], names: Names) -> None:
    """Accept column = column, joined by AND: "equal predicates between" the two tables' columns.

    The page does not say what becomes of anything else, so it is refused by name.
    """
    refuse_partial_super(tokens, names)
    cursor = Cursor([token for token in tokens if token.text not in ("(", ")")])
    if cursor.done:
        raise cursor.error()
    while True:
        left = _side(cursor, names)
        if not cursor.skip_symbol("="):
            raise NotSupported("a MERGE condition other than column = column")
        right = _side(cursor, names)
        if left and left == right:
            raise NotSupported(f"a MERGE condition that compares the {left} with itself")
        if cursor.done:
            return
        if not cursor.skip_words("and"):
            raise NotSupported("a MERGE condition other than column = column")


def _side(cursor: Cursor, names: Names) -> str:
    if cursor.peek().kind not in ("word", "name"):
        raise NotSupported("a MERGE condition other than column = column")
    *qualifier, _ = chain(cursor)
    if not qualifier:
        return ""
    return "target" if tuple(qualifier) in names[0] else "source"


def chain(cursor: Cursor) -> list[str]:
    """Take a name with its qualifiers and return its parts."""
    parts = [cursor.name()]
    while cursor.peek().is_symbol(".") and cursor.peek(1).kind in ("word", "name"):
        cursor.take()
        parts.append(cursor.name())
    return parts


def refuse_partial_super(tokens: Sequence[Token], names: Names) -> None:
    """Raise StatementError if a part of a SUPER column is referred to."""
    cursor = Cursor(tokens)
    partial = False
    while not cursor.done:
        if cursor.peek().kind not in ("word", "name"):
            partial = cursor.take().is_symbol("[") or partial
            continue
        parts = tuple(chain(cursor))
        lengths = [len(name) for name in names[0] | names[1] if parts[: len(name)] == name]
        partial = partial or (bool(lengths) and len(parts) - max(lengths) > 1)
    if partial:
        # The words are the page's.
        raise StatementError(
            "ERROR: Partial reference of SUPER column is not supported in MERGE statement."
        )
