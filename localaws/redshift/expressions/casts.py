"""Write casts: https://docs.aws.amazon.com/redshift/latest/dg/r_CAST_function.html"""

from __future__ import annotations

from localaws.redshift.column_types import ColumnType
from localaws.redshift.expressions.terms import Term

# What the engine, and Redshift, call a column that is a cast of a literal.
_LABELS = {
    "smallint": "int2", "integer": "int4", "bigint": "int8", "real": "float4",
    "double precision": "float8", "boolean": "bool", "char": "bpchar", "super": "super",
    "varbyte": "varbyte",
}  # fmt: skip


def cast(term: Term, wanted: ColumnType) -> Term:
    """Cast a term; text is cut after so many bytes, and bytes are the text's UTF-8."""
    label = term.label if term.label not in ("", "case") else _LABELS.get(wanted.name, wanted.name)
    engine_label = (
        term.engine_label if term.engine_label not in ("", "case") else _LABELS.get(wanted.name, "")
    )
    sql = f"{term.sql}::{wanted.engine}"
    if wanted.name in ("varchar", "char"):
        # A cast counts bytes: https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
        text = term.sql if term.literal else f"{term.sql}::varchar"
        sql = f"redshift_cut({text}, {wanted.length})::{wanted.engine}"
        engine_label = "redshift_cut"
    elif wanted.name == "varbyte":
        # https://docs.aws.amazon.com/redshift/latest/dg/r_VARBYTE_type.html
        sql = f"redshift_bytes({term.sql})"
        engine_label = "redshift_bytes"
    return Term(sql, label, engine_label)


def try_cast(term: Term, wanted: ColumnType) -> Term:
    """Cast, or null: https://docs.aws.amazon.com/redshift/latest/dg/r_TRY_CAST.html"""
    text = f"({term.sql})::varchar"
    if wanted.name in ("varchar", "char"):
        return Term(cast(term, wanted).sql, "try_cast", "redshift_cut")
    if wanted.name in ("super", "varbyte"):
        return Term(cast(term, wanted).sql, "try_cast", "")
    sql = f"redshift_try_cast({text}, null::{wanted.engine}, '{wanted.engine}')::{wanted.engine}"
    return Term(sql, "try_cast", "redshift_try_cast")
