"""If this fails, a network that breaks loses rows, or needs a human every time."""

from __future__ import annotations

from tests.support.bastion import Bastion
from tests.support.dialects import numbers
from tests.support.journeys import Pipeline
from tests.support.relay import Relay


def test_a_tunnel_cut_in_the_middle_of_reading(
    pipeline: Pipeline, bastion: Bastion, way_to_bastion: Relay
) -> None:
    """The task fails, its retry opens another tunnel, and every row arrives once."""
    table, source = "tunnel_cut", pipeline.source
    source.create(
        table,
        "id BIGINT NOT NULL PRIMARY KEY, note VARCHAR(1000) NOT NULL,"
        " updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), KEY (updated_at)",
    )
    source.run(
        f"INSERT INTO {table} (id, note) SELECT seq, REPEAT(CHAR(97 + seq % 26), 900)"
        f" FROM {numbers(1, 20_000)}"
    )
    way_to_bastion.cut_after(9_000_000)  # half of it; what planning asks is small
    run = pipeline.sync(table)
    assert way_to_bastion.cut.is_set()
    assert run.task("extract_chunk", 0).try_number == 2
    assert "through bastion" in run.log("extract_chunk", 0, try_number=1)
    assert "through bastion" not in run.log("extract_chunk", 0, try_number=2)
    pipeline.assert_equal(table)
    assert len(pipeline.primary.batches(table)) == 1
    # Planning, each try of extracting, and the end of the query that was cut off.
    assert bastion.logins >= 3
