"""If this fails, somebody whose source lies behind a bastion cannot do all that others can."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from tidemark.cli import main
from tidemark.hooks import ssh_tunnel

from tests.support.bastion import Bastion
from tests.support.product import Product
from tests.support.relay import Relay
from tests.support.source import DATABASE

_SOURCE = "behind_bastion"


@pytest.fixture
def bastion(product: Product) -> Iterator[Bastion]:
    """The only way to the source of the connection `behind_bastion`."""
    stack = product.stack
    with Bastion() as bastion:
        product.connection(
            _SOURCE,
            conn_type="mysql",
            host=stack.mysql_host,
            port=stack.mysql_port,
            login=stack.mysql_reader_user,
            password=stack.mysql_reader_password,
            extra={"ssh_conn_id": "the_bastion"},
        )
        yield bastion
        ssh_tunnel.close_tunnels()


@pytest.fixture
def anew(product: Product, bastion: Bastion) -> Iterator[Callable[[Callable[[], None]], None]]:
    """Break the tunnel, do something, and see that it opened another one."""
    with Relay(bastion.port) as relay:
        product.setenv({"AIRFLOW_CONN_THE_BASTION": json.dumps(bastion.connection(relay.port))})

        def anew(act: Callable[[], None]) -> None:
            before = bastion.logins
            relay.cut_now()
            act()
            assert bastion.logins > before

        yield anew


def test_every_verb_reaches_its_source_through_a_bastion_again(
    product: Product,
    bastion: Bastion,
    anew: Callable[[Callable[[], None]], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    table, later = (product.table("behind", source=_SOURCE, chunk_rows=2) for _ in range(2))
    stream = f"{DATABASE}.{table}"
    product.source.insert(table, range(1, 6))

    def say(*words: str) -> None:
        assert main(list(words)) == 0

    def doctor() -> None:
        capsys.readouterr()
        main(["doctor", "-t", stream, "--json"])  # it says that there is no Airflow here
        found = json.loads(capsys.readouterr().out)
        assert not [each for each in found if _SOURCE in json.dumps(each)]

    def copied(**conf: str) -> None:
        product.sync(table, **conf)
        product.assert_equal(table)

    anew(lambda: say("discover", "--source", _SOURCE, "--schema", DATABASE))
    anew(lambda: say("plan", "-t", stream))
    anew(doctor)
    anew(copied)
    product.source.update(table, [1], "later")
    anew(lambda: copied(mode="full_refresh"))
    since = "2000-01-01T00:00:00Z"
    anew(lambda: copied(since=since))
    why = ("--reason", "a drill")
    anew(lambda: say("init", "-t", f"{DATABASE}.{later}", "--timestamp", since, *why))
    say("watermark", "reset", "-t", stream, *why)  # asks the source for nothing
    anew(copied)
    assert set(bastion.asked_for) == {(product.stack.mysql_host, product.stack.mysql_port)}
