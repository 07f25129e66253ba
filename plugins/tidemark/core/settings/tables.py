"""The tables to copy: `include/tables.yaml` as frozen values."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from tidemark.core.documents import (
    NAME,
    Frozen,
    Name,
    validate,
)
from tidemark.core.errors import FixConfiguration
from tidemark.core.settings.dag_options import DagOptions
from tidemark.core.settings.wildcards import FoundTables, parse_found, parse_outline
from tidemark.core.source.misfits import BrokenText, Oversize
from tidemark.core.source.predicates import parse_predicate
from tidemark.core.streams import Contract

FILE = "tables.yaml"


class Columns(Frozen):
    """Which columns are copied, and how. Names are the source's, exactly.

    :param include: only these; empty means all, and what is added to the source later too
    :param exclude: never read
    :param hash: read as HMAC-SHA-256 in 64 hexadecimal digits, computed by the source, so that the
        value never leaves it; equal values stay equal, NULL stays NULL
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    hash: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_policy_each(self) -> Self:
        for name in self.exclude:
            if name in self.include or name in self.hash:
                raise ValueError(f"{name} is excluded, and included or hashed as well")
        for name in self.hash:
            if self.include and name not in self.include:
                raise ValueError(f"{name} is hashed, but not among the included")
        return self


class Table(DagOptions):
    """One MySQL table to copy. Times are in seconds, sizes in bytes.

    :param db_schema: the MySQL database; :param table: the table in it
    :param source: Airflow connection id of the MySQL server
    :param cursor: the column that orders changes, DATETIME or TIMESTAMP; with ``append`` the
        integer key that grows (AUTO_INCREMENT)
    :param key: the columns that identify a row; empty means the primary key
    :param strategy: ``incremental`` reads windows of the cursor and merges by key; ``append``
        reads windows of a growing key, for rows that are only ever added: a row that is changed
        later is not copied again; ``full`` reads the whole table each time and replaces it, and
        needs no cursor and no key
    :param columns: which columns are copied, and which of them hashed
    :param hash_connection: Airflow connection whose password is the key of the hashes
    :param where: copies only the rows for which this holds; see `tidemark.core.source.predicates`
    :param soft_delete: the column in which the application marks a row as deleted; it is copied
        like any other, and its being there is insisted upon
    :param contract: ``evolve`` adds and widens columns on the targets as the source does, see
        `tidemark.core.loading.drift`; ``freeze`` stops the table when its columns change
    :param safety_lag_seconds: how far the horizon stays below the source's now
    :param late_commit: ``strict`` refuses to run when open transactions cannot be seen, ``lag``
        relies on the safety lag and says so
    :param stall_alert_seconds: how long a transaction may hold the horizon back in silence
    :param chunk_rows: rows that one `extract_chunk` reads, about
    :param row_limit: rows that one run reads, rounded up to a whole cursor value; None is no limit
    :param readers: how many chunks of one run are read at once
    :param pool: the Airflow pool of the tasks that ask the source; one for each server keeps all
        tables together from asking too much of it
    :param file_bytes: compressed size at which a Parquet file is closed at the latest; files of a
        small batch are smaller, so that every slice of a warehouse has one
    :param compression: ``snappy``, or ``zstd``: about a third fewer bytes for some more time
    :param oversize_text: a text longer than 65,535 bytes, which Redshift cannot hold:
        ``quarantine`` sets its row aside, ``truncate_and_mark`` cuts it and says so at its end,
        ``fail`` stops the batch
    :param zero_date: ``null_and_count`` makes ``0000-00-00`` a NULL, ``fail`` stops the batch
    :param max_bad_share: the share of a chunk's or batch's rows that may be set aside; ten rows
        always may, but for 0, which lets nothing pass
    :param targets: the targets that it is copied to, by their names in targets.yaml; none is all
    :param target_table: the table's name on every target; ``{schema}`` and ``{table}`` stand for
        the source's names
    :param target_tables: the table's name on a single target, where it differs
    :param reader: how MySQL's rows are read: ``wire`` decodes the packets, ``driver`` is slow and
        exact too, ``auto`` takes the wire wherever it can
    :param ordering: ``parallel`` loads all targets at once; ``primary_first`` the best-effort ones
        after the required ones have succeeded
    """

    db_schema: Name
    table: Name
    source: str = "mysql_default"
    schedule: str | None = "*/5 * * * *"
    cursor: Name = "updated_at"
    key: tuple[Name, ...] = ()
    strategy: Literal["incremental", "append", "full"] = "incremental"
    targets: tuple[Name, ...] = ()
    ordering: Literal["parallel", "primary_first"] = "parallel"
    columns: Columns = Columns()
    hash_connection: Name = "tidemark_hash"
    where: str | None = None
    soft_delete: Name | None = None
    contract: Contract = "evolve"
    safety_lag_seconds: float = Field(default=5.0, ge=0)
    late_commit: Literal["strict", "lag"] = "strict"
    stall_alert_seconds: float = Field(default=900.0, gt=0)
    chunk_rows: int = Field(default=500_000, ge=1)
    row_limit: int | None = Field(default=None, ge=1)
    readers: int = Field(default=2, ge=1)
    pool: str = Field(default="default_pool", min_length=1)
    reader: Literal["auto", "wire", "driver"] = "auto"
    file_bytes: int = Field(default=64 * 2**20, ge=2**10, le=2**30)
    compression: Literal["snappy", "zstd"] = "snappy"
    oversize_text: Oversize = "quarantine"
    broken_text: BrokenText = "quarantine"
    zero_date: Literal["null_and_count", "fail"] = "null_and_count"
    max_bad_share: float = Field(default=0.01, ge=0, le=1)
    dist_key: Name | None = None
    sort_keys: tuple[Name, ...] = ()
    target_table: str = "{table}"
    target_tables: dict[str, Name] = Field(default_factory=dict)

    @field_validator("where")
    @classmethod
    def _holds_for_ever(cls, value: str | None) -> str | None:
        if value is not None:
            parse_predicate(value)
        return value

    @model_validator(mode="after")
    def _keeps_what_it_needs(self) -> Self:
        needed = {*self.key, *self.sort_keys, self.dist_key, self.soft_delete} - {None}
        if self.strategy != "full":
            needed.add(self.cursor)
        for name in sorted(str(each) for each in needed):
            if name in self.columns.exclude:
                raise ValueError(f"columns.exclude: {name} is needed to copy the table")
        if not NAME.fullmatch(self._target_table):
            raise ValueError(f"target_table: {self._target_table} is no name for a table")
        if self.strategy == "append" and self.row_limit is not None:
            raise ValueError("row_limit: strategy append has no use for it; chunk_rows cuts it")
        for plain in {self.cursor, self.soft_delete} & set(self.columns.hash):
            raise ValueError(f"columns.hash: {plain} cannot be hashed: its value is needed")
        return self

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

    def goes_to(self, target: str) -> bool:
        """Whether the table is copied to `target`."""
        return not self.targets or target in self.targets

    def table_on(self, target: str) -> str:
        """The table's name on `target`."""
        return self.target_tables.get(target) or self._target_table

    @property
    def _target_table(self) -> str:
        return self.target_table.replace("{schema}", self.db_schema).replace("{table}", self.table)


def parse_tables(
    text: str, environ: Mapping[str, str], file: str = FILE, found: str | None = None
) -> dict[str, Table]:
    """Return the tables of a `tables.yaml`, by ``<schema>.<table>``.

    :param found: `tables.found.yaml`, the tables that the wildcards matched; None without one
    :raises FixConfiguration: naming file, table and key
    """
    outline = parse_outline(text, environ, file)
    listed = parse_found(found, environ) if found is not None else FoundTables()
    tables = {}
    for name, values in outline.settings(listed, file).items():
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
    _refuse_twins(
        {name: table.dag_id for name, table in tables.items()},
        "the DAG",
        f"Leave one of them out of {file}: their names differ by underscores only.",
        file,
    )
    return tables


def refuse_shared_targets(tables: Mapping[str, Table], targets: Iterable[str]) -> None:
    """Raise `FixConfiguration` if two tables would be merged into one on a target."""
    for target in targets:
        _refuse_twins(
            # Redshift folds names to lower case.
            {
                name: table.table_on(target).lower()
                for name, table in tables.items()
                if table.goes_to(target)
            },
            f"on {target} the table",
            'Give them names of their own: target_table: "{schema}_{table}", for instance.',
            FILE,
        )


def _refuse_twins(called: Mapping[str, str], what: str, do: str, file: str) -> None:
    first: dict[str, str] = {}
    for name, call in called.items():
        if (other := first.setdefault(call, name)) != name:
            raise FixConfiguration(
                what=f"{file}: tables.{other} and tables.{name} would share {what} {call}", do=do
            )
