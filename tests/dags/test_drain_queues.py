"""A wrong arrow deletes messages too early."""

import runpy
from datetime import timedelta
from pathlib import Path

import pytest
from tidemark.operators.signals.notifying import TellFailure, TellRecovery

ROOT = Path(__file__).parents[2]
TARGETS = """
version: 1
staging: {bucket: stage, region: us-east-1}
targets:
  primary: {kind: postgres, role: required, conn_id: a}
  secondary: {kind: postgres, role: best_effort, conn_id: b}
"""
QUEUE = "queue_url: https://sqs.us-east-1.amazonaws.com/000000000000/q"


@pytest.fixture
def parse(monkeypatch, tmp_path):
    """Parse dags/drain_queues.py with one queue, and return its DAG; None without one."""
    for name in ("DAG_ID", "TASK_ID"):
        monkeypatch.delenv(f"_AIRFLOW_PARSING_CONTEXT_{name}", raising=False)
    monkeypatch.delenv("ENABLE_SQS_CONSUMER", raising=False)

    def parse(queue: str):
        (tmp_path / "tables.yaml").write_text("version: 1\ntables: {s.t: {schedule: null}}")
        (tmp_path / "targets.yaml").write_text(TARGETS)
        (tmp_path / "queues.yaml").write_text(f"version: 1\nqueues: {{q: {{{queue}}}}}")
        monkeypatch.setenv("TIDEMARK_CONFIG_DIR", str(tmp_path))
        declared = runpy.run_path(str(ROOT / "dags/drain_queues.py"))
        return declared["plan"].dag if "plan" in declared else None

    return parse


@pytest.mark.parametrize(("ack", "waits"), [("loaded", {"delete_messages"}), ("staged", set())])
def test_a_queue_gets_a_dag_with_the_arrows_of_its_manual(parse, ack, waits):
    dag = parse(f"{QUEUE}, drain: {{ack: {ack}, receivers: 3}}")
    assert dag.dag_id == "drain__q"
    assert {task.task_id: task.downstream_task_ids for task in dag.tasks} == {
        "plan_drain": {"receive_messages"},
        "receive_messages": {"seal_batch"},
        "seal_batch": {"load_primary", "load_secondary", "delete_messages"},
        "load_primary": waits,
        "load_secondary": set(),
        "delete_messages": set(),
    }
    assert dag.max_active_runs == 1
    assert dag.get_task("delete_messages").trigger_rule == "all_done"
    assert dag.get_task("receive_messages").max_active_tis_per_dagrun == 3
    assert "may be cleared at any time" in dag.doc_md


def test_no_dag_without_a_url_without_a_drain_or_where_another_installation_drains(
    parse, monkeypatch
):
    assert parse("drain: {}") is None
    assert parse(QUEUE) is None
    monkeypatch.setenv("ENABLE_SQS_CONSUMER", "False")
    assert parse(f"{QUEUE}, drain: {{}}") is None


def test_a_watched_queue_starts_runs_beside_its_schedule(parse):
    assert parse(f"{QUEUE}, drain: {{}}").timetable.delta == timedelta(minutes=1)
    for schedule in ('"*/5 * * * *"', "null"):
        dag = parse(f"{QUEUE}, drain: {{watch_seconds: 5, schedule: {schedule}}}")
        (asset,) = dag.timetable.asset_condition.objects
        (watcher,) = asset.watchers
        assert asset.name == "tidemark/queue/q"
        assert watcher.trigger.serialize()[1] == {
            "queue": {
                "name": "q",
                "queue_url": "https://sqs.us-east-1.amazonaws.com/000000000000/q",
                "aws_conn_id": "aws_default",
                "region": None,
            },
            "seconds": 5.0,
        }


def test_a_queue_has_an_owner_tags_and_people_who_are_told(parse):
    notify = "[{notifier: airflow.providers.smtp.notifications.smtp.SmtpNotifier}]"
    dag = parse(f"{QUEUE}, drain: {{owner: web, tags: [ads], notify: {notify}}}")
    assert dag.tags == {"tidemark", "queue", "ads"}
    assert {task.owner for task in dag.tasks} == {"web"}
    assert isinstance(dag.on_failure_callback, TellFailure)
    assert isinstance(dag.on_success_callback, TellRecovery)
