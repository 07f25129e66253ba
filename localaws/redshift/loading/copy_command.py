"""Read COPY … FROM S3 in Parquet. Options may come in any order; an unknown one is refused.

Allowed beside the authorization, from
https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html :
ACCEPTINVCHARS, FILLRECORD, FROM, IAM_ROLE, CREDENTIALS, STATUPDATE, MANIFEST, EXPLICIT_IDS, and
SERIALIZETOJSON (https://docs.aws.amazon.com/redshift/latest/dg/ingest-super.html).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localaws.redshift.cursor import Cursor
from localaws.redshift.errors import NotSupported, StatementError
from localaws.redshift.lexer import Token
from localaws.redshift.results import Outcome
from localaws.redshift.statements import Kind

if TYPE_CHECKING:
    from localaws.redshift.session import Session

_OTHER_FORMATS = ("csv", "json", "avro", "orc", "delimiter", "fixedwidth", "shapefile", "rcfile")
_NOT_DONE = ("acceptinvchars", "fillrecord", "explicit_ids")
_OTHER_AUTHORIZATION = ("credentials", "access_key_id", "secret_access_key", "session_token")


@dataclass(frozen=True, slots=True)
class Copy:
    """COPY … FROM S3 in Parquet; `columns` is empty when no column list was given."""

    table: str
    columns: tuple[str, ...]
    source: str
    iam_role: str
    manifest: bool
    serialize_to_json: bool
    kind: str = "COPY"

    def run(self, session: Session) -> Outcome:
        """Lock the table against other writers and load every file."""
        session.lock_for_writing(self.table)
        rows = session.copier.run(self, session.connection, session.checkpoint)
        return Outcome(rows=rows)


def parse_copy(tokens: Sequence[Token]) -> Copy:
    """Return what the COPY asks for. Raises StatementError for what Parquet does not allow."""
    cursor = Cursor(tokens)
    cursor.expect_words("copy")
    table = cursor.table()
    columns = tuple(cursor.names_in_parentheses()) if cursor.peek().is_symbol("(") else ()
    cursor.expect_words("from")
    source = cursor.string()
    if not source.startswith("s3://"):
        raise NotSupported(f"COPY from {source.split(':', maxsplit=1)[0]}: only from s3://")
    role = ""
    manifest = parquet = serialize = False
    cursor.skip_words("with")
    while not cursor.done:
        word = cursor.take()
        if word.is_word("iam_role"):
            role = "default" if cursor.skip_words("default") else cursor.string()
        elif word.is_word("format"):
            cursor.skip_words("as")
            parquet = _format(cursor.take())
        elif word.is_word("parquet", *_OTHER_FORMATS):
            parquet = _format(word)
        elif word.is_word("manifest"):
            manifest = True
        elif word.is_word("serializetojson"):
            serialize = True
        elif word.is_word("statupdate"):
            cursor.skip_words("on") or cursor.skip_words("off")  # no effect on what is loaded
        else:
            raise _refusal(word, cursor)
    if not parquet:
        raise NotSupported("COPY of text files: only FORMAT AS PARQUET")
    if not role:
        # One of the authorization clauses is required; wording unsourced:
        # https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-authorization.html
        raise StatementError("ERROR: COPY needs an authorization clause such as IAM_ROLE")
    return Copy(table, columns, source, role, manifest, serialize)


def _format(token: Token) -> bool:
    if not token.is_word("parquet"):
        raise NotSupported(f"COPY of the format {token.raw.upper()}: only PARQUET")
    return True


def _refusal(word: Token, cursor: Cursor) -> StatementError:
    if word.kind != "word":
        cursor.position -= 1
        return cursor.error()
    name = word.text.upper()
    if word.text in _NOT_DONE:
        return NotSupported(f"the COPY option {name}")
    if word.text in _OTHER_AUTHORIZATION:
        return NotSupported(f"COPY with {name}: only IAM_ROLE")
    # Wording for REGION: https://github.com/apache/iggy/pull/3654 ; for the others unsourced.
    return StatementError(f"ERROR: {name} argument is not supported for PARQUET based COPY")


KINDS = (
    Kind(
        "COPY",
        (("copy",),),
        "FROM 's3://…' IAM_ROLE '…' PARQUET [MANIFEST] [SERIALIZETOJSON]",
        parse_copy,
    ),
)
