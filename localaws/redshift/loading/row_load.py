"""Rows of texts into the engine, batch by batch, with Redshift's way of counting errors.

https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-load.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from localaws.redshift.errors import LoadError, StatementError
from localaws.redshift.loading.bad_value import BadValue
from localaws.redshift.loading.copy_command import Copy
from localaws.redshift.loading.field_values import Field
from localaws.redshift.loading.load_log import LoadLog
from localaws.redshift.loading.store import SourceFile
from localaws.redshift.loading.targets import Target, TargetColumn
from localaws.redshift.sql.lexer import quote_name

if TYPE_CHECKING:
    from localaws.redshift.engine.session import Session

_BATCH_ROWS = 10_000
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


@dataclass(slots=True)
class RowLoad:
    """The rows of one COPY on their way. `add` and `reject` may raise StatementError."""

    plan: Copy
    target: Target
    session: Session
    log: LoadLog
    loaded: int = 0
    _fields: list[Field] = field(default_factory=list)
    _waiting: list[str] = field(default_factory=list)
    _casts: dict[tuple[str, str], str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._fields = [
            Field(column, self.plan.options, self._cast) for column in self.target.columns
        ]

    def add(self, file: SourceFile, line: int, raw: str, values: tuple[str | None, ...]) -> None:
        """Take one row: as many values as the target has columns."""
        row: list[str] = []
        for place, (value, reader) in enumerate(zip(values, self._fields, strict=True)):
            try:
                read = reader.value(value)
            except BadValue as bad:
                parsed = tuple(each or "" for each in values[: place + 1])
                self.reject(file, line, raw, bad, self.target.columns[place], parsed)
                return
            if read is None:
                row.append("\\N")
            else:
                row.append(read.translate(_ESCAPES) if reader.is_free_text else read)
        self._waiting.append("\t".join(row) + "\n")
        if len(self._waiting) >= _BATCH_ROWS:
            self.flush()

    def reject(
        self, file: SourceFile, line: int, raw: str, bad: BadValue,
        column: TargetColumn | None = None, parsed: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        """Note a row that cannot be loaded. Raises StatementError when there are too many."""
        value = parsed[-1] if parsed else ""
        position = sum(len(each) + 1 for each in parsed[:-1])
        name, kind, length = (
            (column.name, column.logged_type, column.length) if column else ("", "", "")
        )
        error = LoadError(
            file.url, name, kind, length, bad.code, bad.reason, line, position,
            _escaped(raw), _escaped(value), tuple(map(_escaped, parsed)),
        )  # fmt: skip
        self.log.errors.append(error)
        limit = max(int(self.plan.options.get("maxerror", 0)), 1)
        if "ignoreallerrors" not in self.plan.options and len(self.log.errors) >= limit:
            # https://docs.aws.amazon.com/redshift/latest/dg/tutorial-loading-run-copy.html
            raise StatementError(
                f"ERROR: Load into table '{self.target.name}' failed.  "
                "Check 'stl_load_errors' system table for details."
            )

    def flush(self) -> None:
        """Hand what waits to the engine. Raises psycopg.Error for what only it refuses."""
        self.session.checkpoint()
        if self._waiting and "noload" not in self.plan.options:
            names = ", ".join(quote_name(column.name) for column in self.target.columns)
            connection = self.session.connection
            # SUPER columns come as JSON: catalog/super.sql
            connection.execute("SET LOCAL localaws.super_input = 'json'")
            sql = f"COPY {self.plan.table} ({names}) FROM STDIN"
            with connection.cursor() as cursor, cursor.copy(sql.encode()) as sink:
                sink.write("".join(self._waiting).encode())
            connection.execute("SET LOCAL localaws.super_input = ''")
            self.loaded += len(self._waiting)
        self._waiting.clear()

    def _cast(self, text: str, kind: str) -> str | None:
        """Return what the engine makes of a date or time; None if it is none."""
        if (text, kind) not in self._casts:
            self._casts[text, kind] = self._asked(text, kind)
        return self._casts[text, kind]

    def _asked(self, text: str, kind: str) -> str | None:
        if "\0" in text or not _is_unicode(text):
            return None
        # OFFSET 0 keeps the planner from casting the text before it was asked about.
        sql = (
            f"SELECT CASE WHEN pg_input_is_valid(v, '{kind}') THEN v::{kind}::text END "  # noqa: S608 - a type's name of ours
            "FROM (SELECT %s::text AS v OFFSET 0) AS given"
        )
        found = self.session.connection.execute(sql.encode(), (text,)).fetchone()
        return found[0] if found else None


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _escaped(text: str) -> str:
    return text.encode(errors="replace").decode()
