"""If these fail, passwords cross the network in clear, or a failover of a minute fails a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pymysql
import pytest
from tidemark.core.errors import TryAgain
from tidemark.hooks.mysql.connection import fetch, open_session
from tidemark.hooks.mysql.source import MySqlSource, SourceError

from localaws import Endpoints
from tests.support.dialects import make_user
from tests.support.encrypted_source import EncryptedSource, encrypted_source
from tests.support.relay import Relay

Offer = Callable[..., MySqlSource]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EncryptedSource]:
    """A server with a certificate for 127.0.0.1, signed by an authority of its own."""
    with encrypted_source(tmp_path_factory.mktemp("encrypted")) as server:
        yield server


@pytest.fixture
def to_server(server: EncryptedSource, offer: Offer) -> Callable[..., MySqlSource]:
    def make(host: str = "127.0.0.1", **extra: Any) -> MySqlSource:
        if extra.get("ssl") == "authority":
            extra["ssl"] = {"ca": str(server.authority)}
        return offer(
            host=host,
            port=server.port,
            login="reader",
            password=server.password,
            extra={"connect_patience": 0} | extra,
        )

    return make


def encrypted(source: MySqlSource) -> bool:
    with open_session(source.conn_id) as session:
        return bool(fetch(session, "SHOW SESSION STATUS LIKE 'Ssl_cipher'")[0]["value"])


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({}, True),
        ({"ssl_mode": "DISABLED"}, False),
        ({"ssl_mode": "preferred"}, True),
        ({"ssl_mode": "REQUIRED"}, True),
        ({"ssl_mode": "REQUIRED", "host": "localhost"}, True),
        ({"ssl_mode": "VERIFY_CA", "ssl": "authority", "host": "localhost"}, True),
        ({"ssl_mode": "VERIFY_IDENTITY", "ssl": "authority"}, True),
        ({"ssl": "authority"}, True),
    ],
)
def test_encryption_is_what_the_connection_says(
    to_server: Callable[..., MySqlSource], extra: dict[str, Any], expected: bool
) -> None:
    assert encrypted(to_server(**extra)) is expected


@pytest.mark.runbook("The source refuses us")
@pytest.mark.parametrize(
    "extra",
    [
        {"ssl_mode": "VERIFY_IDENTITY", "ssl": "authority", "host": "localhost"},
        {"ssl": "authority", "host": "localhost"},
        {"ssl_mode": "VERIFY_IDENTITY"},  # without a file, the system's authorities count
        {"ssl_mode": "VERIFY_CA"},
    ],
)
def test_a_certificate_that_proves_nothing_is_refused_at_once(
    to_server: Callable[..., MySqlSource], extra: dict[str, Any]
) -> None:
    with pytest.raises(SourceError, match=r"cannot agree on encryption: .*certificate verify"):
        to_server(connect_patience=60, **extra).now()


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"ssl_mode": "STRICT"}, "ssl_mode STRICT"),
        ({"ssl": {"cafile": "/ca.pem"}}, "cafile"),
        ({"ssl": "{ca:"}, "no JSON"),
        ({"ssl": {"ca": "/no/such/file.pem"}}, "cannot be used"),
        ({"connect_patience": "long"}, "connect_patience"),
        ({"read_timeout": 0}, "read_timeout"),
    ],
)
def test_an_extra_that_cannot_be_meant_is_refused(
    offer: Offer, extra: dict[str, Any], said: str
) -> None:
    with pytest.raises(SourceError, match=said) as refusal:
        offer(extra=extra).now()
    assert "source_under_test" in str(refusal.value)


def test_a_server_that_wants_encryption_says_so(
    server: EncryptedSource, to_server: Callable[..., MySqlSource], offer: Offer
) -> None:
    admin = offer(port=server.port, login=server.user, password=server.password)
    with open_session(admin.conn_id) as session:
        fetch(session, "SET GLOBAL require_secure_transport = ON")
        try:
            with pytest.raises(SourceError, match="ssl_mode"):
                to_server(ssl_mode="DISABLED").now()
            assert encrypted(to_server())
        finally:
            fetch(session, "SET GLOBAL require_secure_transport = OFF")


def test_a_user_whom_the_server_does_not_remember_logs_in_without_encryption(
    server: EncryptedSource, to_server: Callable[..., MySqlSource]
) -> None:
    """MySQL's `caching_sha2_password` then wants the password under the server's RSA key."""
    settings = {"host": server.host, "port": server.port, "user": server.user}
    admin = pymysql.connect(**settings, password=server.password, autocommit=True)

    def run(statement: str) -> list[tuple[Any, ...]]:
        with admin.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    with admin:
        make_user(run, "reader@'127.0.0.1'", server.password, "PROCESS ON *.*")
        assert not encrypted(to_server(ssl_mode="DISABLED"))


@pytest.fixture
def relay(stack: Endpoints) -> Iterator[Relay]:
    """The network before the source."""
    with Relay(stack.mysql_port) as relay:
        yield relay


def test_a_server_that_fails_over_is_waited_for(offer: Offer, relay: Relay) -> None:
    relay.refuse_next(3)
    offer(port=relay.port, extra={"connect_patience": 60}).now()
    assert (relay.refused, relay.accepted) == (3, 1)


def test_patience_ends(offer: Offer, relay: Relay) -> None:
    relay.refuse_next(1000)
    with pytest.raises(TryAgain, match="source_under_test"):
        offer(port=relay.port, extra={"connect_patience": 3}).now()
    assert relay.refused > 1


@pytest.mark.runbook("The source refuses us")
def test_what_a_retry_cannot_mend_is_asked_once(offer: Offer, relay: Relay) -> None:
    with pytest.raises(SourceError, match="refuses the user"):
        offer(port=relay.port, password="wrong", extra={"connect_patience": 60}).now()
    assert relay.accepted == 1


def test_a_server_that_accepts_and_says_nothing_is_given_up(offer: Offer, relay: Relay) -> None:
    """A load balancer in front of a dead server does that; ten seconds, not `read_timeout`."""
    with relay.frozen(), pytest.raises(TryAgain):
        offer(port=relay.port, extra={"connect_patience": 0}).now()
