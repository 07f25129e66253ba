"""A failure here means a demo that does not start, orphans, or a crash that takes data with it."""

import contextlib
import json
import os
import signal
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import boto3
import psutil
import psycopg
import pymysql
import pytest

from localaws import AlreadyRunning, Endpoints, ServiceFailed, Stack, read_endpoints
from localaws.endpoints import own, owned, write_endpoints
from localaws.objects import answers
from tests.support.terminal import Terminal, aws, mysql, name_of, port_of, postgres


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path_factory.mktemp("stack") / "home")
    yield terminal
    if terminal.up is not None:
        terminal.up.kill()
        terminal.up.wait(timeout=120)


@pytest.fixture
def endpoints(terminal: Terminal) -> Endpoints:
    """The running stack; started again if the test before has ended it."""
    return read_endpoints(terminal.home) or terminal.start()


def assert_all_gone(family: list[psutil.Process]) -> None:
    assert family
    _, alive = psutil.wait_procs(family, timeout=120)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []


def test_every_endpoint_answers(endpoints: Endpoints) -> None:
    assert mysql(endpoints, "SELECT @@binlog_format, @@time_zone, @@character_set_server") == (
        ("ROW", "+00:00", "utf8mb4"),
    )
    with postgres(endpoints) as connection:
        shown = connection.execute("SELECT current_setting('server_encoding'), version()")
        encoding, version = shown.fetchall()[0]
        assert encoding == "UTF8"
        assert version.startswith("PostgreSQL")
    aws(endpoints, "s3").create_bucket(Bucket="answers")
    url = aws(endpoints, "sqs").create_queue(QueueName="answers")["QueueUrl"]
    assert url.startswith(endpoints.aws_endpoint_url)
    assert answers(port_of(endpoints.redshift_data_endpoint_url), "/_localaws/health")


def test_the_reader_reads_watches_and_cannot_write(endpoints: Endpoints) -> None:
    mysql(endpoints, "CREATE DATABASE IF NOT EXISTS reading")
    mysql(endpoints, "CREATE OR REPLACE TABLE reading.t (id INT)")
    assert mysql(endpoints, "SELECT * FROM reading.t", reader=True) == ()
    mysql(endpoints, "SELECT * FROM information_schema.innodb_trx", reader=True)
    assert mysql(endpoints, "SHOW MASTER STATUS", reader=True)
    with pytest.raises(pymysql.err.OperationalError, match="denied"):
        mysql(endpoints, "INSERT INTO reading.t VALUES (1)", reader=True)


def test_nobody_gets_in_without_a_password(endpoints: Endpoints) -> None:
    nameless = replace(endpoints, mysql_admin_user="root", mysql_admin_password="")
    with pytest.raises(pymysql.err.OperationalError, match="denied"):
        mysql(nameless, "SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        postgres(replace(endpoints, postgres_password="guess"))


def test_everything_listens_on_loopback_only(terminal: Terminal, endpoints: Endpoints) -> None:
    listening = set()
    for process in terminal.family():
        with contextlib.suppress(psutil.NoSuchProcess):  # a session that has ended meanwhile
            listening |= {
                (connection.laddr.ip, connection.laddr.port)
                for connection in process.net_connections("inet")
                if connection.status == psutil.CONN_LISTEN
            }
    ports = {
        endpoints.mysql_port,
        endpoints.postgres_port,
        port_of(endpoints.aws_endpoint_url),
        port_of(endpoints.redshift_data_endpoint_url),
    }
    assert listening == {("127.0.0.1", port) for port in ports}


def test_passwords_are_for_the_owner_only(terminal: Terminal, endpoints: Endpoints) -> None:
    files = [file for file in terminal.home.iterdir() if file.is_file()]
    telling = [file for file in files if endpoints.mysql_admin_password in file.read_text()]
    assert {file.name for file in telling} >= {"credentials.json", "endpoints.json"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in telling} == {0o600}
    assert endpoints.mysql_admin_password not in repr(endpoints)


def test_a_second_up_finds_the_first(terminal: Terminal, endpoints: Endpoints) -> None:
    second = terminal.run("up")
    assert second.returncode == 0
    assert "already running" in second.stderr
    assert endpoints.aws_endpoint_url in second.stdout
    assert terminal.run("status").stdout == second.stdout
    with pytest.raises(AlreadyRunning):
        Stack(terminal.home).up()
    assert read_endpoints(terminal.home) == endpoints


def test_reset_is_refused_while_it_runs(terminal: Terminal, endpoints: Endpoints) -> None:
    refused = terminal.run("reset")
    assert refused.returncode == 1
    assert "down" in refused.stderr
    assert mysql(endpoints, "SELECT 1") == ((1,),)


def test_a_cluster_can_be_paused_and_resumed(terminal: Terminal, endpoints: Endpoints) -> None:
    client = boto3.client(
        "redshift-data",
        endpoint_url=endpoints.redshift_data_endpoint_url,
        region_name=endpoints.region,
        aws_access_key_id=endpoints.aws_access_key_id,
        aws_secret_access_key=endpoints.aws_secret_access_key,
    )
    cluster = endpoints.clusters[1]
    call = {
        "ClusterIdentifier": cluster.cluster_identifier,
        "Database": cluster.database,
        "DbUser": cluster.db_user,
        "Sql": "SELECT 1",
    }
    assert terminal.run("pause", "secondary").returncode == 0
    with pytest.raises(client.exceptions.ValidationException):
        client.execute_statement(**call)
    assert terminal.run("resume", "secondary").returncode == 0
    assert client.execute_statement(**call)["Id"]
    unknown = terminal.run("pause", "tertiary")
    assert unknown.returncode == 1
    assert "tertiary" in unknown.stderr


def test_endpoints_of_a_dead_owner_do_not_count(tmp_path: Path, endpoints: Endpoints) -> None:
    assert read_endpoints(tmp_path) is None
    published = write_endpoints(tmp_path, endpoints)
    assert read_endpoints(tmp_path) == endpoints
    os.close(published)  # as the kernel does for a process that ends
    assert json.loads((tmp_path / "endpoints.json").read_text())["pid"] == endpoints.pid
    assert read_endpoints(tmp_path) is None


def test_a_home_has_one_owner_at_a_time(tmp_path: Path) -> None:
    assert not owned(tmp_path)
    lock = own(tmp_path)
    assert lock is not None
    assert owned(tmp_path)
    assert own(tmp_path) is None
    os.close(lock)
    assert not owned(tmp_path)
    again = own(tmp_path)
    assert again is not None
    os.close(again)


def test_a_kill_leaves_no_process_and_takes_no_data(
    terminal: Terminal, endpoints: Endpoints
) -> None:
    s3 = aws(endpoints, "s3")
    s3.create_bucket(Bucket="kept")
    mysql(endpoints, "CREATE DATABASE kept")
    mysql(endpoints, "CREATE TABLE kept.t AS SELECT 7 AS seven")
    with postgres(endpoints) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 8 AS eight")
    s3.put_object(Bucket="kept", Key="a/b", Body=b"nine")
    busy = postgres(endpoints)  # a backend that computes does not look whether its server lives
    asked = busy.pgconn
    asked.send_query(b"SELECT count(*) FROM generate_series(1, 1000000000)")
    asked.flush()
    family = terminal.family()

    assert terminal.up is not None
    terminal.up.kill()
    assert terminal.ended() == -signal.SIGKILL
    assert_all_gone(family)
    busy.close()
    assert read_endpoints(terminal.home) is None
    assert terminal.run("status").returncode == 3

    again = terminal.start()
    assert replace(again, pid=endpoints.pid) == endpoints  # the same ports and passwords
    assert mysql(again, "SELECT seven FROM kept.t") == ((7,),)
    with postgres(again) as connection:
        assert connection.execute("SELECT eight FROM kept").fetchall() == [(8,)]
    assert aws(again, "s3").get_object(Bucket="kept", Key="a/b")["Body"].read() == b"nine"


def test_the_stack_ends_when_one_of_its_services_does(
    terminal: Terminal, endpoints: Endpoints
) -> None:
    family = terminal.family()
    next(process for process in family if name_of(process) == "mariadbd").kill()
    assert terminal.ended() == 1
    assert_all_gone(family)
    assert "mysql ended with signal 9" in (terminal.home.parent / "up.log").read_text()


def test_ctrl_c_stops_everything(terminal: Terminal, endpoints: Endpoints) -> None:
    family = terminal.family()
    assert terminal.up is not None
    terminal.up.send_signal(signal.SIGINT)
    assert terminal.ended() == 0
    assert_all_gone(family)


def test_an_orderly_stop_keeps_queues_and_messages(
    terminal: Terminal, endpoints: Endpoints
) -> None:
    sqs = aws(endpoints, "sqs")
    url = sqs.create_queue(QueueName="kept")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="still here")
    assert terminal.run("down").returncode == 0
    assert terminal.ended() == 0
    received = aws(terminal.start(), "sqs").receive_message(QueueUrl=url)
    assert [message["Body"] for message in received["Messages"]] == ["still here"]


def test_down_then_reset_leaves_nothing(terminal: Terminal, endpoints: Endpoints) -> None:
    family = terminal.family()
    assert terminal.run("down").returncode == 0
    assert not owned(terminal.home)
    assert terminal.ended() == 0
    assert_all_gone(family)
    assert terminal.run("down").returncode == 0  # nothing to stop is no error
    assert terminal.run("reset").returncode == 0
    assert [left.name for left in terminal.home.iterdir()] == ["lock"]


def test_a_service_that_does_not_start_stops_the_rest(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()  # looks like a data directory, and is none
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    with pytest.raises(ServiceFailed, match=r"(?s)postgres ended with exit code.*postgres\.log"):
        Stack(tmp_path).up()
    after = {process.pid for process in psutil.Process().children(recursive=True)}
    assert after <= before
    assert not owned(tmp_path)


def test_a_home_of_another_version_is_refused_and_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "redshift").mkdir()
    (tmp_path / "redshift" / "journal.sqlite").touch()
    with pytest.raises(ServiceFailed, match="reset"):
        Stack(tmp_path).up()
    assert not owned(tmp_path)
