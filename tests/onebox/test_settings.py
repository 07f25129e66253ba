"""If these fail: the settings of somebody's shell change, or spy on, the Airflow that we start."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from localaws import Cluster, Endpoints
from onebox.settings import DATABASE_SETTING, airflow_environment, write_for_shells

ROOT = Path(__file__).parents[2]


@pytest.fixture
def endpoints() -> Endpoints:
    return Endpoints(
        mysql_host="127.0.0.1",
        mysql_port=3306,
        mysql_admin_user="admin",
        mysql_admin_password="a",
        mysql_reader_user="reader",
        mysql_reader_password="r",
        aws_endpoint_url="http://127.0.0.1:4566",
        redshift_data_endpoint_url="http://127.0.0.1:7771",
        postgres_host="127.0.0.1",
        postgres_port=5432,
        postgres_user="postgres",
        postgres_password="p",
        clusters=(
            Cluster("primary", "dev", "loader", "us-east-1"),
            Cluster("secondary", "dev", "loader", "us-east-1"),
        ),
        iam_role="arn:aws:iam::000000000000:role/copy",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        region="us-east-1",
        pid=1,
    )


def test_a_shell_full_of_other_settings_changes_nothing(
    tmp_path: Path, endpoints: Endpoints
) -> None:
    shell = {
        "PATH": "/usr/bin",
        "AIRFLOW_HOME": "/elsewhere",
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AWS_PROFILE": "production",
        "AWS_ENDPOINT_URL": "https://example.org",
        "PYTHONPATH": "/elsewhere",
    }
    clean = airflow_environment(tmp_path, ROOT, endpoints, parent={"PATH": "/usr/bin"})
    assert airflow_environment(tmp_path, ROOT, endpoints, parent=shell) == clean


def test_a_database_of_ones_own_comes_first(tmp_path: Path, endpoints: Endpoints) -> None:
    own = "postgresql+psycopg2://airflow@db.example.org/airflow"
    environment = airflow_environment(tmp_path, ROOT, endpoints, parent={DATABASE_SETTING: own})
    assert environment[DATABASE_SETTING] == own


def test_the_readers_connection_is_the_one_that_may_only_read(
    tmp_path: Path, endpoints: Endpoints
) -> None:
    connection = airflow_environment(tmp_path, ROOT, endpoints)["AIRFLOW_CONN_MYSQL_DEFAULT"]
    assert '"login": "reader"' in connection
    assert endpoints.mysql_admin_user not in connection


def test_secrets_are_long_private_and_survive_a_restart(
    tmp_path: Path, endpoints: Endpoints
) -> None:
    first = airflow_environment(tmp_path, ROOT, endpoints)
    assert airflow_environment(tmp_path, ROOT, endpoints) == first  # the port too
    assert len(first["AIRFLOW__API_AUTH__JWT_SECRET"].encode()) >= 64
    mode = (tmp_path / "airflow" / "secrets.json").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    other = airflow_environment(tmp_path / "other", ROOT, endpoints)
    assert other["AIRFLOW__API_AUTH__JWT_SECRET"] != first["AIRFLOW__API_AUTH__JWT_SECRET"]


def test_another_terminal_can_take_the_environment_over(
    tmp_path: Path, endpoints: Endpoints
) -> None:
    """Every command that the pages tell people to type needs it."""
    file, shell = tmp_path / "environment", {"PATH": "/usr/bin:/bin", "HOME": "/root"}
    environment = airflow_environment(tmp_path, ROOT, endpoints, extra={"MORE": "it's; $x"})
    for _ in range(2):  # the next start writes it anew
        write_for_shells(environment, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    command = ["sh", "-c", f". {file} && env -0"]
    said = subprocess.run(command, env=shell, capture_output=True, text=True, check=True).stdout
    found = dict(line.split("=", 1) for line in said.split("\0") if line)
    assert found["HOME"] == "/root", "what a shell has of its own stays"
    assert {"MORE", "AIRFLOW_CONN_AWS_DEFAULT", "PYTHONPATH", DATABASE_SETTING} <= found.keys()
    for name in found.keys() & environment.keys() - shell.keys():
        assert found[name] == environment[name], name
