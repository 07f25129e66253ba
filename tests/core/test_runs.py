"""A run that misreads its own kind moves the watermark past rows that nobody read."""

from datetime import UTC, datetime

import pytest
from tidemark.core.errors import FixConfiguration
from tidemark.core.runs import read_run
from tidemark.core.windows import Window

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)


def run(run_type="scheduled", since=None, until=None, interval=(START, END), run_id="r", **more):
    return read_run(
        run_type=run_type,
        run_id=run_id,
        clear_epoch=0,
        interval=interval,
        since=since,
        until=until,
        **more,
    )


@pytest.mark.parametrize("run_type", ["scheduled", "manual", "asset_triggered"])
def test_scheduled_and_plain_manual_runs_read_from_the_watermark(run_type):
    assert run(run_type).window is None
    assert run(run_type, run_id="backfill__x").window is None, "the id decides nothing"


def test_rule_18_a_backfill_reads_its_interval_even_under_a_scheduled_id():
    assert run("backfill", run_id="scheduled__x").window == Window(START, END)


def test_since_and_until_make_a_manual_run_a_backfill():
    window = run("manual", since="2026-01-01T01:00:00+01:00", until="2026-01-02T00:00:00Z").window
    assert window == Window(START, END)
    assert run("manual", until="2026-01-02T00:00:00Z").window == Window(None, END)
    assert run("manual", since="2026-01-01T00:00:00Z").window.low == START


@pytest.mark.parametrize(
    ("since", "until", "message"),
    [
        ("2026-01-01T00:00:00", None, "no time zone"),
        ("yesterday", None, "no ISO 8601"),
        ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", "is empty"),
    ],
)
def test_a_window_that_means_nothing_is_refused(since, until, message):
    with pytest.raises(FixConfiguration, match=message):
        run("manual", since=since, until=until)


def test_a_backfill_without_an_interval_is_refused():
    with pytest.raises(FixConfiguration, match="no data interval"):
        run("backfill", interval=None)


def test_a_mode_and_a_table_without_windows_read_the_whole_table():
    assert run(mode="full_refresh").base
    assert run(mode="resync", targets=["secondary"]).targets == ("secondary",)
    assert run(run_type="scheduled", strategy="full").base
    assert not run().base


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "resync"},
        {"mode": "full_refresh", "targets": ["secondary"]},
        {"mode": "refresh"},
        {"mode": "full_refresh", "since": "2026-03-01T00:00:00+00:00"},
        {"strategy": "full", "until": "2026-03-01T00:00:00+00:00"},
    ],
)
def test_parameters_that_contradict_each_other_are_refused(wrong):
    with pytest.raises(FixConfiguration, match="Trigger the run again"):
        run(**wrong)
