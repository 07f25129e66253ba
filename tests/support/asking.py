"""Airflow's server with its plugins and its login, asked without a socket, by whom a test likes.

A program for Airflow's environment: reads [[user, path], …] from standard input, and prints
[[status, text], …]. The users are `viewer`, who may see everything; `outsider`, who may not see the
DAG that HIDDEN_DAG names; `nobody`, who has no role; and null, who has not logged in.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

AUTH = {
    "AIRFLOW__CORE__AUTH_MANAGER": "tests.support.asking.Choosy",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
}
_ROLES = {"viewer": "viewer", "outsider": "viewer", "nobody": None}


class Choosy(SimpleAuthManager):
    """Hides one DAG from one user, as an installation's own roles may."""

    def is_authorized_dag(self, *, user: Any, details: Any = None, **more: Any) -> bool:
        hidden = details is not None and details.id == os.environ.get("HIDDEN_DAG")
        if user.username == "outsider" and hidden:
            return False
        return bool(super().is_authorized_dag(user=user, details=details, **more))


def main() -> None:
    """Ask, and print what is answered."""
    from airflow.api_fastapi.app import create_app, get_auth_manager
    from fastapi.testclient import TestClient

    client = TestClient(create_app(apps="core"))
    answers = []
    for name, path in json.load(sys.stdin):
        headers = {}
        if name:
            user = SimpleAuthManagerUser(username=name, role=_ROLES[name])
            headers["Authorization"] = f"Bearer {get_auth_manager().generate_jwt(user)}"
        answer = client.get(path, headers=headers)
        answers.append([answer.status_code, answer.text])
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
