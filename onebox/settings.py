"""The whole environment of the Airflow that runs here: built from nothing, inherited from nobody.

A developer's shell may hold AIRFLOW_HOME, AIRFLOW__…, AWS_… or PYTHONPATH of another project. Only
the few variables in `_INHERITED` come through, and one setting that is meant to: a metadata
database of the user's own.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import shlex
from collections.abc import Mapping
from pathlib import Path

from localaws import Endpoints
from onebox.ports import kept_ports

DATABASE_SETTING = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
STAGING_BUCKET = "tidemark-staging"

_INHERITED = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "LD_LIBRARY_PATH", DATABASE_SETTING),
)


def airflow_environment(
    home: Path,
    root: Path,
    endpoints: Endpoints,
    *,
    database: str = "airflow",
    extra: Mapping[str, str] | None = None,
    parent: Mapping[str, str] = os.environ,
) -> dict[str, str]:
    """Every variable that Airflow's components and their tasks get.

    :param home: where this installation keeps its state; ports and secrets stay the same in it
    :param root: the project: ``dags/``, ``plugins/`` and ``include/`` lie in it
    :param database: Airflow's metadata database on the embedded PostgreSQL
    :param extra: added last, and therefore stronger than everything here
    :param parent: where the inherited variables come from
    """
    airflow_home = home / "airflow"
    inherited = {name: parent[name] for name in _INHERITED if name in parent}
    port = kept_ports(airflow_home / "ports.json", ("api",))["api"]
    url = f"http://127.0.0.1:{port}"
    metadata = (
        f"postgresql+psycopg2://{endpoints.postgres_user}:{endpoints.postgres_password}"
        f"@{endpoints.postgres_host}:{endpoints.postgres_port}/{database}"
    )
    return {
        DATABASE_SETTING: metadata,
        **inherited,
        "PYTHONPATH": os.pathsep.join([str(root), str(root / "plugins")]),
        "PYTHONUNBUFFERED": "1",
        "AIRFLOW_HOME": str(airflow_home),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__CORE__DAGS_FOLDER": str(root / "dags"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(root / "plugins"),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(airflow_home / "logs"),
        **_SETTINGS,
        **_kept_secrets(airflow_home / "secrets.json"),
        **_connections(endpoints),
        **_product(root, endpoints),
        **(extra or {}),
    }


def write_for_shells(environment: Mapping[str, str], file: Path) -> None:
    """Leave the environment where another terminal can take it over: ``. file``.

    It holds connections, so nobody else may read it. What a shell has of its own stays.
    """
    lines = [
        f"export {name}={shlex.quote(value)}\n"
        for name, value in sorted(environment.items())
        if name == DATABASE_SETTING or name not in _INHERITED
    ]
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as draft:
        draft.writelines(lines)


_SETTINGS = {
    "AIRFLOW__API__HOST": "127.0.0.1",
    "AIRFLOW__API__WORKERS": "1",
    "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
    # The default asks the name service who we are, which may take seconds and answer nonsense.
    "AIRFLOW__CORE__HOSTNAME_CALLABLE": "socket.gethostname",
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__PARALLELISM": "8",
    # One machine, one person, loopback only: everybody is an administrator and nobody logs in.
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
    # The defaults (5 min, 5 s, 1 s) make new files appear late and every task end seconds late.
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "30",
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
    # A file whose reading is given up takes the calls with it that a failed run has asked for; on
    # a busy machine 50 s (and 30 s for an import) are soon over.
    "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "600",
    "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "300",
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
    # One API server on a busy machine: by default a task fails that was not answered in 5 s.
    "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
    # The only scheduler takes itself for dead, and its tasks from itself, when its heartbeat is
    # later than the threshold (default 30 s), as on a busy machine. One that was killed and started
    # again takes its old tasks over after threshold and interval (default 5 min) together.
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "120",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "30",
    "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
}


def _kept_secrets(file: Path) -> dict[str, str]:
    """Random keys, drawn once per home: a restart must still read what an earlier start wrote."""
    if not file.exists():
        drawn = {
            "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(64),
            "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        }
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as draft:
            json.dump(drawn, draft)
    kept: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return kept


def _connections(endpoints: Endpoints) -> dict[str, str]:
    """What Airflow's own connection settings hold on a real installation, pointed at the stack."""
    mysql = {
        "conn_type": "mysql",
        "host": endpoints.mysql_host,
        "port": endpoints.mysql_port,
        "login": endpoints.mysql_reader_user,
        "password": endpoints.mysql_reader_password,
    }
    services = {
        "s3": endpoints.aws_endpoint_url,
        "sqs": endpoints.aws_endpoint_url,
        "redshift-data": endpoints.redshift_data_endpoint_url,
    }
    aws = {
        "conn_type": "aws",
        "login": endpoints.aws_access_key_id,
        "password": endpoints.aws_secret_access_key,
        "extra": {
            "region_name": endpoints.region,
            "service_config": {name: {"endpoint_url": url} for name, url in services.items()},
        },
    }
    return {
        "AIRFLOW_CONN_MYSQL_DEFAULT": json.dumps(mysql),
        "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(aws),
    }


def _product(root: Path, endpoints: Endpoints) -> dict[str, str]:
    """The names that ``include/targets.yaml`` reads, for the stack's two clusters."""
    primary, secondary = endpoints.clusters
    return {
        "TIDEMARK_CONFIG_DIR": str(root / "include"),
        "AWS_REGION": endpoints.region,
        "STAGING_BUCKET": STAGING_BUCKET,
        "REDSHIFT_CLUSTER_IDENTIFIER": primary.cluster_identifier,
        "REDSHIFT_DATABASE": primary.database,
        "REDSHIFT_DB_USER": primary.db_user,
        "REDSHIFT_IAM_ROLE": endpoints.iam_role,
        "SECONDARY_REDSHIFT_ENABLED": "true",
        "SECONDARY_AWS_REGION": secondary.region,
        "SECONDARY_REDSHIFT_CLUSTER_IDENTIFIER": secondary.cluster_identifier,
        "SECONDARY_REDSHIFT_DATABASE": secondary.database,
        "SECONDARY_REDSHIFT_DB_USER": secondary.db_user,
        "SECONDARY_REDSHIFT_IAM_ROLE": endpoints.iam_role,
    }
