"""What a source's catalogue says of its tables, joined from three lists. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Index:
    """One index; `identifies` says that no two rows share its values, NULL included."""

    name: str
    columns: tuple[str, ...]
    identifies: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A table as the source's catalogue shows it.

    :param columns: rows of `information_schema.columns`, keys in lower case
    :param rows: the server's guess, often off by half; :param size: bytes, as rough
    """

    db_schema: str
    table: str
    kind: str
    engine: str
    rows: int
    size: int
    columns: tuple[Mapping[str, Any], ...]
    indexes: tuple[Index, ...]

    @property
    def name(self) -> str:
        """``<schema>.<table>``."""
        return f"{self.db_schema}.{self.table}"


def group_catalogue(
    tables: Sequence[Mapping[str, Any]],
    columns: Sequence[Mapping[str, Any]],
    indexes: Sequence[Mapping[str, Any]],
) -> list[Found]:
    """Join the three answers of `discover_tables.sql` into tables."""
    columns_of = _by_table(columns)
    indexes_of = _by_table(indexes)
    return [
        Found(
            db_schema=row["db_schema"],
            table=row["table_name"],
            kind=row["kind"],
            engine=row["engine"] or "",
            rows=int(row["rows_estimate"] or 0),
            size=int(row["bytes_estimate"] or 0),
            columns=tuple(columns_of.get((row["db_schema"], row["table_name"]), ())),
            indexes=_indexes(indexes_of.get((row["db_schema"], row["table_name"]), ())),
        )
        for row in tables
    ]


def _by_table(
    rows: Iterable[Mapping[str, Any]],
) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    grouped: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        grouped.setdefault((row["db_schema"], row["table_name"]), []).append(row)
    return grouped


def _indexes(rows: Iterable[Mapping[str, Any]]) -> tuple[Index, ...]:
    parts: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        parts.setdefault(row["index_name"], []).append(row)
    return tuple(
        Index(
            name=name,
            columns=tuple(str(part["column_name"]) for part in of),
            identifies=all(
                not int(part["non_unique"])
                and part["column_name"]
                and part["nullable"] != "YES"
                and part["prefix_length"] is None
                for part in of
            ),
        )
        for name, of in parts.items()
    )
