"""Cut Redshift SQL into tokens, and put tokens together again as PostgreSQL SQL.

Everything that Redshift reads differently from PostgreSQL at this level is settled here: names are
folded to lower case even when quoted, a backslash in a string is an escape, and PostgreSQL's own
literal forms (E'', U&'', dollar quotes but for UNLOAD's) are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from localaws.redshift.errors import NotSupported, StatementError
from localaws.redshift.long_names import MAX_BYTES, shortened

# `engine` is no token of Redshift's: a piece of PostgreSQL's SQL that the front itself put there.
Kind = Literal["word", "name", "string", "number", "symbol", "parameter", "engine"]

_TOKEN = re.compile(
    r"""
      (?P<space>\s+|--[^\n]*)
    | (?P<comment>/\*)
    | (?P<string>'(?:[^'\\]|''|\\.)*')
    | (?P<dollars>\$\$.*?\$\$)
    | (?P<name>"(?:[^"]|"")+")
    | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<word>\#?[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*)
    | (?P<symbol>::|<=|>=|<>|!=|\|\||!~\*|!~|~\*|[-+*/%<>=,.;()~^&|@\#\[\]])
    | (?P<parameter>:[0-9a-zA-Z_]+)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


class Token(NamedTuple):
    """One token. `text` is the value: folded name, decoded string, lower-cased word."""

    kind: Kind
    text: str
    raw: str

    def is_word(self, *words: str) -> bool:
        """Tell whether this is one of these unquoted words (given in lower case)."""
        return self.kind == "word" and self.text in words

    def is_symbol(self, symbol: str) -> bool:
        """Tell whether this is that operator or punctuation mark."""
        return self.kind == "symbol" and self.text == symbol

    def sql(self) -> str:
        """Write the token for PostgreSQL, which runs with standard_conforming_strings on."""
        match self.kind:
            case "name":
                return quote_name(self.text)
            case "string":
                return quote_string(self.text)
            case "word" | "number" | "symbol" | "parameter" | "engine":
                return self.raw


def quote_name(name: str) -> str:
    """Quote a name for PostgreSQL."""
    return '"' + name.replace('"', '""') + '"'


def quote_string(value: str) -> str:
    """Quote a value for PostgreSQL."""
    return "'" + value.replace("'", "''") + "'"


def tokenize(sql: str, *, keep_case: bool = False) -> list[Token]:
    """Cut one text into tokens, without comments and white space.

    `keep_case` leaves quoted names as they are (enable_case_sensitive_identifier).

    Raises StatementError with Redshift's wording for an unterminated string or a stray character,
    and NotSupported for what only PostgreSQL would understand.
    """
    tokens: list[Token] = []
    position = 0
    while position < len(sql):
        match = _TOKEN.match(sql, position)
        if match is None:
            raise _unreadable(sql, position)
        kind, raw = str(match.lastgroup), match.group()
        if kind == "comment":
            position = _end_of_comment(sql, position)
            continue
        if kind == "string":
            _refuse_prefixed_literal(sql, position)
        if kind == "dollars" and not _opens_unload(tokens):
            raise _unreadable(sql, position)
        if kind != "space":
            tokens.append(_token(kind, raw, keep_case=keep_case))
        position = match.end()
    return tokens


def split_statements(tokens: Sequence[Token]) -> list[list[Token]]:
    """Cut at semicolons; empty statements are dropped."""
    statements: list[list[Token]] = [[]]
    for token in tokens:
        if token.is_symbol(";"):
            statements.append([])
        else:
            statements[-1].append(token)
    return [statement for statement in statements if statement]


def bind(tokens: Iterable[Token], parameters: Mapping[str, str]) -> list[Token]:
    """Put values in the place of `:name`; a name without a value stays and fails as syntax."""
    return [
        Token("string", parameters[token.text], "")
        if token.kind == "parameter" and token.text in parameters
        else token
        for token in tokens
    ]


def engine_name(name: str) -> str:
    """Return what a name is called in the engine. Raises StatementError if it is too long.

    Redshift cuts a name after 127 bytes without an error (https://github.com/estuary/connectors/pull/1237);
    here it is refused, because two such names may become the same. Wording unsourced.
    """
    if len(name.encode()) > MAX_BYTES:
        raise StatementError(f'ERROR: identifier "{name}" is longer than {MAX_BYTES} bytes')
    return shortened(name)


def _token(kind: str, raw: str, *, keep_case: bool) -> Token:
    match kind:
        case "word":
            word = raw.lower()
            name = engine_name(word)
            # What starts with # is a temporary table:
            # https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
            return Token("name" if name != word or word.startswith("#") else "word", name, word)
        case "name":
            # Folded although quoted, unless enable_case_sensitive_identifier is set:
            # https://docs.aws.amazon.com/redshift/latest/dg/r_names.html
            name = raw[1:-1].replace('""', '"')
            return Token("name", engine_name(name if keep_case else name.lower()), raw)
        case "string":
            return Token("string", _decode(raw[1:-1]), raw)
        case "dollars":
            return Token("string", raw[2:-2], raw)
        case "number":
            return Token("number", raw, raw)
        case "parameter":
            return Token("parameter", raw[1:], raw)
        case _:
            return Token("symbol", raw, raw)


def _decode(body: str) -> str:
    # A backslash escapes in Redshift's strings as it did in PostgreSQL 8; sqlglot's Redshift
    # dialect reads it so too: https://github.com/tobymao/sqlglot (dialects/redshift.py).
    def value(match: re.Match[str]) -> str:
        text = match.group()
        if text == "''":
            return "'"
        if text[1:].isdigit():
            return chr(int(text[1:], 8))
        return _ESCAPES.get(text[1], text[1])

    return re.sub(r"''|\\[0-7]{1,3}|\\.", value, body, flags=re.DOTALL)


def _opens_unload(tokens: Sequence[Token]) -> bool:
    # The reference does not show it, but the Amazon provider of Airflow writes UNLOAD ($$…$$):
    # https://github.com/apache/airflow/blob/main/providers/amazon/src/airflow/providers/amazon/aws/transfers/redshift_to_s3.py
    return [token.text for token in tokens[-2:]] == ["unload", "("]


def _refuse_prefixed_literal(sql: str, position: int) -> None:
    before = sql[max(position - 2, 0) : position].lower()
    alone = len(before) < 2 or not (before[0].isalnum() or before[0] == "_")
    if before == "u&" or (before[-1:] in ("e", "b", "x", "n") and alone):
        raise NotSupported(f"string literals that start with {before.strip()}'")


def _end_of_comment(sql: str, start: int) -> int:
    depth = 0
    for edge in _COMMENT_EDGE.finditer(sql, start):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    raise StatementError(f'ERROR: unterminated /* comment at or near "{sql[start : start + 40]}"')


def _unreadable(sql: str, position: int) -> StatementError:
    rest = sql[position : position + 40]
    if rest[0] == "'":
        return StatementError(f'ERROR: unterminated quoted string at or near "{rest}"')
    if rest[0] == '"':
        return StatementError(f'ERROR: unterminated quoted identifier at or near "{rest}"')
    if rest[0] == "$":
        return NotSupported("dollar-quoted strings and $1 placeholders")
    return StatementError(f'ERROR: syntax error at or near "{rest[0]}"')
