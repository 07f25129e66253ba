"""The columns that a table has on a target, in the words of `column_types`. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_NAMES = {
    "character varying": "VARCHAR",
    "character": "CHAR",
    "binary varying": "VARBYTE",
    "numeric": "DECIMAL",
    "jsonb": "SUPER",
    "timestamp without time zone": "TIMESTAMP",
    "timestamp with time zone": "TIMESTAMPTZ",
}


@dataclass(frozen=True, slots=True)
class TargetColumn:
    """One column as a target has it.

    :param type: as a plan writes it, e.g. ``VARCHAR(40)`` or ``DECIMAL(10,2)``; a type that no plan
        has keeps the target's own name in capitals, e.g. ``BYTEA``
    :param filled: whether it has a default, for rows that come without it
    """

    name: str
    type: str
    nullable: bool
    filled: bool = False


def read_target_column(row: Mapping[str, Any]) -> TargetColumn:
    """Read a row of Redshift's `svv_columns` or PostgreSQL's `information_schema.columns`."""
    kind = str(row["data_type"]).lower()
    name = _NAMES.get(kind, kind.upper())
    length, precision = row["character_maximum_length"], row["numeric_precision"]
    if name in {"VARCHAR", "CHAR", "VARBYTE"} and length is not None:
        name = f"{name}({length})"
    elif name == "DECIMAL" and precision is not None:
        name = f"DECIMAL({precision},{row['numeric_scale'] or 0})"
    return TargetColumn(
        name=str(row["column_name"]),
        type=name,
        nullable=row["is_nullable"] == "YES",
        filled=bool(row["filled"]),
    )
