"""If these fail, loads that meet, or that nobody waits for any more, lose or double rows."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from tidemark.core.errors import TryAgain
from tidemark.core.loading.catch_up import Group
from tidemark.core.loading.ledger import LedgerEntry
from tidemark.core.settings.tables import Table
from tidemark.core.storage.batches import Batch

from localaws import inject
from tests.conformance.conftest import Find
from tests.conformance.houses import House, apply
from tests.support.staged import row, stage

_PATIENCE = 120  # seconds until something is said to hang


def test_a_load_that_fails_for_anothers_sake_is_tried_again(isolated: House) -> None:
    """1023 on Redshift, 40001 on PostgreSQL."""
    table, batch = _loaded_once(isolated)
    with isolated.conflicting(table):
        with contextlib.suppress(TryAgain):
            apply(isolated, isolated.open(table), batch, token="first")
        apply(isolated, isolated.open(table), batch, token="second")
    assert isolated.names(table) == {1: "one", 2: "two"}


def test_rule_14_two_loads_of_a_batch_at_once(isolated: House) -> None:
    house = isolated
    table, batch = _loaded_once(house)
    with ThreadPoolExecutor() as pool:
        entries = list(
            pool.map(
                lambda n: apply(house, house.open(table), batch, token=f"attempt {n}"), range(3)
            )
        )
    assert len(set(entries)) == 1
    assert house.names(table) == {1: "one", 2: "two"}
    assert len(house.open(table).history()) == 2


def test_a_new_table_that_three_loads_meet_at_once(find_house: Find) -> None:
    house = find_house("postgres", "SERIALIZABLE")
    table = house.table()
    batch = stage(house.bucket, table.name, [row(1, "one", 1)])
    with ThreadPoolExecutor() as pool:
        entries = list(pool.map(lambda _: apply(house, house.open(table), batch), range(3)))
    assert len(set(entries)) == 1


def test_eight_tables_at_once(isolated: House) -> None:
    house = isolated
    tables = [house.table() for _ in range(8)]

    def load(number: int) -> LedgerEntry:
        table = tables[number]
        rows = [row(key, f"table {number}", 1) for key in range(20)]
        return apply(house, house.open(table), stage(house.bucket, table.name, rows))

    with ThreadPoolExecutor(8) as pool:
        entries = list(pool.map(load, range(8)))
    assert [entry.rows_merged for entry in entries] == [20] * 8
    for number, table in enumerate(tables):
        assert house.names(table) == dict.fromkeys(range(20), f"table {number}")


def test_a_load_that_runs_is_found_waited_for_and_ended(house: House) -> None:
    """What a retry does after its worker was killed, and what a deadline does."""
    table, batch = _loaded_once(house)
    finder = house.open(table)
    assert finder.find_running(Group((batch,))) is None
    with ThreadPoolExecutor() as pool:
        with house.locked(table):
            load = pool.submit(apply, house, house.open(table), batch)
            while (handle := finder.find_running(Group((batch,)))) is None:
                assert not load.done()
            assert finder.wait(handle, 0).running
            finder.cancel(handle)
            progress = finder.wait(handle, _PATIENCE)
            assert not progress.running
            assert not progress.succeeded
            assert isinstance(finder.failure(progress, Group((batch,))), TryAgain)
        with pytest.raises(TryAgain):
            load.result(_PATIENCE)
    finder.cancel(handle)  # has ended meanwhile: no error
    assert house.names(table) == {1: "one"}
    apply(house, house.open(table), batch, token="next attempt")
    assert house.names(table) == {1: "one", 2: "two"}


def test_a_killed_tasks_load_is_cancelled(house: House) -> None:
    table, batch = _loaded_once(house)
    killed, finder = house.open(table), house.open(table)
    with ThreadPoolExecutor() as pool:
        with house.locked(table):
            load = pool.submit(apply, house, killed, batch)
            while finder.find_running(Group((batch,))) is None:
                assert not load.done()
            killed.stop()
            with pytest.raises(TryAgain):
                load.result(_PATIENCE)
        assert finder.find_running(Group((batch,))) is None
    assert house.names(table) == {1: "one"}


def test_a_load_killed_before_it_was_told_its_statement_is_cancelled(find_house: Find) -> None:
    house = find_house("redshift", "SNAPSHOT")
    table, batch = _loaded_once(house)
    killed, finder = house.open(table), house.open(table)
    told_late = {"operation": "BatchExecuteStatement", "match": table.name, "seconds": 3}
    with ThreadPoolExecutor() as pool, house.locked(table):
        with inject(house.stack, "redshift-data", "slow_reply", times=1, **told_late) as fault:
            load = pool.submit(apply, house, killed, batch)
            while finder.find_running(Group((batch,))) is None:
                assert not load.done()
            killed.stop()
            with pytest.raises(TryAgain, match="cancelled on user's request"):
                load.result(_PATIENCE)
        assert fault.hits == 1
    assert house.names(table) == {1: "one"}


def _loaded_once(house: House) -> tuple[Table, Batch]:
    """A table that holds row 1, and a batch that would add row 2."""
    table = house.table()
    apply(house, house.open(table), stage(house.bucket, table.name, [row(1, "one", 1)]))
    return table, stage(house.bucket, table.name, [row(2, "two", 11)], minutes=(10, 20))
