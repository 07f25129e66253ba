"""A form that does not import cannot be filled in; one with a wrong default does harm."""

import runpy
from pathlib import Path

import pytest
from airflow.sdk import DAG

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {
    "STAGING_BUCKET": "stage",
    "REDSHIFT_CLUSTER_IDENTIFIER": "c1",
    "REDSHIFT_DATABASE": "dw",
    "REDSHIFT_DB_USER": "loader",
    "REDSHIFT_IAM_ROLE": "arn:aws:iam::000000000000:role/copy",
}


@pytest.fixture
def forms(monkeypatch):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    settings = runpy.run_path(str(ROOT / "dags/controls.py"))["settings"]
    return {dag_id: DAG(**each) for dag_id, each in settings.items()}


def test_every_form_has_defaults_that_change_nothing(forms):
    acting = {"watermark", "clean_staging", "catch_up", "redrive", "change_role"}
    assert set(forms) == acting | {"validate", "discover"}
    for dag in forms.values():
        dag.params.validate()
        assert dag.schedule is None
    assert forms["watermark"].params["action"] == "get"
    assert forms["clean_staging"].params["delete"] is False
    assert forms["redrive"].params["what"] == "look"


def test_alerts_are_looked_for_every_minute(monkeypatch):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    dag = runpy.run_path(str(ROOT / "dags/alerts.py"))["dag"]
    assert (dag.dag_id, [task.task_id for task in dag.tasks]) == ("alerts", ["tell_incidents"])


def test_the_doctor_comes_every_day(monkeypatch):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    dag = runpy.run_path(str(ROOT / "dags/doctor.py"))["dag"]
    assert (dag.dag_id, [task.task_id for task in dag.tasks]) == ("doctor", ["examine_project"])
