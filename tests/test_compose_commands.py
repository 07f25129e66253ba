"""Failing here, a container starts with a command, path or option that does not exist, and dies.

Commands and options are put to the Airflow that is installed here, in a process of its own.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tidemark.core.settings.target_list import parse_targets

from tests.support.containers import ROOT, example, pins, services, stages, words

# Airflow's commands and options that come with a provider, which the image has and the machine of
# these tests has not. Checked by hand when the provider's version changes.
_COMMANDS_OF_PROVIDERS = {
    ("celery", "worker"): "apache-airflow-providers-celery",
    ("users", "create"): "apache-airflow-providers-fab",
}
_OPTIONS_OF_PROVIDERS = "AIRFLOW__CELERY__"


def test_every_path_in_a_command_is_in_the_image() -> None:
    seen = 0
    for name, service in services().items():
        for word in [
            *words(service.get("command", [])),
            *service.get("healthcheck", {}).get("test", ()),
        ]:
            if re.fullmatch(r"/opt/\S+\.(py|sh)", word):
                seen += 1
                copied = stages()[service["build"]["target"]].copied
                assert word in copied, f"{name}: the image has no {word}"
    assert seen >= 5


def test_every_sql_file_that_mysql_reads_is_mounted() -> None:
    mounted = {v.split(":")[1] for v in services()["mysql"]["volumes"] if v.startswith("./")}
    scripts = sorted((ROOT / "docker" / "mysql").glob("*.sql"))
    assert scripts
    for script in scripts:
        for source in re.findall(r"^SOURCE (\S+)$", script.read_text(), re.M):
            assert source in mounted, f"{script.name}: {source}"
    # The image makes this user; the script gives it its rights.
    assert f"'{services()['mysql']['environment']['MYSQL_USER']}'@'%'" in scripts[0].read_text()


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the installed Airflow says of the commands and the options that the files use."""
    options = sorted(
        name
        for name in services()["airflow-apiserver"]["environment"]
        if name.startswith("AIRFLOW__") and not name.startswith(_OPTIONS_OF_PROVIDERS)
    )
    probe = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "support" / "airflow_probe.py")],
        input=json.dumps({"commands": _airflow_commands(), "options": options}),
        env={"PATH": os.environ["PATH"], "AIRFLOW_HOME": str(tmp_path_factory.mktemp("airflow"))},
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert probe.returncode == 0, probe.stderr
    answer: dict[str, Any] = json.loads(probe.stdout.splitlines()[-1])
    return answer


def _airflow_commands() -> list[list[str]]:
    """Every `airflow …` of the compose file and of the script that prepares the database."""
    found = [
        words(service["command"])
        for name, service in services().items()
        if name.startswith("airflow-") and not service["command"].startswith("bash ")
    ]
    script = (ROOT / "docker" / "airflow-init.sh").read_text().replace("\\\n", " ")
    found += [words(line)[1:] for line in script.splitlines() if line.startswith("airflow ")]
    assert len(found) >= 9
    return [command for command in found if tuple(command[:2]) not in _COMMANDS_OF_PROVIDERS]


def test_the_image_has_the_providers_whose_commands_are_not_checked() -> None:
    assert set(_COMMANDS_OF_PROVIDERS.values()) <= pins("docker/requirements.txt").keys()


def test_airflow_knows_every_command(airflow: dict[str, Any]) -> None:
    assert airflow["refused_commands"] == []


def test_airflow_knows_every_option(airflow: dict[str, Any]) -> None:
    assert airflow["unknown_options"] == []


@pytest.mark.parametrize(
    ("service", "module"),
    [("standin-redshift", "localaws.redshift"), ("standin-objects", "localaws.gateway")],
)
def test_the_stand_in_knows_every_option(service: str, module: str) -> None:
    command = words(services()[service]["command"])
    assert command[:3] == ["python", "-m", module]
    shown = subprocess.run(
        [sys.executable, *command[1:3], "--help"],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=True,
    ).stdout  # fmt: skip
    known = set(re.findall(r"--[a-z0-9-]+", shown))
    assert {word.partition("=")[0] for word in command[3:]} <= known


def test_health_checks_ask_for_what_airflow_reports(airflow: dict[str, Any]) -> None:
    tests = [
        service["healthcheck"]["test"]
        for service in services().values()
        if "healthcheck" in service
    ]
    asked = {
        test[-1] for test in tests if Path(test[2] if len(test) > 2 else "").name == "heartbeat.py"
    }
    assert asked == {"dag_processor", "triggerer"}
    assert asked <= set(airflow["components"])
    pages = {re.sub(r"^http://localhost:8080", "", t[-1]) for t in tests if ":8080/" in t[-1]}
    assert pages <= set(airflow["pages"])
    assert pages


def test_the_pools_are_those_of_the_targets() -> None:
    environment = {setting.name: setting.value for setting in example() if not setting.off}
    targets = parse_targets((ROOT / "include" / "targets.yaml").read_text(), environment)
    script = (ROOT / "docker" / "airflow-init.sh").read_text()
    made = re.findall(r"^airflow pools set (\S+)", script, re.M)
    assert sorted(made) == sorted(target.pool_name for target in targets.by_name.values())


@pytest.fixture
def api_server() -> Iterator[str]:
    """Answers as the API server does: one component is healthy, one is not."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path == "/api/v2/monitor/health"
            self.send_response(200 if known else 503)
            self.end_headers()
            status = {"triggerer": {"status": "healthy"}, "dag_processor": {"status": "unhealthy"}}
            self.wfile.write(json.dumps(status).encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("component", "code"), [("triggerer", 0), ("dag_processor", 1), ("scheduler", 1)]
)
def test_a_heartbeat_is_fresh_or_not(api_server: str, component: str, code: int) -> None:
    assert _exit_code("heartbeat.py", component, api_server) == code


def test_a_server_answers_or_does_not(api_server: str) -> None:
    assert _exit_code("answers.py", f"{api_server}/api/v2/monitor/health") == 0
    assert _exit_code("answers.py", f"{api_server}/elsewhere") == 1
    assert _exit_code("answers.py", "http://127.0.0.1:1/") == 1
    assert _exit_code("heartbeat.py", "triggerer", "http://127.0.0.1:1/") == 1


def _exit_code(script: str, *arguments: str) -> int:
    command = [sys.executable, str(ROOT / "docker" / script), *arguments]
    return subprocess.run(command, capture_output=True, timeout=120, check=False).returncode
