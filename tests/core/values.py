"""Small values that the tests of core share."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tidemark.core.source.column_types import Column
from tidemark.core.source.windows import Chunk, Window, single_chunk
from tidemark.core.storage.batches import (
    Batch,
    Plan,
    Receipt,
    StagedFile,
    base_id,
    increment_id,
    seal,
)

GOLDEN = Path(__file__).parents[1] / "golden"
LOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HIGH = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
ORDERS = (
    Column("id", "bigint(20)", "BIGINT", False),
    Column("status", "varchar(10) character set utf8mb4", "VARCHAR(40)", True),
    Column("updated_at", "datetime(6)", "TIMESTAMP", True),
)


def a_plan(chunks: int = 1, low: datetime | None = LOW, high: datetime = HIGH, epoch: int = 1):
    window = Window(low, high)
    pieces = (
        single_chunk(window, open_end=False)
        if chunks == 1
        else tuple(Chunk(n, low, high, n, n + 1) for n in range(chunks))
    )
    return Plan(
        batch_id=increment_id(epoch, window),
        kind="increment",
        stream="shop.orders",
        epoch=epoch,
        low=low,
        high=high,
        cursor="updated_at",
        key=("id",),
        columns=ORDERS,
        chunks=pieces,
        planned_at=high,
    )


def a_receipt(plan: Plan, chunk: int, rows: int = 7, read_at: datetime = HIGH) -> Receipt:
    file = StagedFile(
        key=f"{plan.prefix}/part-{chunk}-0-abcd.parquet", bytes=1000, rows=rows, sha256="00" * 32
    )
    return Receipt(
        batch_id=plan.batch_id,
        chunk=chunk,
        attempt="abcd",
        files=(file,) if rows else (),
        read_from=read_at - timedelta(seconds=1),
        read_to=read_at,
    )


def a_batch(rows: int = 7, **window: object) -> Batch:
    plan = a_plan(**window)
    return seal(plan, (a_receipt(plan, 0, rows=rows),))


def a_base(high: datetime = HIGH, epoch: int = 1, only: tuple[str, ...] = ()) -> Batch:
    plan = a_plan(low=None, high=high, epoch=epoch).model_copy(
        update={"batch_id": base_id("manual__1", 0, high), "kind": "base", "only": only}
    )
    return seal(plan, (a_receipt(plan, 0, read_at=high + timedelta(seconds=9)),))


def golden(name: str, statements: dict[str, str]) -> None:
    """Insist that statements read as they were reviewed, in a file of tests/golden."""
    text = "".join(f"-- {key}\n{sql}\n\n" for key, sql in statements.items())
    assert text == (GOLDEN / name).read_text()
