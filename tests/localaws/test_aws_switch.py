"""If `--aws` does not work, the stand-in can never be held against what it stands in for.

Here the switch is told that AWS lies on this machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path

from localaws import Endpoints
from tests.support.caller import Caller
from tests.support.place import stand_in

_ROOT = Path(__file__).parents[2]
_TESTS = "tests/localaws/test_redshift_sql.py"


def _run(settings: dict[str, str]) -> str:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--aws", _TESTS, "-p", "no:cacheprovider"],
        env={**inherited, **settings}, cwd=_ROOT, capture_output=True, text=True, timeout=600,
        check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout[-3000:]
    return ended.stdout


def test_without_settings_everything_is_skipped_with_a_reason() -> None:
    said = _run({})
    assert "set LOCALAWS_AWS_PRIMARY" in said
    assert "needs the stand-in's own powers" in said
    assert " passed" not in said


def test_with_settings_the_run_has_a_database_of_its_own(stack: Endpoints) -> None:
    place = stand_in(stack)
    bucket = f"aws-{uuid.uuid4().hex[:12]}"
    place.client("s3").create_bucket(Bucket=bucket)
    before = _databases(place.caller("primary"))
    said = _run(
        {
            **place.environment,
            "LOCALAWS_AWS_PRIMARY": "primary",
            "LOCALAWS_AWS_SECONDARY": "secondary",
            "LOCALAWS_AWS_BUCKET": bucket,
            "LOCALAWS_AWS_IAM_ROLE": stack.iam_role,
            "LOCALAWS_AWS_DB_USER": "loader",
        }
    )
    assert " passed" in said
    assert "LOCALAWS_AWS" not in said
    assert _databases(place.caller("primary")) == before
    assert place.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def _databases(primary: Caller) -> list[str]:
    return sorted(primary.api.list_databases(**primary.where)["Databases"])
