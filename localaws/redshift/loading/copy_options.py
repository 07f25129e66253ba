"""How each option of COPY is written, and which ones a format allows.

Lists: https://docs.aws.amazon.com/redshift/latest/dg/r_COPY-alphabetical-parm-list.html
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from localaws.redshift.errors import NotSupported, StatementError
from localaws.redshift.sql.cursor import Cursor
from localaws.redshift.sql.lexer import Token

Value = str | int | bool
Options = Mapping[str, Value]

_FLAGS = frozenset({
    "manifest", "csv", "parquet", "gzip", "bzip2", "zstd", "removequotes", "escape",
    "acceptanydate", "blanksasnull", "emptyasnull", "explicit_ids", "fillrecord",
    "ignoreblanklines", "roundec", "trimblanks", "truncatecolumns", "noload", "ignoreallerrors",
    "serializetojson",
})  # fmt: skip
_STRINGS = frozenset({"delimiter", "quote", "null", "dateformat", "timeformat", "region"})
_NUMBERS = frozenset({"ignoreheader", "maxerror", "comprows"})
_SWITCHES = frozenset({"statupdate", "compupdate"})
_NAMED = {
    "avro": "COPY of the format AVRO", "orc": "COPY of the format ORC",
    "rcfile": "COPY of the format RCFILE", "sequencefile": "COPY of the format SEQUENCEFILE",
    "fixedwidth": "COPY of the format FIXEDWIDTH", "shapefile": "COPY of the format SHAPEFILE",
    "lzop": "COPY of files compressed with LZOP", "ssh": "COPY over SSH",
    "encrypted": "COPY of files encrypted by the client (ENCRYPTED)",
    "master_symmetric_key": "COPY of files encrypted by the client (MASTER_SYMMETRIC_KEY)",
    "readratio": "COPY from DynamoDB (READRATIO)", "job": "COPY JOB",
}  # fmt: skip
_ENCODINGS = ("utf8", "utf16", "utf16le", "utf16be")
_MAXERROR_LIMIT = 100_000

# https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html , and
# SERIALIZETOJSON: https://docs.aws.amazon.com/redshift/latest/dg/ingest-super.html
_WITH_PARQUET = frozenset(
    {"parquet", "acceptinvchars", "fillrecord", "statupdate", "manifest", "explicit_ids",
     "serializetojson"}
)  # fmt: skip
# https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html
_NOT_WITH_JSON = frozenset(
    {"csv", "delimiter", "escape", "fillrecord", "ignoreblanklines", "null", "removequotes",
     "quote"}
)  # fmt: skip
_NOT_WITH_CSV = frozenset({"removequotes", "escape"})


def read_option(token: Token, cursor: Cursor, found: dict[str, Value]) -> None:
    """Read one option, whose first word is `token`, into `found`.

    Raises StatementError for what is no option or is given twice, NotSupported by name.
    """
    name = token.text if token.kind == "word" else ""
    if name == "format":
        cursor.skip_words("as")
        token = cursor.take()
        name = token.text if token.kind == "word" else ""
        if name not in ("csv", "parquet", "json") and name not in _NAMED:
            cursor.position -= 1
            raise cursor.error()
    if name in _NAMED:
        raise NotSupported(_NAMED[name])
    if name in found:
        # PostgreSQL's words for an option given twice; that they hold here is unsourced.
        raise StatementError("ERROR: conflicting or redundant options")
    if name in _FLAGS:
        found[name] = True
    elif name in _STRINGS:
        cursor.skip_words("as")
        found[name] = _literal(name, cursor)
    elif name in _NUMBERS:
        cursor.skip_words("as")
        found[name] = cursor.number()
    elif name in _SWITCHES:
        found[name] = _switch(name, cursor)
    elif name == "json":
        cursor.skip_words("as")
        found[name] = cursor.string() if cursor.peek().kind == "string" else "auto"
    elif name == "acceptinvchars":
        cursor.skip_words("as")
        found[name] = cursor.string() if cursor.peek().kind == "string" else "?"
    elif name == "encoding":
        cursor.skip_words("as")
        found[name] = _encoding(cursor)
    else:
        cursor.position -= 1
        raise cursor.error()


def check_options(options: Options) -> None:
    """Raise StatementError for options that do not go together, or out of their range."""
    formats = [name for name in ("csv", "json", "parquet") if name in options]
    if len(formats) > 1:
        raise StatementError("ERROR: conflicting or redundant options")  # wording unsourced
    if "parquet" in options:
        # Wording for REGION: https://github.com/apache/iggy/pull/3654 ; for the others unsourced.
        _refuse(set(options) - _WITH_PARQUET, "{} argument is not supported for PARQUET based COPY")
    elif "serializetojson" in options:
        raise StatementError("ERROR: SERIALIZETOJSON is only supported for columnar formats")
    if "json" in options:
        _refuse(_NOT_WITH_JSON & set(options), "{} is not supported for JSON")  # wording unsourced
    if "csv" in options:
        _refuse(_NOT_WITH_CSV & set(options), "{} is not supported for CSV")  # wording unsourced
    elif "quote" in options:
        raise StatementError("ERROR: QUOTE is only supported with CSV")  # wording unsourced
    if "maxerror" in options:
        if "ignoreallerrors" in options:
            # https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-load.html ;
            # wording unsourced, as that of the limit
            raise StatementError("ERROR: IGNOREALLERRORS cannot be used with MAXERROR")
        if int(options["maxerror"]) > _MAXERROR_LIMIT:
            raise StatementError(f"ERROR: MAXERROR must be between 0 and {_MAXERROR_LIMIT}")
    if len({"gzip", "bzip2", "zstd"} & set(options)) > 1:
        raise StatementError("ERROR: conflicting or redundant options")  # wording unsourced
    for name in ("delimiter", "quote", "acceptinvchars"):
        # One ASCII character: copy-parameters-data-format, copy-parameters-data-conversion
        text = str(options.get(name, "?"))
        if len(text) != 1 or not text.isascii() or (name == "acceptinvchars" and text == "\0"):
            raise StatementError(f"ERROR: {name.upper()} must be a single ASCII character")


def _refuse(names: Collection[str], words: str) -> None:
    for name in sorted(names):
        raise StatementError("ERROR: " + words.format(name.upper()))


def _switch(name: str, cursor: Cursor) -> Value:
    if name == "compupdate" and cursor.skip_words("preset"):
        return "preset"
    if cursor.skip_words("off") or cursor.skip_words("false"):
        return False
    cursor.skip_words("on") or cursor.skip_words("true")
    return True


def _encoding(cursor: Cursor) -> str:
    token = cursor.take()
    if not token.is_word(*_ENCODINGS):
        cursor.position -= 1
        raise cursor.error()
    return token.text


def _literal(name: str, cursor: Cursor) -> str:
    raw = cursor.peek().raw
    text = cursor.string()
    if name == "null" and raw == r"'\N'":
        # Documented as the default, so it means the two characters, whatever strings escape:
        # https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html
        return r"\N"
    if name == "delimiter" and text == r"\t":
        return "\t"
    if name in ("delimiter", "null") and len(text) > 1 and text[0] == "\\" and text[1:].isdigit():
        return chr(int(text[1:], 8))
    return text
