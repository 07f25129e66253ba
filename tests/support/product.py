"""The product in this process: its configuration, its DAGs, and the systems around it.

    def test_something(product: Product) -> None:
        table = product.table("orders", chunk_rows=4)      # at the source and in tables.yaml
        product.source.insert(table, range(1, 9))
        product.sync(table)
        product.assert_equal(table)
        with product.secondary.paused():
            run = product.start(table).go().expect("failed")
        with product.target("secondary", enabled=False):
            ...

The fixture `product` is one for a module; a table is fresh for each call of `product.table`.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import runpy
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from airflow.sdk.definitions._internal.dag_parsing_context import (
    _airflow_parsing_context_manager,
)

from localaws import Endpoints
from onebox.settings import airflow_environment
from tests.support import (  # are in force from here on
    quick_clients,  # noqa: F401
    quick_parameters,  # noqa: F401
)
from tests.support.gateway import Gate
from tests.support.homes import numbers
from tests.support.source import DATABASE, USUAL_COLUMNS, Source
from tests.support.store import Store
from tests.support.systems import Systems
from tests.support.tasks import DagRun, Run
from tests.support.warehouse import Warehouse

ROOT = Path(__file__).parents[2]
TARGETS = Path(__file__).parents[1] / "journeys" / "include" / "targets.yaml"
_DEFAULTS = {
    "schedule": None,
    "safety_lag_seconds": 0,
    "retries": 0,
    "retry_delay_seconds": 0,
}
# Set by hand where a test wants it: how the tests' own Airflow runs.
_ELSEWHERE = ("AIRFLOW__", "AIRFLOW_HOME", "PYTHON")
NO_TABLE = f"{DATABASE}.none"
_NAMES = numbers()


class Product(Systems):
    """Source, gate, bucket and two warehouses, and the product between them.

    :param home: a folder for the configuration; nothing else lies in it
    """

    def __init__(self, stack: Endpoints, gate: Gate, home: Path) -> None:
        store = Store(stack, f"tasks-{secrets.token_hex(4)}")
        primary, secondary = (Warehouse(stack, cluster) for cluster in stack.clusters)
        super().__init__(gate, Source(stack), store, primary, secondary)
        self.stack, self.config = stack, home / "include"
        self._before: dict[str, str | None] = {}
        self._tables: dict[str, Any] = {}
        self._queues: dict[str, Any] = {}
        self._targets: dict[str, Any] = yaml.safe_load(TARGETS.read_text())
        del self._targets["targets"]["archive"]  # a test that wants a third warehouse adds it
        self._runs = itertools.count(1)

    def __enter__(self) -> Product:
        gated = replace(
            self.stack,
            aws_endpoint_url=self.gate.s3_url,
            redshift_data_endpoint_url=self.gate.data_api_url,
        )
        self.config.mkdir(parents=True)
        every = airflow_environment(self.config.parent, ROOT, gated, parent={})
        self.setenv({k: v for k, v in every.items() if not k.startswith(_ELSEWHERE)})
        self.setenv({"TIDEMARK_CONFIG_DIR": str(self.config), "STAGING_BUCKET": self.store.bucket})
        self.store.create_bucket()
        self._write()
        return self

    def __exit__(self, *_: object) -> None:
        self.source.close()
        for warehouse in self.warehouses:
            warehouse.close()
        for name, value in self._before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value

    def setenv(self, variables: Mapping[str, str]) -> None:
        """Set variables of the product's environment, such as connections, until the end."""
        for name, value in variables.items():
            self._before.setdefault(name, os.environ.get(name))
            os.environ[name] = value

    def connection(self, name: str, **settings: Any) -> None:
        """Make an Airflow connection: conn_type, host, login, password, extra …"""
        self.setenv({f"AIRFLOW_CONN_{name.upper()}": json.dumps(settings)})

    def postgres_connection(self, name: str) -> None:
        """Make an Airflow connection to a PostgreSQL database, for a target of that kind."""
        self.connection(
            name,
            conn_type="postgres",
            host=self.stack.postgres_host,
            port=self.stack.postgres_port,
            login=self.stack.postgres_user,
            password=self.stack.postgres_password,
            schema="postgres",
        )

    def table(self, stem: str, columns: str = USUAL_COLUMNS, **settings: Any) -> str:
        """Make an empty table at the source, list it with these settings, and return its name,
        which begins with `stem` and never was before."""
        name = f"{stem}_{next(_NAMES)}"
        self.source.create(name, columns)
        self.configure(name, **settings)
        return name

    def configure(self, table: str, **settings: Any) -> None:
        """Change settings of a table in tables.yaml; None takes one out."""
        self._tables[f"{DATABASE}.{table}"] = _changed(
            self._tables.get(f"{DATABASE}.{table}", {}), settings
        )
        self._write()

    def configure_target(self, name: str, **settings: Any) -> None:
        """Change settings of a target in targets.yaml; None takes one out."""
        before = self._targets["targets"].get(name) or {}
        self._targets["targets"][name] = _changed(before, settings)
        self._write()

    @contextlib.contextmanager
    def target(self, name: str, **settings: Any) -> Iterator[None]:
        """Inside the block a target has these settings too in targets.yaml, or is there at all."""
        before = self._targets["targets"].get(name)
        self._targets["targets"][name] = _changed(before or {}, settings)
        self._write()
        try:
            yield
        finally:
            if before is None:
                del self._targets["targets"][name]
            else:
                self._targets["targets"][name] = before
            self._write()

    def role(self, name: str) -> str:
        """The role of a target in targets.yaml."""
        return str(self._targets["targets"][name]["role"])

    def start(
        self,
        table: str,
        *,
        run_type: str = "manual",
        interval: tuple[datetime, datetime] | None = None,
        **conf: Any,
    ) -> Run:
        """A new run, of which nothing has happened yet. `conf` holds its parameters."""
        return self.run_of(self.dag(table), run_type, interval, conf)

    def run_of(
        self,
        dag: Any,
        run_type: str = "manual",
        interval: tuple[datetime, datetime] | None = None,
        conf: Mapping[str, Any] | None = None,
    ) -> Run:
        """A new run of any DAG, of which nothing has happened yet."""
        now = datetime.now(UTC)
        start, end = interval or (now, now)
        run_id = f"{run_type}__{next(self._runs)}__{start.isoformat()}"
        return Run(dag, DagRun(dag.dag_id, run_id, run_type, start, start, end, dict(conf or {})))

    def sync(self, table: str, wanted: str = "success", **conf: Any) -> Run:
        """A manual run from beginning to end, which must end as `wanted`."""
        return self.start(table, **conf).go().expect(wanted)

    def dag(self, table: str) -> Any:
        """The table's DAG, as the DAG file declares it now."""
        with _airflow_parsing_context_manager(dag_id=f"sync__{DATABASE}__{table}"):
            return runpy.run_path(str(ROOT / "dags" / "sync_tables.py"))["plan"].dag

    def configure_freshness(self, **settings: Any) -> None:
        """Write freshness.yaml with these settings; with none, take it away."""
        path = self.config / "freshness.yaml"
        path.unlink(missing_ok=True)
        if settings:
            path.write_text(yaml.safe_dump({"version": 1, **settings}, sort_keys=False))

    def measure(self) -> Run:
        """A run of the DAG ``freshness`` from beginning to end, which must succeed."""
        dag = runpy.run_path(str(ROOT / "dags" / "freshness.py"))["dag"]
        return self.run_of(dag, "scheduled").go().expect("success")

    def look(self) -> dict[str, int]:
        """A run of the DAG ``alerts``, which must succeed; how many incidents are open then."""
        dag = runpy.run_path(str(ROOT / "dags" / "alerts.py"))["dag"]
        run = self.run_of(dag, "scheduled").go().expect("success")
        found: dict[str, int] = run.xcom("tell_incidents")
        return found

    def configure_queue(self, name: str, **settings: Any) -> None:
        """List a queue in queues.yaml, or change its settings; None takes one out."""
        self._queues[name] = _changed(self._queues.get(name, {}), settings)
        self._write()

    def write(self, file: str, content: Mapping[str, Any]) -> None:
        """Write a configuration file, in one step."""
        draft = self.config / f"{file}.draft"
        draft.write_text(yaml.safe_dump(dict(content), sort_keys=False))
        draft.replace(self.config / file)

    def read(self, file: str) -> dict[str, Any]:
        """Return what a configuration file says."""
        said: dict[str, Any] = yaml.safe_load((self.config / file).read_text())
        return said

    def drain_dag(self, queue: str) -> Any:
        """The queue's DAG, as the DAG file declares it now."""
        with _airflow_parsing_context_manager(dag_id=f"drain__{queue}"):
            return runpy.run_path(str(ROOT / "dags" / "drain_queues.py"))["plan"].dag

    def _write(self) -> None:
        tables = {"version": 1, "defaults": _DEFAULTS, "tables": self._tables or {NO_TABLE: None}}
        files = {"tables.yaml": tables, "targets.yaml": self._targets}
        if self._queues:
            files["queues.yaml"] = {"version": 1, "queues": self._queues}
        for file, content in files.items():
            self.write(file, content)


def _changed(before: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in {**before, **settings}.items() if v is not None}
