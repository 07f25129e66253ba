"""A DAG that does not import runs nothing, and nobody is told; a wrong arrow commits too early."""

import importlib.util
import runpy
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from airflow.sdk.definitions._internal.contextmanager import DagContext
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables.base import DataInterval, TimeRestriction

ROOT = Path(__file__).parents[2]
_FIVE = timedelta(minutes=5)
ENVIRONMENT = {
    "STAGING_BUCKET": "stage",
    "REDSHIFT_CLUSTER_IDENTIFIER": "c1",
    "REDSHIFT_DATABASE": "dw",
    "REDSHIFT_DB_USER": "loader",
    "REDSHIFT_IAM_ROLE": "arn:aws:iam::000000000000:role/copy",
}
SECOND = {
    "SECONDARY_REDSHIFT_ENABLED": "true",
    "SECONDARY_REDSHIFT_CLUSTER_IDENTIFIER": "c2",
    "SECONDARY_REDSHIFT_DATABASE": "dw",
    "SECONDARY_REDSHIFT_DB_USER": "loader",
    "SECONDARY_REDSHIFT_IAM_ROLE": "arn:aws:iam::000000000000:role/copy",
}


@pytest.fixture
def parse(monkeypatch, tmp_path):
    """Parse dags/sync_tables.py as Airflow does, and return its DAGs by id."""

    # Airflow leaves them behind, empty, once a single DAG was parsed in this process.
    for name in ("DAG_ID", "TASK_ID"):
        monkeypatch.delenv(f"_AIRFLOW_PARSING_CONTEXT_{name}", raising=False)

    def parse(tables: str | None = None, **environment: str):
        for name, value in {**ENVIRONMENT, **environment}.items():
            monkeypatch.setenv(name, value)
        if tables:
            (tmp_path / "tables.yaml").write_text(tables)
            (tmp_path / "targets.yaml").write_text((ROOT / "include/targets.yaml").read_text())
            monkeypatch.setenv("TIDEMARK_CONFIG_DIR", str(tmp_path))
        file = ROOT / "dags/sync_tables.py"
        spec = importlib.util.spec_from_file_location("sync_tables_under_test", file)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, module)
        DagContext.autoregistered_dags.clear()
        monkeypatch.setattr(DagContext, "current_autoregister_module_name", spec.name)
        spec.loader.exec_module(module)
        return {dag.dag_id: dag for dag, _ in DagContext.autoregistered_dags}

    return parse


@pytest.mark.parametrize("second", [{}, SECOND], ids=["A41 one target", "A42 two targets"])
def test_every_table_gets_a_dag_with_the_arrows_of_its_manual(parse, second):
    dags = parse(**second)
    assert "sync__demo__flights" in dags
    for dag in dags.values():
        arrows = {task.task_id: task.downstream_task_ids for task in dag.tasks}
        assert arrows == {
            "plan_increment": {"extract_chunk"},
            "extract_chunk": {"seal_batch"},
            "seal_batch": {"load_primary", "load_secondary", "commit_watermark"},
            "load_primary": {"commit_watermark"},
            "load_secondary": set(),
            "commit_watermark": set(),
        }
        assert "may be cleared at any time" in dag.doc_md


def test_a37_a_best_effort_load_is_a_leaf_with_its_own_pool_and_no_retries(parse):
    dag = parse(**SECOND)["sync__demo__flights"]
    primary, secondary = dag.get_task("load_primary"), dag.get_task("load_secondary")
    assert (primary.pool, secondary.pool) == ("tidemark_primary", "tidemark_secondary")
    assert (primary.retries, secondary.retries) == (3, 0)
    assert dag.get_task("commit_watermark").trigger_rule == "all_done"


def test_a_source_is_asked_within_its_pool_by_two_readers_unless_told_otherwise(parse):
    dags = parse(
        "version: 1\ntables: {s.a: {schedule: null}, s.b: {schedule: null, pool: shop, readers: 5}}"
    )
    for table, pool, readers in [("a", "default_pool", 2), ("b", "shop", 5)]:
        plan, extract = map(dags[f"sync__s__{table}"].get_task, ("plan_increment", "extract_chunk"))
        assert (plan.pool, extract.pool) == (pool, pool)
        assert extract.max_active_tis_per_dagrun == readers


def test_schedules_carry_an_interval_and_null_means_triggered_only(parse):
    times = "s.a: {schedule: null}, s.b: {schedule: '0 * * * *'}, s.c: {schedule: '7 * * * *'}"
    dags = parse(f"version: 1\ntables: {{{times}}}")
    assert not dags["sync__s__a"].timetable.can_be_scheduled
    assert dags["sync__s__b"].timetable.delta == timedelta(hours=1)
    assert dags["sync__s__c"].timetable.expression == "7 * * * *"


_EVERY_FIVE = "version: 1\ntables: {s.a: {schedule: '*/5 * * * *'}}"


def test_a_backfill_of_an_even_schedule_has_the_intervals_that_the_schedule_had(parse):
    dag = _as_the_scheduler_sees(parse(_EVERY_FIVE)["sync__s__a"])
    ten, eleven = (datetime(2026, 3, 1, hour, tzinfo=UTC) for hour in (10, 11))
    infos = list(dag.iter_dagrun_infos_between(ten, eleven))
    intervals = [(info.data_interval.start, info.data_interval.end) for info in infos]
    assert intervals == [
        (ten + number * _FIVE, ten + (number + 1) * _FIVE) for number in range(13)
    ], "one for each five minutes; Airflow counts the last one in"
    assert [info.run_after for info in infos] == [end for _, end in intervals]


def test_the_first_run_after_a_pause_is_that_of_the_newest_whole_interval(parse):
    """What was missed has no runs: the watermark knows where to go on."""
    dag = _as_the_scheduler_sees(parse(_EVERY_FIVE)["sync__s__a"])
    last = datetime(2026, 3, 1, 10, tzinfo=UTC)
    missed = TimeRestriction(dag.start_date, None, catchup=dag.catchup)
    before = datetime.now(UTC)
    info = dag.timetable.next_dagrun_info(
        last_automated_data_interval=DataInterval(last, last + _FIVE), restriction=missed
    )
    assert before - _FIVE < info.run_after <= datetime.now(UTC)
    assert info.run_after.timestamp() % _FIVE.total_seconds() == 0
    assert info.run_after - info.data_interval.start == _FIVE


def _as_the_scheduler_sees(dag):
    return DagSerialization.from_dict(DagSerialization.to_dict(dag))


def test_the_form_is_on_the_dag_with_values_that_hold_and_no_task_carries_a_copy(parse):
    dag = parse(**SECOND)["sync__demo__flights"]
    assert dag.params.validate().keys() >= {"since", "until", "mode", "targets"}
    assert not any(task.params for task in dag.tasks)


@pytest.mark.runbook("Which task is red?")
def test_a_wrong_setting_is_an_import_error_that_names_file_table_and_key(parse):
    with pytest.raises(
        Exception, match=r"tables\.yaml: tables\.s\.a\.cursr: there is no such setting"
    ):
        parse("version: 1\ntables: {s.a: {cursr: x}}")


def test_dag_files_are_tables_of_contents():
    files = list((ROOT / "dags").glob("*.py"))
    assert files
    for file in files:
        assert len(file.read_text().splitlines()) <= 40, file.name


def test_the_libraries_are_hidden_from_the_plugin_scanner_and_shadow_no_module():
    hidden = set((ROOT / "plugins/.airflowignore").read_text().splitlines())
    assert {"mysql_arrow/", "tidemark/"} <= hidden
    modules = [path.stem for path in (ROOT / "plugins").rglob("*.py")]
    assert len(modules) > 10
    top = {path.stem for path in (ROOT / "plugins").iterdir()}
    assert not (top & sys.stdlib_module_names)


def test_the_sweep_is_one_task_every_night():
    dag = runpy.run_path(str(ROOT / "dags/sweep_staging.py"))["dag"]
    assert [task.task_id for task in dag.tasks] == ["sweep_batches"]
    assert dag.timetable.can_be_scheduled
