"""The functions that are supported: what the engine calls them, and what Redshift says about them.

https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_functions.html ; where the engine has a
function of that name with another meaning, or none, the catalogue defines one named
redshift_….
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Shape = Literal["plain", "aggregate", "window"]


@dataclass(frozen=True, slots=True)
class Function:
    """One function. `engine` and `label` are empty where they are the function's own name.

    `least` and `most` count arguments. With `doubles`, arguments become DOUBLE PRECISION, as the
    result always is one in Redshift. A `leader` function does not run on tables.
    """

    engine: str = ""
    label: str = ""
    least: int = 0
    most: int | None = None
    doubles: bool = False
    leader: bool = False
    shape: Shape = "plain"


def _named(names: str, **facts: object) -> dict[str, Function]:
    return {name: Function(**facts) for name in names.split()}  # type: ignore[arg-type]


def _prefixed(names: str, **facts: object) -> dict[str, Function]:
    return {name: Function(f"redshift_{name}", **facts) for name in names.split()}  # type: ignore[arg-type]


_DATES = {
    **_prefixed("last_day", least=1, most=1),
    **_prefixed("add_months months_between next_day", least=2, most=2),
    **_prefixed("date_part_year", least=1, most=1),
    **_named("getdate", label="timestamp", most=0),
    **_named("timeofday", most=0),
    **_named("to_date to_timestamp", least=2, most=3),
    **_named("to_number to_char", least=2, most=2),
    **_named(
        "date_cmp date_cmp_timestamp date_cmp_timestamptz timestamp_cmp timestamp_cmp_date "
        "timestamp_cmp_timestamptz timestamptz_cmp timestamptz_cmp_date timestamptz_cmp_timestamp "
        "interval_cmp timezone",
        least=2,
        most=2,
    ),
    **_prefixed("date", label="date", least=1, most=1),
}
_STRINGS = {
    **_named("ascii chr initcap lower upper quote_ident quote_literal reverse", least=1, most=1),
    **_named("btrim ltrim rtrim", least=1, most=2),
    **_named("lpad rpad", least=2, most=3),
    **_named("left right repeat strpos", least=2, most=2),
    **_named("replace translate", least=3, most=3),
    **_named("substr", least=2, most=3),
    **_named("octet_length md5", least=1, most=1),
    **_prefixed("charindex concat octetindex strtol", least=2, most=2),
    **_prefixed("crc32 soundex", least=1, most=1),
    **_prefixed("difference", least=2, most=2),
    **_prefixed("split_part", least=3, most=3),
    **_prefixed("regexp_count", least=2, most=4),
    **_prefixed("regexp_instr", least=2, most=6),
    **_prefixed("regexp_replace regexp_substr", least=2, most=5),
    **_prefixed("fnv_hash", least=1, most=2),
    **_prefixed("sha2", least=2, most=2),
    "len": Function("redshift_len", least=1, most=1),
    "length": Function("redshift_len", least=1, most=1),
    "char_length": Function("redshift_len", least=1, most=1),
    "character_length": Function("redshift_len", least=1, most=1),
    "textlen": Function("redshift_len", least=1, most=1),
    "replicate": Function("repeat", label="repeat", least=2, most=2),
    "sha": Function("redshift_sha1", label="sha1", least=1, most=1),
    "sha1": Function("redshift_sha1", least=1, most=1),
    "func_sha1": Function("redshift_sha1", least=1, most=1),
}
_BYTES = {
    **_prefixed("from_hex", least=1, most=1),
    **_prefixed("to_hex", least=1, most=1),
    **_prefixed("from_varbyte to_varbyte", least=2, most=2),
    **_prefixed("getbit", least=2, most=2),
}
_NUMBERS = {
    **_named("abs ceil ceiling floor sign", least=1, most=1),
    **_named("mod", least=2, most=2),
    **_named("round", least=1, most=2),
    **_named("trunc", least=1, most=2),
    **_named("acos asin atan cbrt cos cot degrees exp radians sin sqrt tan", doubles=True, least=1,
             most=1),
    **_named("atan2 power", doubles=True, least=2, most=2),
    **_named("pi random", most=0),
    "ln": Function(least=1, most=1),
    "log": Function(doubles=True, least=1, most=1),
    "pow": Function("power", label="power", doubles=True, least=2, most=2),
    "dexp": Function("exp", doubles=True, least=1, most=1),
    "dlog1": Function("ln", doubles=True, least=1, most=1),
    "dlog10": Function("log", doubles=True, least=1, most=1),
}  # fmt: skip
_CONDITIONS = {
    "coalesce": Function(least=1),
    "nvl": Function("coalesce", label="coalesce", least=1),
    "nullif": Function(least=2, most=2),
    "greatest": Function(least=1),
    "least": Function(least=1),
}
_AGGREGATES = {
    **_named("bit_and bit_or bool_and bool_or max min sum any_value", shape="aggregate", least=1,
             most=1),
    **_named("stddev stddev_pop stddev_samp var_pop var_samp variance", doubles=True,
             shape="aggregate", least=1, most=1),
    **_prefixed("avg", shape="aggregate", least=1, most=1),
}  # fmt: skip
_WINDOWS = {
    **_named("cume_dist dense_rank percent_rank rank row_number", shape="window", most=0),
    **_named("ntile", shape="window", least=1, most=1),
}
_JSON = {
    **_prefixed("json_array_length", least=1, most=2),
    **_prefixed("json_extract_array_element_text", least=2, most=3),
    **_prefixed("is_valid_json is_valid_json_array", least=1, most=1),
    **_prefixed("can_json_parse json_serialize json_serialize_to_varbyte json_size", least=1,
                most=1),
    **_prefixed("json_typeof", least=1, most=1),
    **_named("json_parse", least=1, most=1),
    **_prefixed("is_array is_bigint is_boolean is_char is_decimal is_integer is_object is_scalar "
                "is_smallint is_varchar decimal_precision decimal_scale", least=1, most=1),
    **_prefixed("array_concat", least=2, most=2),
    **_prefixed("array_flatten get_array_length", least=1, most=1),
    **_prefixed("split_to_array", least=1, most=2),
    **_prefixed("subarray", least=3, most=3),
}  # fmt: skip
_SYSTEM = {
    "current_database": Function("redshift_database", most=0),
    "current_schema": Function(most=0, leader=True),
    # https://docs.aws.amazon.com/redshift/latest/dg/r_HAS_SCHEMA_PRIVILEGE.html
    "has_schema_privilege": Function(least=2, most=3, leader=True),
    "version": Function("redshift_version", most=0),
    "pg_backend_pid": Function(most=0),
    # of the last COPY and UNLOAD: catalog/loads.sql
    # of the session's last statement: catalog/history.sql
    "pg_last_query_id": Function(most=0),
    **_named("pg_last_copy_count pg_last_copy_id pg_last_unload_count pg_last_unload_id", most=0),
    # https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_functions_leader_node_only.html
    "now": Function(most=0, leader=True),
}
# Those whose arguments are not a plain list; calls.py knows who reads them.
_SPECIAL = {
    **_named(
        "array cast convert convert_timezone date_part date_trunc dateadd datediff decode exists "
        "extract grouping grouping_id json_extract_path_text nvl2 object object_transform position "
        "substring trim try_cast"
    ),
    **_named("count listagg median percentile_cont percentile_disc", shape="aggregate"),
    **_named("first_value lag last_value lead nth_value ratio_to_report", shape="window"),
}

FUNCTIONS: Mapping[str, Function] = MappingProxyType({
    **_DATES, **_STRINGS, **_BYTES, **_NUMBERS, **_CONDITIONS, **_AGGREGATES, **_WINDOWS, **_JSON,
    **_SYSTEM, **_SPECIAL,
})  # fmt: skip
