"""Words that mean something else, or nothing, in the other of the two languages."""

from __future__ import annotations

from localaws.redshift.errors import NotSupported
from localaws.redshift.sql.cursor import Cursor

# Words that may stand before "(" without being a function.
BEFORE_PARENTHESIS = frozenset({
    "all", "and", "any", "as", "between", "by", "case", "cube", "distinct", "else", "except",
    "from", "group", "having", "ilike", "in", "intersect", "is", "join", "like", "limit", "not",
    "offset", "on", "or", "over", "rollup", "select", "set", "sets", "similar", "some", "then",
    "to", "union", "using", "values", "when", "where", "with", "within",
})  # fmt: skip

# PostgreSQL's own; Redshift's reference has none of them in this place.
_FOREIGN = {
    ("returning",): "RETURNING",
    ("on", "conflict"): "ON CONFLICT",
    ("distinct", "on"): "DISTINCT ON",
    ("is", "distinct"): "IS DISTINCT FROM",
    ("is", "not", "distinct"): "IS NOT DISTINCT FROM",
    ("for", "update"): "FOR UPDATE",
    ("for", "share"): "FOR SHARE",
    ("fetch",): "FETCH FIRST",
    ("lateral",): "LATERAL",
    ("tablesample",): "TABLESAMPLE",
    ("collate",): "COLLATE",
    # Redshift's own, not done here yet
    ("qualify",): "QUALIFY",
    ("pivot",): "PIVOT",
    ("unpivot",): "UNPIVOT",
    ("top",): "TOP",
    ("connect", "by"): "CONNECT BY",
    ("start", "with"): "CONNECT BY",
}
_STARTS_OF_FOREIGN = frozenset(words[0] for words in _FOREIGN)


def refuse_foreign(cursor: Cursor) -> None:
    """Raise NotSupported, by name, when a construct comes next that Redshift has not."""
    first = cursor.peek()
    if first.text not in _STARTS_OF_FOREIGN or cursor.peek(1).is_symbol("."):
        return
    for words, name in _FOREIGN.items():
        if all(cursor.peek(index).is_word(word) for index, word in enumerate(words)):
            raise NotSupported(name)
