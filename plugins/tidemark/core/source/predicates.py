"""Read the `where` of a table: a condition on one row that is true today and in ten years.

A batch must be readable again and give the same rows, so a condition may name columns, constants,
comparisons and the functions below. It may not ask for the time, the user, another table, or
anything else that changes. It is taken apart here and written anew with everything quoted, so that
no text of a configuration file reaches the source as it stands.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

KEYWORDS = frozenset(
    {"AND", "OR", "XOR", "NOT", "IN", "IS", "NULL", "LIKE", "BETWEEN", "TRUE", "FALSE", "DIV"}
)
FUNCTIONS = frozenset(
    {
        "ABS", "CHAR_LENGTH", "COALESCE", "DATE", "IFNULL", "LEFT", "LENGTH", "LOWER", "MOD",
        "MONTH", "RIGHT", "SUBSTRING", "TRIM", "UPPER", "YEAR",
    }
)  # fmt: skip

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^'\\]|''|\\[%_])*')
      | (?P<number>\d+(?:\.\d+)?(?![\w$.]))
      | `(?P<quoted>[^`]+)`
      | (?P<word>[^\W\d][\w$]*)
      | (?P<operator><=>|<=|>=|<>|!=|[=<>+\-*/%(),])
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a condition; a text comes without its quotes."""

    kind: Literal["text", "number", "column", "keyword", "function", "operator"]
    value: str


def parse_predicate(condition: str) -> tuple[Token, ...]:
    """Return the pieces of a condition. Raises `ValueError` with the reason and the place."""
    tokens = tuple(_tokens(condition))
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token.value, 0) if token.kind == "operator" else 0
        if depth < 0:
            break
    if depth:
        raise ValueError("its parentheses do not match")
    if not any(token.kind == "column" for token in tokens):
        raise ValueError("it names no column, so it would hold for all rows or for none")
    return tokens


def columns_of(condition: str) -> tuple[str, ...]:
    """Return the columns that a condition names, each once, in its order."""
    named = (token.value for token in parse_predicate(condition) if token.kind == "column")
    return tuple(dict.fromkeys(named))


def _tokens(condition: str) -> Iterator[Token]:
    place, end = 0, len(condition.rstrip())
    while place < end:
        match = _TOKEN.match(condition, place)
        if match is None:
            raise ValueError(
                f"{condition[place:].strip()[:20]!r} cannot stand in a condition: write columns, "
                "numbers, 'texts', comparisons, AND, OR, NOT, IN, LIKE, BETWEEN, IS NULL"
            )
        place = match.end()
        yield _token(match, opens=condition[place:].lstrip().startswith("("))


def _token(match: re.Match[str], *, opens: bool) -> Token:
    kind, value = str(match.lastgroup), match[str(match.lastgroup)]
    match kind:
        case "text":
            return Token("text", value[1:-1].replace("''", "'"))
        case "number":
            return Token("number", value)
        case "operator":
            return Token("operator", value)
        case "quoted":
            return Token("column", value)
    if value.upper() in KEYWORDS:
        return Token("keyword", value.upper())
    if not opens:
        return Token("column", value)
    if value.upper() not in FUNCTIONS:
        raise ValueError(
            f"{value}() is not allowed: a condition may use only {', '.join(sorted(FUNCTIONS))}, "
            "whose answer never changes"
        )
    return Token("function", value.upper())
