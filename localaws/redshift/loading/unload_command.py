"""Read UNLOAD ('query') TO S3. Options may come in any order; an unknown one is refused.

https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from localaws.redshift.engine.results import Outcome
from localaws.redshift.errors import NotSupported, StatementError
from localaws.redshift.loading.access import CLAUSES, Access, Clauses
from localaws.redshift.long_names import in_full
from localaws.redshift.sql.cursor import Cursor
from localaws.redshift.sql.lexer import Token, tokenize
from localaws.redshift.sql.statements import Kind

if TYPE_CHECKING:
    from localaws.redshift.engine.session import Session

FileFormat = Literal["parquet", "json", "csv", "text"]

MAX_FILE_BYTES = int(Decimal("6.2") * 1024**3)
_MIN_FILE_BYTES = 5 * 1024**2
_UNITS = {"mb": 1024**2, "gb": 1024**3}
_FLAGS = frozenset({
    "csv", "parquet", "json", "header", "bzip2", "gzip", "zstd", "addquotes", "escape",
    "allowoverwrite", "cleanpath",
})  # fmt: skip
_STRINGS = frozenset({"delimiter", "null", "region", "extension"})
_NAMED = {
    "fixedwidth": "UNLOAD with FIXEDWIDTH",
    "encrypted": "UNLOAD with ENCRYPTED",
    "kms_key_id": "UNLOAD with KMS_KEY_ID",
    "master_symmetric_key": "UNLOAD with MASTER_SYMMETRIC_KEY",
}
_COMPRESSIONS = frozenset({"bzip2", "gzip", "zstd"})
_NOT_WITH = {
    "parquet": {"delimiter", "addquotes", "escape", "null", "header"} | _COMPRESSIONS,
    "json": {"delimiter", "header", "addquotes", "escape", "null"},
    "csv": {"addquotes"},
}


@dataclass(slots=True)
class _Draft:
    flags: set[str] = field(default_factory=set)
    texts: dict[str, str] = field(default_factory=dict)
    partition: tuple[str, ...] = ()
    max_bytes: int = MAX_FILE_BYTES
    row_group_bytes: int = 32 * 1024**2


@dataclass(frozen=True, slots=True)
class Unload:
    """UNLOAD. `flags` are the options without a value, `texts` those with a string."""

    query: str
    target: str
    access: Access
    flags: frozenset[str]
    texts: tuple[tuple[str, str], ...]
    partition: tuple[str, ...]
    max_bytes: int
    row_group_bytes: int
    kind: str = "UNLOAD"

    @property
    def file_format(self) -> FileFormat:
        """What the files hold."""
        formats: tuple[FileFormat, ...] = ("parquet", "json", "csv")
        return next((name for name in formats if name in self.flags), "text")

    @property
    def compression(self) -> str:
        """Bzip2, gzip, zstd, or nothing."""
        return next(iter(_COMPRESSIONS & self.flags), "")

    def text(self, option: str, default: str) -> str:
        """Return the value of an option that has a string."""
        return dict(self.texts).get(option, default)

    def run(self, session: Session) -> Outcome:
        """Write the files."""
        session.take_snapshot()
        return Outcome(rows=session.copier.unload(self, session))


def parse_unload(tokens: Sequence[Token]) -> Unload:
    """Return what the UNLOAD asks for. Raises StatementError for options that cannot be."""
    cursor = Cursor(tokens)
    cursor.expect_words("unload")
    cursor.expect_symbol("(")
    query = cursor.string()
    cursor.expect_symbol(")")
    cursor.expect_words("to")
    target = cursor.string()
    if not target.startswith("s3://"):
        raise StatementError("ERROR: UNLOAD destination is not supported. (Hint: only S3)")
    clauses, draft = Clauses("UNLOAD"), _Draft()
    while not cursor.done:
        cursor.skip_words("with")
        token = cursor.take()
        if token.is_word(*CLAUSES):
            clauses.take(token.text, cursor)
        else:
            _option(token, cursor, draft)
    _check(draft)
    _check_query(query)
    return Unload(
        query, target, clauses.access(), frozenset(draft.flags), tuple(sorted(draft.texts.items())),
        draft.partition, draft.max_bytes, draft.row_group_bytes,
    )  # fmt: skip


def _option(token: Token, cursor: Cursor, draft: _Draft) -> None:
    name = token.text if token.kind == "word" else ""
    if name == "format":
        cursor.skip_words("as")
        name = cursor.take().text
        if name not in ("csv", "parquet", "json"):
            cursor.position -= 1
            raise cursor.error()
    if name in _NAMED:
        raise NotSupported(_NAMED[name])
    if name in draft.flags or name in draft.texts:
        raise StatementError("ERROR: conflicting or redundant options")  # wording unsourced
    if name in _FLAGS:
        draft.flags.add(name)
    elif name in _STRINGS:
        cursor.skip_words("as")
        draft.texts[name] = cursor.string()
    elif name == "manifest":
        draft.flags.update({"manifest", "verbose"} if cursor.skip_words("verbose") else {name})
    elif name == "parallel":
        off = cursor.skip_words("off") or cursor.skip_words("false")
        cursor.skip_words("on") or cursor.skip_words("true")
        draft.flags.add("serial" if off else name)
    elif name == "partition":
        cursor.expect_words("by")
        draft.partition = tuple(map(in_full, cursor.names_in_parentheses()))
        draft.flags.update({"include"} if cursor.skip_words("include") else ())
    elif name == "maxfilesize":
        draft.max_bytes = _size(name, cursor, _MIN_FILE_BYTES, MAX_FILE_BYTES, "5 MB and 6.2 GB")
    elif name == "rowgroupsize":
        low, high = 32 * 1024**2, 128 * 1024**2
        draft.row_group_bytes = _size(name, cursor, low, high, "32 MB and 128 MB")
        draft.flags.add(name)
    else:
        cursor.position -= 1
        raise cursor.error()


def _size(name: str, cursor: Cursor, low: int, high: int, limits: str) -> int:
    cursor.skip_words("as")
    token = cursor.take()
    if token.kind != "number":
        cursor.position -= 1
        raise cursor.error()
    unit = "gb" if cursor.skip_words("gb") else "mb"
    cursor.skip_words("mb")
    size = int(Decimal(token.text) * _UNITS[unit])
    if not low <= size <= high:
        # Limits: r_UNLOAD; wording unsourced.
        raise StatementError(f"ERROR: {name.upper()} must be between {limits}")
    return size


def _check(draft: _Draft) -> None:
    """Raise StatementError for options that do not go together; all wordings unsourced."""
    flags = draft.flags
    formats = sorted(flags & {"csv", "parquet", "json"})
    if len(formats) > 1 or len(flags & _COMPRESSIONS) > 1:
        raise StatementError("ERROR: conflicting or redundant options")
    for name in formats:
        _refuse(_NOT_WITH[name] & (flags | set(draft.texts)), f"{{}} is not supported for {name}")
    if {"allowoverwrite", "cleanpath"} <= flags:
        raise StatementError("ERROR: CLEANPATH cannot be used with ALLOWOVERWRITE")
    if "rowgroupsize" in flags and "parquet" not in flags:
        raise StatementError("ERROR: ROWGROUPSIZE is only supported for PARQUET")
    delimiter = draft.texts.get("delimiter", "|")
    if len(delimiter) != 1 or not delimiter.isascii():
        raise StatementError("ERROR: DELIMITER must be a single ASCII character")


def _refuse(names: Collection[str], words: str) -> None:
    for name in sorted(names):
        raise StatementError("ERROR: " + words.format(name.upper()))


def _check_query(query: str) -> None:
    tokens = tokenize(query)
    if not tokens or not (tokens[0].is_word("select", "with") or tokens[0].is_symbol("(")):
        raise StatementError("ERROR: UNLOAD needs a SELECT query")  # wording unsourced
    depth = 0
    for token, before in zip(tokens, [None, *tokens], strict=False):
        depth += token.is_symbol("(") - token.is_symbol(")")
        top = token.is_word("top") and before is not None and before.is_word("select")
        if depth == 0 and (token.is_word("limit") or top):
            # https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html has it of LIMIT; of TOP,
            # which is the same, and the wording are unsourced.
            raise StatementError("ERROR: Limit clause is not supported")


KINDS = (
    Kind(
        "UNLOAD",
        (("unload",),),
        "TO 's3://…' in Parquet, CSV, delimited text and JSON; not FIXEDWIDTH, not ENCRYPTED",
        parse_unload,
    ),
)
