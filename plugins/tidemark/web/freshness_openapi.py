"""What the description of the freshness API says beside its types."""

from typing import Any

DESCRIPTION = """How stale each table is on each warehouse, measured, and which warehouse to ask.

Every answer says in `_metadata` and in the headers `X-Data-*` where its data comes from and how old
it is. Times are ISO 8601 in UTC, lags in seconds."""

CONSISTENCY = (
    "`bounded`: not staler than `max_lag_seconds`, or than the table's budget allows. `eventual`: "
    "the best there is. `strong` is refused: a warehouse is a copy."
)
MAX_LAG = "The greatest lag that the reader takes. A `+` in a time zone is written `%2B`."
AFTER = "Read your writes: only a target that is complete beyond this commit time of the source."

_METADATA = {
    "source": "secondary",
    "lag_seconds": 42.1,
    "consistency": "bounded",
    "last_updated": "2026-01-31T17:42:00Z",
}
_HEADERS: dict[str, Any] = {
    name: {"description": text, "schema": {"type": kind}}
    for name, kind, text in (
        ("X-Data-Source", "string", "The target, or `tidemark` for what is about all of them."),
        ("X-Data-Lag-Seconds", "number", "How far it is behind the source."),
        ("X-Data-Timestamp", "string", "Up to when it is complete."),
        ("X-Consistency-Level", "string", "What is promised of it."),
        ("X-Cache-Hit", "boolean", "Whether the answer was known before it was asked for."),
        ("X-Cache-TTL-Remaining", "integer", "Seconds until the state documents are read anew."),
    )
}


def _response(text: str, example: dict[str, Any]) -> dict[str, Any]:
    return {
        "description": text,
        "headers": _HEADERS,
        "content": {"application/json": {"example": {**example, "_metadata": _METADATA}}},
    }


_NOT_FOUND = {"description": "There is no such table or queue, or none that you may see."}
_AWAY = {"description": "Nothing is known, and the state documents cannot be read now."}

OVERVIEW: dict[int | str, dict[str, Any]] = {
    200: _response("Every table.", {"banner": "", "badges": {"green": 2}, "tables": []}),
    503: _AWAY,
}
TABLE: dict[int | str, dict[str, Any]] = {
    200: _response("The table.", {"table": {"table": "shop.orders", "targets": {}}}),
    404: _NOT_FOUND,
    503: _AWAY,
}
ROUTE: dict[int | str, dict[str, Any]] = {
    200: _response(
        "Read this target.",
        {
            "table": "shop.orders",
            "target": "secondary",
            "relation": "public.orders",
            "as_of": "2026-01-31T17:42:00Z",
            "lag_seconds": 42.1,
            "degraded": False,
            "banner": "",
            "passed_over": {},
        },
    ),
    400: {"description": "A parameter cannot be read."},
    404: _NOT_FOUND,
    409: _response(
        "No target will do; `wait_seconds`, and `Retry-After`, say when one is likely to.",
        {
            "error": "too_stale",
            "message": "No target is fresh enough: secondary: it is 80 seconds behind, and 60 "
            "seconds are allowed.",
            "wait_seconds": 35.0,
            "on_breach": "display_as_of",
            "passed_over": {"secondary": "it is 80 seconds behind, and 60 seconds are allowed"},
        },
    ),
    503: _AWAY,
}
