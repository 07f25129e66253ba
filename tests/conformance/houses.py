"""The warehouses that must all behave alike: every kind, at every isolation that it knows."""

from __future__ import annotations

import contextlib
import functools
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import botocore.session
import psycopg
import pytest
from psycopg.rows import dict_row
from tidemark.core.loading.catch_up import Group
from tidemark.core.loading.ledger import LedgerEntry
from tidemark.core.loading.names import tombstone_table
from tidemark.core.loading.statements import client_token
from tidemark.core.settings.tables import Table
from tidemark.core.settings.targets import PostgresTarget, RedshiftTarget, Staging, Target
from tidemark.core.storage.batches import Batch
from tidemark.hooks.storage.batch_store import BatchStore
from tidemark.hooks.storage.staging_bucket import StagingBucket
from tidemark.hooks.warehouses.opening import open_warehouse
from tidemark.hooks.warehouses.warehouse import PATIENT, Patience, Warehouse
from tidemark.operators.loading.preparing import prepare

from localaws import Endpoints, inject
from localaws.redshift.engine.connections import engine_database
from tests.support.place import stand_in

# Each warehouse is opened anew, as tasks do, and each would read botocore's service models again.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)

LEVELS = {
    "redshift": ("SNAPSHOT", "SERIALIZABLE"),
    "postgres": ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"),
}
_CONFLICT = """
CREATE SEQUENCE conflict_{0};
CREATE FUNCTION conflict_{0}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('conflict_{0}') = 1 THEN
        RAISE EXCEPTION 'could not serialize access' USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER conflict AFTER INSERT ON {0} EXECUTE FUNCTION conflict_{0}();
"""


@dataclass(frozen=True)
class House:
    """One warehouse, and the bucket it is fed from. Each table gets a name of its own."""

    stack: Endpoints
    target: Target
    bucket: StagingBucket
    engine: psycopg.Connection[dict[str, Any]]

    def table(self) -> Table:
        """A table that nobody else uses."""
        return Table(db_schema="shop", table=f"t_{uuid.uuid4().hex[:10]}", cursor="updated_at")

    def open(self, table: Table, patience: Patience = PATIENT, **settings: Any) -> Warehouse:
        """The table on this warehouse, with some settings of the target changed."""
        target = self.target.model_copy(update=settings)
        return open_warehouse(table, target, self.bucket, patience)

    def rows(self, table: Table) -> list[dict[str, Any]]:
        """All rows, by id, as PostgreSQL sees them: it is the engine of the stand-in too."""
        return self.engine.execute(f'SELECT * FROM "{table.table}" ORDER BY id').fetchall()

    def names(self, table: Table) -> dict[int, str]:
        """The column ``name`` by id."""
        return {found["id"]: found["name"] for found in self.rows(table)}

    def delete(self, table: Table, key: int, at: datetime) -> None:
        """Note that a row was deleted, as repair will."""
        name = tombstone_table(table, self.target, ("id",))
        insert = f'INSERT INTO "{name}" VALUES (%s, %s)'
        self.engine.execute(insert.encode(), (key, at.replace(tzinfo=None)))

    @contextlib.contextmanager
    def locked(self, table: Table) -> Iterator[None]:
        """Inside the block a stranger's transaction locks the table: loads wait."""
        with self.engine.transaction():
            self.engine.execute(f'LOCK TABLE "{table.table}"')
            yield

    @contextlib.contextmanager
    def conflicting(self, table: Table) -> Iterator[None]:
        """Inside the block the first load of the table is chosen to fail for another's sake."""
        if self.target.kind == "redshift":
            match = f'^INSERT INTO "public"."{table.table}"'
            with inject(self.stack, "redshift-data", "error_1023", match=match, times=1) as fault:
                yield
            assert fault.hits == 1
        else:
            self.engine.execute(_CONFLICT.format(table.table).encode())
            yield
            (calls,) = self.engine.execute(f"SELECT last_value FROM conflict_{table.table}")
            assert calls["last_value"] > 1


def apply(
    house: House,
    warehouse: Warehouse,
    *batches: Batch,
    token: str = "token",
    straight: bool = False,
) -> LedgerEntry:
    """Load batches as one group, as an operator does; return the ledger's entry of the last."""
    group = Group(batches, straight=straight)
    plan = group.plan
    prepare(warehouse, group, client_token("prepare", plan.stream, group.subject))
    BatchStore(house.bucket).record_group_manifest(group)
    handle = warehouse.start(group, client_token(token, plan.stream, group.subject))
    if handle is not None:
        progress = warehouse.wait(handle, 120)
        if not progress.succeeded:
            raise warehouse.failure(progress, group)
    return warehouse.holds([plan.batch_id])[plan.batch_id]


@contextlib.contextmanager
def opened(stack: Endpoints, kind: str, level: str, *, port: int | None = None) -> Iterator[House]:
    """A database of that isolation on a warehouse of that kind.

    :param port: where the product finds PostgreSQL, if not at the server itself
    """
    name = f"h_{uuid.uuid4().hex[:10]}"
    with pytest.MonkeyPatch.context() as environment, contextlib.ExitStack() as undo:
        environment.setenv(f"AIRFLOW_CONN_AWS_{name.upper()}", json.dumps(_aws(stack)))
        line = json.dumps(_postgres(stack, name, port))
        environment.setenv(f"AIRFLOW_CONN_{name.upper()}", line)
        place = stand_in(stack)
        if kind == "redshift":
            caller = place.caller("primary")
            caller.run(f"CREATE DATABASE {name} ISOLATION LEVEL {level}")
            undo.callback(caller.run, f"DROP DATABASE {name}")
            where = engine_database("primary", name)
            target: Target = RedshiftTarget(
                name="first",
                role="required",
                aws_conn_id=f"aws_{name}",
                region=stack.region,
                database=name,
                cluster_identifier="primary",
                db_user=stack.clusters[0].db_user,
                iam_role=stack.iam_role,
                poll_interval_seconds=0.05,
            )
        else:
            admin = undo.enter_context(_connected(stack, "postgres"))
            admin.execute(f"CREATE DATABASE {name}")
            undo.callback(admin.execute, f"DROP DATABASE {name} WITH (FORCE)")
            admin.execute(
                f"ALTER DATABASE {name} SET default_transaction_isolation = '{level.lower()}'"
            )
            where = name
            target = PostgresTarget(
                name="first",
                role="required",
                conn_id=name,
                retry_delay_ms=10,
                poll_interval_seconds=0.05,
            )
        staging = Staging(bucket=place.bucket, region=stack.region, aws_conn_id=f"aws_{name}")
        engine = undo.enter_context(_connected(stack, where))
        yield House(stack, target, StagingBucket(staging), engine)


def _connected(stack: Endpoints, database: str) -> psycopg.Connection[dict[str, Any]]:
    return psycopg.connect(
        host=stack.postgres_host,
        port=stack.postgres_port,
        user=stack.postgres_user,
        password=stack.postgres_password,
        dbname=database,
        autocommit=True,
        row_factory=dict_row,
        options="-c timezone=UTC",
    )


def _aws(stack: Endpoints) -> dict[str, Any]:
    return {
        "conn_type": "aws",
        "login": stack.aws_access_key_id,
        "password": stack.aws_secret_access_key,
        "extra": {
            "endpoint_url": stack.aws_endpoint_url,
            "config_kwargs": {"s3": {"addressing_style": "path"}},
            "service_config": {
                "redshift-data": {"endpoint_url": stack.redshift_data_endpoint_url},
            },
        },
    }


def _postgres(stack: Endpoints, database: str, port: int | None) -> dict[str, Any]:
    return {
        "conn_type": "postgres",
        "host": stack.postgres_host,
        "port": port or stack.postgres_port,
        "login": stack.postgres_user,
        "password": stack.postgres_password,
        "schema": database,
    }
