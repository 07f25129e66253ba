"""Read COPY … FROM S3. Options may come in any order; an unknown one is refused.

https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from localaws.redshift.engine.results import Outcome
from localaws.redshift.errors import NotSupported
from localaws.redshift.loading.access import CLAUSES, Access, Clauses
from localaws.redshift.loading.copy_options import Options, Value, check_options, read_option
from localaws.redshift.sql.cursor import Cursor
from localaws.redshift.sql.lexer import Token
from localaws.redshift.sql.statements import Kind

if TYPE_CHECKING:
    from localaws.redshift.engine.session import Session

FileFormat = Literal["parquet", "json", "csv", "text"]


@dataclass(frozen=True, slots=True)
class Copy:
    """COPY … FROM S3; `columns` is empty when no column list was given."""

    table: str
    columns: tuple[str, ...]
    source: str
    access: Access
    options: Options = field(default_factory=dict)
    kind: str = "COPY"

    @property
    def manifest(self) -> bool:
        """Whether the source is a manifest."""
        return bool(self.options.get("manifest"))

    @property
    def file_format(self) -> FileFormat:
        """What the files hold."""
        formats: tuple[FileFormat, ...] = ("parquet", "json", "csv")
        return next((name for name in formats if name in self.options), "text")

    def run(self, session: Session) -> Outcome:
        """Load every file, in the session's transaction."""
        return Outcome(rows=session.copier.run(self, session))


def parse_copy(tokens: Sequence[Token]) -> Copy:
    """Return what the COPY asks for. Raises StatementError for options that cannot be."""
    cursor = Cursor(tokens)
    cursor.expect_words("copy")
    if cursor.peek().is_word("job"):
        raise NotSupported("the statement COPY JOB")
    table = cursor.table()
    columns = tuple(cursor.names_in_parentheses()) if cursor.peek().is_symbol("(") else ()
    cursor.expect_words("from")
    source = cursor.string()
    if not source.startswith("s3://"):
        raise NotSupported(f"COPY from {source.split(':', maxsplit=1)[0]}: only from s3://")
    clauses = Clauses("COPY")
    options: dict[str, Value] = {}
    while not cursor.done:
        cursor.skip_words("with")
        token = cursor.take()
        if token.is_word(*CLAUSES):
            clauses.take(token.text, cursor)
        else:
            read_option(token, cursor, options)
    access = clauses.access()
    check_options(options)
    return Copy(table, columns, source, access, options)


KINDS = (
    Kind(
        "COPY",
        (("copy",),),
        "FROM 's3://…' in Parquet, CSV, delimited text and JSON; IAM_ROLE, CREDENTIALS or keys; "
        "MANIFEST; GZIP, BZIP2, ZSTD",
        parse_copy,
    ),
)
