"""What stands behind a table's columns: BACKUP, DISTSTYLE, DISTKEY, SORTKEY, ENCODE AUTO.

https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from localaws.redshift.definitions.attributes import Attributes, DistStyle, SortStyle
from localaws.redshift.definitions.columns import key_type_refused
from localaws.redshift.definitions.encodings import default_encoding
from localaws.redshift.errors import StatementError
from localaws.redshift.sql.cursor import Cursor

_MAX_SORT_COLUMNS = {"compound": 400, "interleaved": 8}
_STARTS = ("diststyle", "distkey", "sortkey", "compound", "interleaved", "encode", "backup")


@dataclass(frozen=True, slots=True)
class Clauses:
    """The clauses as they were written; None stands for one that was not."""

    diststyle: DistStyle | None = None
    distkey: str | None = None
    sortstyle: SortStyle | None = None
    sortkey: tuple[str, ...] = ()
    encode_auto: bool = False
    backup: bool | None = None

    @property
    def empty(self) -> bool:
        """Whether none was written."""
        return self == Clauses()


@dataclass(frozen=True, slots=True)
class KeyColumn:
    """A column of a new table, as far as keys and encodings are concerned."""

    number: int
    name: str
    type_name: str
    encoding: str | None = None
    distkey: bool = False
    sortkey: bool = False


def parse_clauses(cursor: Cursor, *, positions: bool = False) -> Clauses:
    """Take all clauses, in any order; CREATE TABLE AS may name columns by their position."""
    found: dict[str, object] = {}
    while cursor.peek().is_word(*_STARTS):
        for name, value in _clause(cursor, positions).items():
            if name in found:
                raise StatementError("ERROR: conflicting or redundant options")
            found[name] = value
    return Clauses(**found)  # type: ignore[arg-type]


def attributes_of(
    table: str, columns: Sequence[KeyColumn], clauses: Clauses, *, temporary: bool
) -> Attributes:
    """Return what a new table has. Raises StatementError for keys that Redshift refuses.

    Wordings unsourced, but for the unknown column's:
    https://github.com/jazzband/django-redshift-backend/blob/master/CHANGES.rst (#64)
    """
    distkeys = [column.name for column in columns if column.distkey]
    if clauses.distkey is not None:
        distkeys.append(_named(clauses.distkey, columns))
    if len(distkeys) > 1:
        raise StatementError("ERROR: a table can have only one distkey column")
    if distkeys and clauses.diststyle not in (None, "key"):
        raise StatementError("ERROR: cannot specify a distkey with a diststyle other than key")
    if clauses.diststyle == "key" and not distkeys:
        raise StatementError("ERROR: diststyle key needs a distkey column")
    sortkeys = [column.name for column in columns if column.sortkey]
    if len(sortkeys) > 1 or (sortkeys and clauses.sortstyle):
        raise StatementError("ERROR: a column's sortkey must be the only one of its table")
    sortkeys += [_named(name, columns) for name in clauses.sortkey]
    distkey = key_numbers(table, columns, distkeys, distkey=True)
    sortstyle: SortStyle = clauses.sortstyle or ("compound" if sortkeys else "auto")
    sortkey = key_numbers(table, columns, sortkeys, style=sortstyle)
    # A table with one ENCODE is no longer ENCODE AUTO, unless it says so:
    # https://docs.aws.amazon.com/redshift/latest/dg/c_Compression_encodings.html
    return Attributes(
        diststyle=clauses.diststyle or ("key" if distkey else "auto"),
        distkey=distkey[0] if distkey else None,
        sortstyle=sortstyle,
        sortkey=sortkey,
        encode_auto=clauses.encode_auto or not any(column.encoding for column in columns),
        encodings={
            column.number: column.encoding
            or default_encoding(
                column.type_name, sort_key=column.number in sortkey, temporary=temporary
            )
            for column in columns
        },
        backup=clauses.backup is not False,
    )


def key_numbers(
    table: str,
    columns: Sequence[KeyColumn],
    names: Sequence[str],
    *,
    distkey: bool = False,
    style: str = "compound",
) -> tuple[int, ...]:
    """Return the numbers of a key's columns. Raises StatementError if they cannot be a key."""
    by_name = {column.name: column for column in columns}
    for name in names:
        if name not in by_name:
            raise StatementError(
                f'ERROR: column "{name}" specified as distkey/sortkey is not in the table "{table}"'
            )
        if by_name[name].type_name in ("super", "varbyte"):
            raise key_type_refused(name, by_name[name].type_name, distkey=distkey)
    if len(set(names)) < len(names):
        raise StatementError("ERROR: a column appears twice in the sortkey")
    most = _MAX_SORT_COLUMNS.get(style, 400)
    if len(names) > most:
        raise StatementError(f"ERROR: a {style} sortkey can have at most {most} columns")
    return tuple(by_name[name].number for name in names)


def parse_sort_key(cursor: Cursor, *, positions: bool = False) -> tuple[str, ...]:
    """Take `(a, b, …)`."""
    cursor.expect_symbol("(")
    names = [_key_name(cursor, positions)]
    while cursor.skip_symbol(","):
        names.append(_key_name(cursor, positions))
    cursor.expect_symbol(")")
    return tuple(names)


def _clause(cursor: Cursor, positions: bool) -> dict[str, object]:
    word = cursor.take()
    match word.text:
        case "diststyle":
            if not cursor.peek().is_word("auto", "even", "key", "all"):
                raise cursor.error()
            return {"diststyle": cursor.take().text}
        case "distkey":
            names = parse_sort_key(cursor, positions=positions)
            if len(names) > 1:
                raise StatementError("ERROR: a table can have only one distkey column")
            return {"distkey": names[0]}
        case "backup":
            if not cursor.peek().is_word("yes", "no"):
                raise cursor.error()
            return {"backup": cursor.take().is_word("yes")}
        case "encode":
            cursor.expect_words("auto")
            return {"encode_auto": True}
        case "compound" | "interleaved":
            cursor.expect_words("sortkey")
            sortkey = parse_sort_key(cursor, positions=positions)
            return {"sortstyle": word.text, "sortkey": sortkey}
        case _:
            if cursor.skip_words("auto"):
                return {"sortstyle": "auto"}
            return {
                "sortstyle": "compound",
                "sortkey": parse_sort_key(cursor, positions=positions),
            }


def _key_name(cursor: Cursor, positions: bool) -> str:
    if positions and cursor.peek().kind == "number":
        return f"{cursor.number()}:"
    return cursor.name()


def _named(name: str, columns: Sequence[KeyColumn]) -> str:
    """Return the column's name for a name or a position (written `3:`)."""
    position = name.removesuffix(":")
    if position == name or not position.isdigit():
        return name
    if not 1 <= int(position) <= len(columns):
        raise StatementError(f"ERROR: there is no column {position} to be a key")
    return columns[int(position) - 1].name
