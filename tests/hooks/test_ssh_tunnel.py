"""If these fail, a source behind a bastion is not read, or a dead tunnel hangs a task for ever."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import asyncssh
import pytest
from tidemark.core.errors import TryAgain
from tidemark.hooks import ssh_tunnel
from tidemark.hooks.mysql.source import MySqlSource

from localaws import Endpoints
from tests.hooks.conftest import Run
from tests.hooks.reading import all_rows, read_ids
from tests.support.bastion import Bastion
from tests.support.dialects import make_table, numbers
from tests.support.openssh import MISSING, openssh, sshd
from tests.support.relay import Relay

Behind = Callable[..., MySqlSource]


@pytest.fixture
def bastion() -> Iterator[Bastion]:
    with Bastion() as bastion:
        yield bastion
        ssh_tunnel.close_tunnels()


@pytest.fixture
def relay(bastion: Bastion) -> Iterator[Relay]:
    """The network before the bastion."""
    with Relay(bastion.port) as relay:
        yield relay


@pytest.fixture
def behind(
    bastion: Bastion,
    relay: Relay,
    offer: Callable[..., MySqlSource],
    monkeypatch: pytest.MonkeyPatch,
) -> Behind:
    """The source as it is reached through the bastion; arguments go into the SSH connection."""

    def make(patience: int = 0, mysql: dict[str, Any] | None = None, **ssh: Any) -> MySqlSource:
        connection = bastion.connection(relay.port, **ssh.pop("extra", {})) | ssh
        monkeypatch.setenv("AIRFLOW_CONN_BASTION_UNDER_TEST", json.dumps(connection))
        extra = {"ssh_conn_id": "bastion_under_test", "connect_patience": patience}
        return offer(extra=extra, **(mysql or {}))

    return make


def test_a_source_is_read_through_one_ssh_connection(
    behind: Behind, bastion: Bastion, stack: Endpoints, seconds: None
) -> None:
    source = behind()
    assert read_ids(source, all_rows(source, "seconds")) == list(range(10))
    assert source.clock().complete
    assert bastion.logins == 1
    assert set(bastion.asked_for) == {(stack.mysql_host, stack.mysql_port)}


@pytest.fixture
def many(sql: Run) -> None:
    """About 30 MB of values."""
    make_table(sql, "many", "id INT PRIMARY KEY, note VARCHAR(300), updated_at DATETIME")
    sql(
        "INSERT INTO many SELECT seq, REPEAT(CHAR(97 + seq % 26), 290), '2024-01-01'"
        f" FROM {numbers(1, 100_000)}"
    )


def test_a_tunnel_cut_in_the_middle_is_worth_a_retry_which_opens_a_new_one(
    behind: Behind, bastion: Bastion, relay: Relay, many: None
) -> None:
    source = behind()
    request = all_rows(source, "many")
    relay.cut_after(10_000_000)
    with pytest.raises(TryAgain, match=r"hooks\.many.*through bastion_under_test"):
        read_ids(source, request)
    assert relay.cut.is_set()
    assert read_ids(source, request) == list(range(1, 100_001))
    assert bastion.logins == 2


def test_a_bastion_that_falls_silent_is_given_up(
    behind: Behind, bastion: Bastion, relay: Relay, seconds: None
) -> None:
    """Nothing breaks, nothing comes: only asking shows that nobody is there any more."""
    source = behind(extra={"probe_seconds": 0.2, "answer_seconds": 5})
    request = all_rows(source, "seconds")
    with source.read(request) as reading, relay.frozen(), pytest.raises(TryAgain):
        list(reading.batches())
    assert read_ids(source, request) == list(range(10))
    assert bastion.logins > 1


def test_a_bastion_that_restarts_is_waited_for(behind: Behind, relay: Relay, seconds: None) -> None:
    source = behind(patience=120)
    relay.refuse_next(2)
    assert source.count_rows("hooks", "seconds", "updated_at", None, source.now()) == 10
    assert relay.refused == 2


@pytest.mark.runbook("The source cannot be reached")
def test_a_bastion_that_stays_away_is_named(behind: Behind, relay: Relay) -> None:
    relay.refuse_next(1000)
    with pytest.raises(TryAgain, match=r"the bastion of SSH connection .* cannot be reached"):
        behind().now()


@pytest.mark.runbook("The source refuses us")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"login": "somebody"}, ["refuses the user somebody", "private_key"]),
        ({"extra": {"host_key": ""}}, ["is not known", "ssh-keyscan"]),
        ({"extra": {"private_key": "no key"}}, ["bastion_under_test cannot be used"]),
    ],
)
def test_a_bastion_that_does_not_let_us_in_says_why(
    behind: Behind, change: dict[str, Any], said: list[str]
) -> None:
    with pytest.raises(ssh_tunnel.BastionRefused) as refusal:
        behind(**change).now()
    for part in said:
        assert part in str(refusal.value)


@pytest.mark.runbook("The source refuses us")
def test_another_host_key_than_the_known_one_is_refused(behind: Behind) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().split()
    with pytest.raises(ssh_tunnel.BastionRefused, match="another host key"):
        behind(extra={"host_key": " ".join(other[:2])}).now()


@pytest.mark.runbook("The source cannot be reached", "The source refuses us")
def test_where_a_bastion_does_not_lead_is_named(
    behind: Behind, bastion: Bastion, stack: Endpoints
) -> None:
    with pytest.raises(TryAgain, match=r"the bastion cannot reach 127\.0\.0\.1:1 through"):
        behind(mysql={"port": 1}).now()
    bastion.forbidden.add(stack.mysql_port)
    with pytest.raises(ssh_tunnel.BastionRefused, match=r"may not forward to .*TcpForwarding"):
        behind().now()


def test_an_ssh_connection_that_airflow_does_not_know_is_named(
    offer: Callable[..., MySqlSource],
) -> None:
    with pytest.raises(ssh_tunnel.BastionRefused, match="AIRFLOW_CONN_NO_BASTION"):
        offer(extra={"ssh_conn_id": "no_bastion"}).now()


@pytest.mark.skipif(sshd() is None, reason=MISSING)
def test_openssh_is_such_a_bastion(
    offer: Callable[..., MySqlSource],
    stack: Endpoints,
    many: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What most people have: it answers our questions, and refuses in words that we understand."""
    with openssh(permitted=stack.mysql_port) as connection:
        monkeypatch.setenv("AIRFLOW_CONN_BASTION_UNDER_TEST", json.dumps(connection))
        extra = {"ssh_conn_id": "bastion_under_test", "connect_patience": 0}
        try:
            source = offer(extra=extra)
            assert read_ids(source, all_rows(source, "many")) == list(range(1, 100_001))
            with pytest.raises(TryAgain, match=r"the bastion cannot reach 127\.0\.0\.1:1 through"):
                offer(extra=extra, port=1).now()
            with pytest.raises(ssh_tunnel.BastionRefused, match="PermitOpen"):
                offer(extra=extra, port=2).now()
            stranger = json.dumps(connection | {"login": "stranger"})
            monkeypatch.setenv("AIRFLOW_CONN_BASTION_UNDER_TEST", stranger)
            ssh_tunnel.close_tunnels()
            with pytest.raises(ssh_tunnel.BastionRefused, match="refuses the user stranger"):
                offer(extra=extra).now()
        finally:
            ssh_tunnel.close_tunnels()
