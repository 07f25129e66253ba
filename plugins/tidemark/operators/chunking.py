"""Cut a window into chunks, asking the source how its rows lie."""

from datetime import datetime

from tidemark.core.windows import Chunk, Window, chunks_by_cursor, chunks_by_key, single_chunk
from tidemark.hooks.mysql_source import TableShape
from tidemark.operators.stream import Stream

# From this share of the table on, reading along the primary key beats the cursor's index.
_MOST = 0.25


def limit_window(stream: Stream, window: Window) -> Window:
    """Shorten a window to `row_limit` rows, rounded up to a whole cursor value: rows that share a
    value are never split, and a window always moves on, however many share one."""
    table = stream.table
    if table.row_limit is None:
        return window
    bound = stream.source.limit_bound(
        table.db_schema, table.table, table.cursor, window.low, window.high, table.row_limit
    )
    return Window(window.low, bound) if bound else window


def cut(
    stream: Stream, shape: TableShape, window: Window, *, at_horizon: bool
) -> tuple[Chunk, ...]:
    """Return chunks of about `chunk_rows` rows that together cover the window.

    By ranges of an integer primary key when the window is most of the table, else by cursor values.

    :param at_horizon: the window ends where safe reading ends; then what lies above is read too
        (and read again by the next window), so that a row which never rests is copied all the same
    """
    table = stream.table
    where = (table.db_schema, table.table)
    rows = stream.source.count_rows(*where, table.cursor, window.low, window.high)
    if rows <= table.chunk_rows:
        return single_chunk(window, open_end=at_horizon)
    # Bounds are written into the plan in S3, where values that are hashed have no business.
    hidden = {column.name for column in shape.columns if column.hashed}
    plain = len(shape.primary_key) == 1 and not hidden.intersection(shape.primary_key)
    key = shape.primary_key[0] if plain else None
    if key and rows >= _MOST * shape.rows_estimate:
        span = stream.source.key_range(*where, key, table.cursor, window.low, window.high)
        if span:
            pieces = -(-rows // table.chunk_rows)
            return chunks_by_key(window, span, pieces, open_end=at_horizon)
    boundaries = _boundaries(stream, window, table.chunk_rows)
    return chunks_by_cursor(window, boundaries, open_end=at_horizon)


def _boundaries(stream: Stream, window: Window, every: int) -> list[datetime]:
    table = stream.table
    return stream.source.cursor_boundaries(
        table.db_schema, table.table, table.cursor, window.low, window.high, every
    )
