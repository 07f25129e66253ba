"""The tables to copy: `include/tables.yaml` as frozen values."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

from croniter import CroniterBadCronError, croniter
from pydantic import Field, field_validator

from tidemark.core.documents import (
    Frozen,
    Name,
    merge_defaults,
    parse_document,
    refuse_unknown,
    validate,
)
from tidemark.core.errors import FixConfiguration

FILE = "tables.yaml"


class Table(Frozen):
    """One MySQL table to copy. Times are in seconds, sizes in bytes.

    :param db_schema: the MySQL database; :param table: the table in it
    :param source: Airflow connection id of the MySQL server
    :param schedule: cron expression in UTC, or None for triggered runs only
    :param cursor: the column that orders changes, DATETIME or TIMESTAMP
    :param key: the columns that identify a row; empty means the primary key
    :param strategy: ``incremental`` reads windows of the cursor and merges by key
    :param safety_lag_seconds: how far the horizon stays below the source's now
    :param late_commit: ``strict`` refuses to run when open transactions cannot be seen, ``lag``
        relies on the safety lag and says so
    :param stall_alert_seconds: how long a transaction may hold the horizon back in silence
    :param chunk_rows: rows that one `extract_chunk` reads, about
    :param row_limit: rows that one run reads, rounded up to a whole cursor value; None is no limit
    :param readers: how many chunks of one run are read at once
    :param pool: the Airflow pool of the tasks that ask the source; one for each server keeps all
        tables together from asking too much of it
    :param file_bytes: compressed size at which a Parquet file is closed
    :param target_tables: the table's name on a target, where it differs
    :param retries: retries of plan, extract, seal and commit; loads have their target's
    """

    db_schema: Name
    table: Name
    source: str = "mysql_default"
    schedule: str | None = "*/5 * * * *"
    cursor: Name = "updated_at"
    key: tuple[Name, ...] = ()
    strategy: Literal["incremental"] = "incremental"
    safety_lag_seconds: float = Field(default=5.0, ge=0)
    late_commit: Literal["strict", "lag"] = "strict"
    stall_alert_seconds: float = Field(default=900.0, gt=0)
    chunk_rows: int = Field(default=500_000, ge=1)
    row_limit: int | None = Field(default=None, ge=1)
    readers: int = Field(default=2, ge=1)
    pool: str = Field(default="default_pool", min_length=1)
    file_bytes: int = Field(default=64 * 2**20, ge=2**10)
    dist_key: Name | None = None
    sort_keys: tuple[Name, ...] = ()
    target_tables: dict[str, Name] = Field(default_factory=dict)
    retries: int = Field(default=2, ge=0)
    retry_delay_seconds: float = Field(default=30.0, ge=0)

    @field_validator("schedule")
    @classmethod
    def _is_cron(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                croniter(value)
            except CroniterBadCronError as error:
                raise ValueError(f"not a cron expression: {error}") from error
        return value

    @property
    def name(self) -> str:
        """``<schema>.<table>``: the stream's name in keys, messages and documents."""
        return f"{self.db_schema}.{self.table}"

    @property
    def dag_id(self) -> str:
        """``sync__<schema>__<table>``."""
        return f"sync__{self.db_schema}__{self.table}"

    @property
    def safety_lag(self) -> timedelta:
        """The safety lag as a duration."""
        return timedelta(seconds=self.safety_lag_seconds)

    def table_on(self, target: str) -> str:
        """The table's name on `target`."""
        return self.target_tables.get(target, self.table)


def parse_tables(text: str, environ: Mapping[str, str], file: str = FILE) -> dict[str, Table]:
    """Return the tables of a `tables.yaml`, by ``<schema>.<table>``.

    Raises `FixConfiguration` naming file, table and key.
    """
    document = parse_document(text, file, environ)
    refuse_unknown(document, {"defaults", "tables"}, file)
    tables = {}
    for name, values in merge_defaults(document, "tables", file).items():
        db_schema, dot, table = name.partition(".")
        if not dot:
            raise FixConfiguration(
                what=f"{file}: tables.{name}: a table is named <schema>.<table>",
                do=f"Mend {file}.",
            )
        values = {**values, "db_schema": db_schema, "table": table}
        # `schedule: null` means "only when triggered", so it must not fall back to the default.
        tables[name] = validate(Table, values, file, f"tables.{name}")
        if "schedule" in values and values["schedule"] is None:
            tables[name] = tables[name].model_copy(update={"schedule": None})
    return tables
