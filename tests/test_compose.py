"""Failing here, `docker compose up` fails in front of the first person who tries Tidemark.

CI has no container engine. What is checked is what a file can be held to without one: shape, names,
paths, commands, versions. That the images can be pulled and that their programs start, is not.
The shape is a subset of the Compose Specification, written down here and strict: a key that the
file does not use today is refused until someone has looked it up and added it.
https://github.com/compose-spec/compose-spec/blob/main/spec.md
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

from jsonschema import Draft202012Validator

from tests.support.containers import (
    REFERENCE,
    ROOT,
    compose,
    sent_to_the_builder,
    services,
    stages,
)

_SECRET = re.compile(r"PASSWORD|SECRET|_KEY|TOKEN")
_SAYS_NO_SECRET = {"AWS_ACCESS_KEY_ID", "REDSHIFT_SECRET_ARN", "SECONDARY_REDSHIFT_SECRET_ARN"}

_DURATION = {"type": "string", "pattern": r"^\d+s$"}
_NAME = r"^[a-z][a-z0-9-]*$"
_LINE = {"type": "array", "items": {"type": "string"}, "minItems": 1}


def _object(required: str = "", /, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


def _by_name(value: dict[str, Any], pattern: str = _NAME) -> dict[str, Any]:
    return {
        "type": "object",
        "patternProperties": {pattern: value},
        "additionalProperties": False,
        "minProperties": 1,
    }


_SERVICE = _object(
    "image restart",
    image={"type": "string"},
    build=_object("context target", context={"const": "."}, target={"type": "string"}),
    command={"anyOf": [{"type": "string"}, _LINE]},
    # A bare number or boolean would be rewritten by YAML: 0.20 becomes 0.2, on becomes true.
    environment=_by_name({"type": ["string", "null"]}, r"^[A-Z_][A-Z0-9_]*$"),
    ports=_LINE,
    volumes=_LINE,
    profiles=_LINE,
    restart={"enum": ["no", "unless-stopped"]},
    stop_grace_period=_DURATION,
    depends_on=_by_name(
        _object(
            "condition",
            condition={"enum": ["service_healthy", "service_completed_successfully"]},
            required={"type": "boolean"},
        )
    ),
    healthcheck=_object(
        "test interval timeout retries start_period",
        test={
            "type": "array",
            "prefixItems": [{"enum": ["CMD", "CMD-SHELL"]}],
            "items": {"type": "string"},
            "minItems": 2,
        },
        interval=_DURATION,
        timeout=_DURATION,
        retries={"type": "integer", "minimum": 1},
        start_period=_DURATION,
    ),
)
_COMPOSE = _object(
    "name services volumes",
    name={"type": "string", "pattern": _NAME},
    services=_by_name(_SERVICE),
    volumes=_by_name({"type": "null"}),
    **{"x-airflow": {}, "x-standin": {}},
)


def test_the_file_has_the_shape_of_the_specification() -> None:
    Draft202012Validator.check_schema(_COMPOSE)
    wrong = [
        f"{e.json_path}: {e.message}" for e in Draft202012Validator(_COMPOSE).iter_errors(compose())
    ]
    assert wrong == []


def test_every_image_is_pinned_to_an_exact_version() -> None:
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    built = stages()
    for name, service in services().items():
        if "build" in service:
            target = service["build"]["target"]
            assert target in built, f"{name}: the Dockerfile has no stage {target}"
            assert service["image"] == f"tidemark/{target}:{ours}", name
        else:
            _assert_exact(service["image"])
    for stage in built.values():
        if stage.base not in built:
            _assert_exact(stage.base)


def _assert_exact(image: str) -> None:
    numbers = 2 if image.startswith("postgres:") else 3  # PostgreSQL has no third one
    assert re.fullmatch(rf"[a-z/]+:(slim-)?\d+(\.\d+){{{numbers - 1}}}(-[a-z0-9.-]+)?", image), (
        image
    )


def test_the_images_hold_the_airflow_and_the_python_of_the_lock() -> None:
    airflow = re.search(r"^apache-airflow==(\S+)$", (ROOT / "requirements.txt").read_text(), re.M)
    assert airflow is not None
    assert stages()["airflow"].base == f"apache/airflow:slim-{airflow[1]}-python3.11"
    assert stages()["standin"].base.startswith("python:3.11.")


def test_every_service_is_watched_or_ends() -> None:
    waited_for = {
        name
        for service in services().values()
        for name, how in service.get("depends_on", {}).items()
        if how["condition"] == "service_completed_successfully"
    }
    ends = {name for name, service in services().items() if service["restart"] == "no"}
    assert ends == waited_for, "what runs once is what others wait for the end of"
    for name, service in services().items():
        assert ("healthcheck" in service) != (name in ends), name


def test_dependencies_exist_and_can_be_met() -> None:
    all_services = services()
    for name, service in all_services.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in all_services, f"{name} waits for {other}"
            if how["condition"] == "service_healthy":
                assert "healthcheck" in all_services[other], f"{name} waits for {other}"
            always_there = all_services[other].get("profiles") in (None, service.get("profiles"))
            assert how.get("required", True) is always_there, f"{name} waits for {other}"


def test_nothing_is_offered_to_other_machines() -> None:
    ports = [port for service in services().values() for port in service.get("ports", ())]
    assert ports
    for port in ports:
        assert re.fullmatch(r"127\.0\.0\.1:(\d+|\$\{\w+:-\d+\}):\d+", port), port


def test_no_secret_stands_in_a_file() -> None:
    seen = 0
    for name, service in services().items():
        for variable, value in service.get("environment", {}).items():
            if _SECRET.search(variable) and variable not in _SAYS_NO_SECRET:
                seen += 1
                given = value is None or re.fullmatch(r"\$\{\w+:(\?[^}]+|-)\}", value)
                assert given, f"{name}: {variable}: take it from .env, without a default"
            for password in re.findall(r"://[^:@/]*:([^@]*)@", value or ""):
                seen += 1
                assert REFERENCE.fullmatch(password), f"{name}: {variable} holds a password"
    assert seen > 10
    assert not re.search(
        r"^(ARG|ENV) .*(PASSWORD|SECRET|TOKEN)", (ROOT / "Dockerfile").read_text(), re.M
    )


def test_volumes_are_declared_and_mounted_files_exist() -> None:
    named: set[str] = set()
    for name, service in services().items():
        for volume in service.get("volumes", ()):
            source, target, *mode = volume.split(":")
            assert target.startswith("/"), f"{name}: {volume}"
            if source.startswith("./"):
                assert (ROOT / source).exists(), f"{name}: {source} does not exist"
                assert mode == ["ro"], f"{name}: {source} could be changed from inside"
            else:
                named.add(source)
    assert named == set(compose()["volumes"])


def test_what_the_dockerfile_copies_exists_and_reaches_the_builder() -> None:
    copied = {source for stage in stages().values() for source in stage.copied.values()}
    assert {"dags", "plugins", "include", "localaws"} <= copied
    for source in copied:
        assert (ROOT / source).exists(), source
        assert sent_to_the_builder(source), f".dockerignore keeps {source} back"
    for private in (".env", ".git", ".venv", ".local", "tests", "plugins/tidemark/__pycache__"):
        assert not sent_to_the_builder(private), f".dockerignore lets {private} through"
