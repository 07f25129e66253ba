"""A run that misreads its own kind moves the watermark past rows that nobody read."""

from datetime import UTC, datetime

import pytest
from tidemark.core.errors import FixConfiguration
from tidemark.core.settings.runs import left_out, read_run, refuse_partial
from tidemark.core.source.windows import Window

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)


def run(
    run_type="scheduled",
    since=None,
    until=None,
    interval=(START, END),
    run_id="r",
    strategy="incremental",
    **params,
):
    return read_run(
        run_type=run_type,
        run_id=run_id,
        clear_epoch=0,
        interval=interval,
        params={"since": since, "until": until, **params},
        strategy=strategy,
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
        {"limit": 0},
        {"limit": True},
        {"limit": 5, "mode": "full_refresh"},
        {"limit": 5, "strategy": "append"},
        {"stages": "exctract"},
        {"stages": "extract", "since": "2026-03-01T00:00:00+00:00"},
        {"stages": "extract", "mode": "full_refresh"},
        {"stages": "extract", "strategy": "full"},
        {"stages": "extract", "targets": ["primary"]},
        {"stages": "extract", "run_type": "backfill"},
        {"stages": "load", "since": "2026-03-01T00:00:00+00:00"},
        {"stages": "load", "mode": "resync", "targets": ["secondary"]},
        {"stages": "load", "limit": 5},
    ],
)
def test_parameters_that_contradict_each_other_are_refused(wrong):
    with pytest.raises(FixConfiguration, match="Trigger the run again"):
        run(**wrong)


def test_the_form_as_it_stands_does_what_the_schedule_does():
    untouched = {"mode": "increment", "stages": "all", "targets": [], "limit": None}
    assert run("manual", **untouched, dry_run=False) == run("manual") == run("scheduled")


def test_loading_only_reads_nothing_even_of_a_table_that_is_always_read_whole():
    assert not run(stages="load", strategy="full").base
    assert run(stages="load", targets=["secondary"]).targets == ("secondary",)


@pytest.mark.parametrize(
    ("params", "target", "reason"),
    [
        ({}, "primary", None),
        ({"targets": ["primary"]}, "primary", None),
        ({"targets": ["primary"]}, "secondary", "this run is for primary"),
        ({"targets": ["primary"]}, None, None),
        ({"stages": "load"}, "primary", None),
        ({"stages": "extract"}, "primary", "the next run loads it"),
        ({"dry_run": True}, None, "changes nothing"),
    ],
)
def test_a_load_that_was_not_asked_for_is_left_out_with_the_reason(params, target, reason):
    said = left_out(params, target)
    assert said is None if reason is None else reason in said


def test_an_increment_needs_every_target_that_its_watermark_waits_for():
    with pytest.raises(FixConfiguration, match="leaves out primary"):
        refuse_partial(run(targets=["secondary"]), ["primary"])
    refuse_partial(run(targets=["primary"]), ["primary"])
    for free in ({"stages": "load"}, {"since": "2026-01-01T00:00:00Z"}, {"mode": "resync"}):
        refuse_partial(run("manual", targets=["secondary"], **free), ["primary"])
