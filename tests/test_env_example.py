"""Failing here, .env.example lies: a setting that nothing reads, or one that nobody is told of.

Whoever fills it in has nothing else to go by.
"""

from __future__ import annotations

import re

import boto3
import pytest
from tidemark.core.settings.tables import parse_tables
from tidemark.core.settings.target_list import parse_targets
from tidemark.core.settings.targets import RedshiftTarget

from tests.support.containers import REFERENCE, ROOT, example, services, words

_INCLUDE = sorted((ROOT / "include").glob("*.yaml"))
_ON = {setting.name: setting.value for setting in example() if not setting.off}
_OFF = {setting.name: setting.value for setting in example() if setting.off}


def _passed_on() -> set[str]:
    """What Airflow gets under the name that it has in .env."""
    environment = services()["airflow-worker"]["environment"]
    return {
        name
        for name, value in environment.items()
        if value is None or ((match := REFERENCE.fullmatch(value)) and match["name"] == name)
    }


def _asked_for() -> set[str]:
    """Every name that the compose file takes from .env."""
    text = (ROOT / "docker-compose.yaml").read_text()
    bare = {
        name
        for service in services().values()
        for name, value in service.get("environment", {}).items()
        if value is None
    }
    return bare | {match["name"] for match in REFERENCE.finditer(text)}


def _in_include() -> set[str]:
    text = "\n".join(re.sub(r"(?m)^\s*#.*$", "", file.read_text()) for file in _INCLUDE)
    return {match["name"] for match in REFERENCE.finditer(text)}


def test_every_setting_is_explained_once() -> None:
    names = [setting.name for setting in example()]
    assert len(names) == len(set(names))
    assert [setting.name for setting in example() if not setting.explained] == []


def test_every_setting_is_taken_and_everything_taken_is_a_setting() -> None:
    # Docker Compose itself reads this one.
    assert _asked_for() | {"COMPOSE_PROFILES"} == _ON.keys() | _OFF.keys()


def test_the_profile_exists() -> None:
    profiles = {name for service in services().values() for name in service.get("profiles", ())}
    assert set(_ON["COMPOSE_PROFILES"].split(",")) == profiles


def test_every_name_in_include_reaches_airflow() -> None:
    assert _in_include()
    assert _in_include() - _passed_on() == set()


def test_everything_passed_on_is_read_by_something() -> None:
    code = "\n".join(p.read_text() for p in (ROOT / "plugins" / "tidemark").rglob("*.py"))
    include = "\n".join(file.read_text() for file in _INCLUDE)
    for name in _passed_on() - _in_include():
        if match := re.fullmatch(r"AIRFLOW_CONN_(\w+)", name):
            assert re.search(rf": {match[1].lower()}\b", include), f"no one uses connection {name}"
        elif not name.startswith(("AWS_", "AIRFLOW__")):  # see below, and test_compose_commands.py
            assert f'environ.get("{name}")' in code, f"nothing reads {name}"


def test_boto3_reads_every_aws_name(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {name for name in _passed_on() if name.startswith("AWS_")}
    given = {name: "http://" + name.lower().replace("_", "-") for name in names}
    del given["AWS_REGION"]  # boto3 reads AWS_DEFAULT_REGION; include/targets.yaml reads this one
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    session = boto3.session.Session(region_name="us-east-1")
    who = session.get_credentials()
    used = {
        "AWS_ACCESS_KEY_ID": who.access_key,
        "AWS_SECRET_ACCESS_KEY": who.secret_key,
        "AWS_SESSION_TOKEN": who.token,
        "AWS_ENDPOINT_URL_S3": session.client("s3").meta.endpoint_url,
        "AWS_ENDPOINT_URL_SQS": session.client("sqs").meta.endpoint_url,
        "AWS_ENDPOINT_URL_REDSHIFT_DATA": session.client("redshift-data").meta.endpoint_url,
    }
    assert used == given


def test_secrets_are_left_to_be_drawn() -> None:
    secrets = {
        name: value for name, value in _ON.items() if re.search("PASSWORD|SECRET|_KEY", name)
    }
    # What the stand-in is entered with says so, and opens nothing else.
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        assert secrets.pop(name) == "standin"
    assert len(secrets) == 8
    assert set(secrets.values()) == {""}


def test_the_given_values_are_those_of_the_stand_in() -> None:
    command = words(services()["standin-redshift"]["command"])
    clusters = {word.removeprefix("--cluster=") for word in command if "--cluster=" in word}
    targets = parse_targets((ROOT / "include" / "targets.yaml").read_text(), _ON)
    named = {f"{t.cluster_identifier}:{t.database}" for t in targets.by_name.values()}
    assert named == clusters
    for target in targets.by_name.values():
        assert target.enabled
        assert f"--iam-role={target.iam_role}" in command
        assert f"--region={target.region}" in command
    port = next(word.removeprefix("--port=") for word in command if word.startswith("--port="))
    assert _ON["AWS_ENDPOINT_URL_REDSHIFT_DATA"] == f"http://standin-redshift:{port}"
    gateway = words(services()["standin-objects"]["command"])
    port = next(word.removeprefix("--port=") for word in gateway if word.startswith("--port="))
    assert _ON["AWS_ENDPOINT_URL_S3"] == f"http://standin-objects:{port}"
    assert f"--s3-endpoint={_ON['AWS_ENDPOINT_URL_S3']}" in command


def test_the_secondary_can_be_switched_off_alone() -> None:
    primary = {n: v for n, v in _ON.items() if not n.startswith("SECONDARY_")}
    off = {**primary, "SECONDARY_REDSHIFT_ENABLED": "false"}
    targets = parse_targets((ROOT / "include" / "targets.yaml").read_text(), off)
    assert [target.name for target in targets.by_name.values() if target.enabled] == ["primary"]


@pytest.mark.parametrize(
    "file", ["include/tables.yaml", "include/targets.yaml", "docker-compose.yaml"]
)
def test_a_default_that_is_shown_is_the_default(file: str) -> None:
    text = (ROOT / file).read_text()
    defaults = {m["name"]: m["text"] for m in REFERENCE.finditer(text) if m["text"]}
    shown = {name: _OFF[name] for name in defaults.keys() & _OFF.keys()}
    assert shown == {name: defaults[name] for name in shown}
    assert shown


def test_a_default_of_the_code_that_is_shown_is_the_default() -> None:
    fields = {
        "REDSHIFT_TABLE_NAME": "events_table",
        "REDSHIFT_STATEMENT_TIMEOUT": "statement_timeout_ms",
        "REDSHIFT_MAX_RETRIES": "submit_retries",
    }
    for name, field in fields.items():
        assert (
            _OFF[name]
            == _OFF[f"SECONDARY_{name}"]
            == str(RedshiftTarget.model_fields[field].default)
        )


def test_the_tables_can_be_read_with_the_schedule_that_is_shown() -> None:
    text = (ROOT / "include" / "tables.yaml").read_text()
    shown = {"TIDEMARK_SCHEDULE": _OFF["TIDEMARK_SCHEDULE"]}
    assert parse_tables(text, shown) == parse_tables(text, {})
