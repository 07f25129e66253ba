"""A Data API process of a test's own, to kill and start again."""

from __future__ import annotations

import json
import os
import signal
import sys
import urllib.request
from pathlib import Path
from typing import Any

from localaws import Endpoints
from localaws.objects import answers
from localaws.processes import Service, free_port
from tests.support.place import stand_in

CLUSTER = "restarted"
ROOT = Path(__file__).parents[2]


class DataApi:
    """A Data API of our own on the PostgreSQL and the S3 of `stack`."""

    def __init__(self, stack: Endpoints, home: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        there = stand_in(stack, data_api=self.url)
        self.calls = there.caller("primary").at(ClusterIdentifier=CLUSTER)
        command = [sys.executable, "-m", "localaws.redshift", "--port", str(self.port)]
        command += ["--home", str(home), "--s3-endpoint", stack.aws_endpoint_url]
        command += ["--postgres", f"{stack.postgres_host}:{stack.postgres_port}"]
        command += ["--postgres-user", stack.postgres_user]
        command += ["--cluster", f"{CLUSTER}:dev", "--iam-role", stack.iam_role]
        command += ["--isolation", f"{CLUSTER}=SERIALIZABLE"]
        self.service = Service(
            "redshift under test",
            command,
            log=home / "log",
            healthy=lambda: answers(self.port, "/_localaws/health"),
            cwd=ROOT,
            deadline=120,
            stop_deadline=60,
            environment=os.environ | {"LOCALAWS_POSTGRES_PASSWORD": stack.postgres_password},
        )

    def start(self) -> None:
        self.service.start()
        self.service.wait_healthy()

    def kill(self) -> None:
        assert self.service.pid is not None
        os.kill(self.service.pid, signal.SIGKILL)
        self.service.stop()

    def put_state(self, state: str) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self.url}/_localaws/clusters/{CLUSTER}", json.dumps({"state": state}).encode()
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            answer: dict[str, Any] = json.load(response)
            return answer
