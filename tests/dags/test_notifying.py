"""If these fail, nobody is told of a red run, or everybody of each chunk of it."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace
from typing import ClassVar

import pytest
from airflow.sdk import DAG, BaseNotifier, BaseOperator
from airflow.serialization.serialized_objects import DagSerialization
from tidemark.core.errors import FixConfiguration
from tidemark.core.notices import Notifier
from tidemark.core.settings.tables import parse_tables
from tidemark.operators.signals.deadlines import deadline, tell_late
from tidemark.operators.signals.notifying import callbacks


class Remember(BaseNotifier):
    """Renders its text like any notifier, and keeps it."""

    template_fields = ("text",)
    heard: ClassVar[list[str]] = []

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def notify(self, context: object) -> None:
        self.heard.append(self.text)


class Broken(BaseNotifier):
    def notify(self, context: object) -> None:
        raise ConnectionError("no network")


@pytest.fixture
def called():
    Remember.heard.clear()
    here = __name__
    told = Notifier(notifier=f"{here}.Remember", arguments={"text": "{{ told }}"})
    return callbacks([Notifier(notifier=f"{here}.Broken"), told])


def context(errors=None, before=None):
    with DAG("sync__s__a") as dag:
        for name in ("extract_chunk", "load_primary"):
            BaseOperator(task_id=name)
    left = errors or {}
    ti = SimpleNamespace(
        xcom_pull=lambda task_ids, key: left.get(task_ids) if key == "told" else None,
        get_previous_dagrun=lambda: before and SimpleNamespace(state=before),
    )
    return {"dag": dag, "run_id": "r1", "ti": ti}


@pytest.mark.runbook("Who is told")
def test_a_failed_run_is_told_once_in_the_words_of_its_tasks_whoever_else_cannot_tell(called):
    words = {"extract_chunk": ["chunk 0: clear it"], "load_primary": "s.a: mend the grant"}
    called["on_failure_callback"](context(words))
    (told,) = Remember.heard
    assert told.startswith("sync__s__a: run r1 failed.")
    assert "extract_chunk: chunk 0: clear it" in told
    assert "load_primary: s.a: mend the grant" in told


def test_a_failed_run_without_words_leads_to_the_logs(called):
    for bare in (context(), {k: v for k, v in context().items() if k != "ti"}):
        called["on_failure_callback"](bare)
    assert all("The logs of its red tasks" in told for told in Remember.heard)
    assert len(Remember.heard) == 2


@pytest.mark.parametrize(("before", "times"), [("failed", 1), ("success", 0), (None, 0)])
def test_only_the_first_success_after_a_failure_is_told(called, before, times):
    called["on_success_callback"](context(before=before))
    assert len(Remember.heard) == times


def test_a_run_that_is_late_is_told_while_it_runs(called):
    told = Notifier(notifier=f"{__name__}.Remember", arguments={"text": "{{ told }}"})
    assert deadline(None, [told]) == {}
    alert = deadline(1800, [told])["deadline"]
    with DAG("sync__s__a", deadline=alert) as dag:
        BaseOperator(task_id="load_primary")
    restored = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    assert len(restored.deadline) == 1
    assert alert.interval == timedelta(minutes=30)
    late = {"dag_run": {"dag_id": "sync__s__a", "dag_run_id": "r1"}}
    assert asyncio.run(tell_late(**alert.callback.kwargs, context=late))
    assert Remember.heard[-1].startswith("sync__s__a: run r1 is not over after 1800 s")


def test_a_deadline_that_nobody_hears_of_is_refused():
    text = "version: 1\ntables: {s.a: {deadline_seconds: 5}}"
    with pytest.raises(FixConfiguration, match=r"tables\.s\.a: deadline_seconds: notify names no"):
        parse_tables(text, {})


def test_nobody_to_tell_costs_nothing():
    assert callbacks([]) == {}


def test_a_notifier_that_is_no_class_is_refused_by_table_and_key():
    text = "version: 1\ntables: {s.a: {notify: [{notifier: slack}]}}"
    with pytest.raises(FixConfiguration, match=r"tables\.s\.a\.notify.*named by its module"):
        parse_tables(text, {})
