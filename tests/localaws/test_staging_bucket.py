"""Failing here, a stack of containers starts without the bucket that every run needs."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path

import boto3

from localaws import Endpoints

SCRIPT = Path(__file__).parents[2] / "docker" / "create_bucket.py"


def test_the_bucket_is_there_however_often_it_is_created(stack: Endpoints) -> None:
    keys = {
        "AWS_ACCESS_KEY_ID": stack.aws_access_key_id,
        "AWS_SECRET_ACCESS_KEY": stack.aws_secret_access_key,
    }
    # By name, as between containers: boto3 must not put the bucket in front of the host.
    endpoint = stack.aws_endpoint_url.replace("127.0.0.1", "localhost")
    bucket = f"created-{uuid.uuid4().hex[:12]}"
    environment = {**keys, "AWS_ENDPOINT_URL_S3": endpoint, "STAGING_BUCKET": bucket}
    for _ in range(2):
        _create(environment)
    s3 = boto3.client(
        "s3",
        endpoint_url=stack.aws_endpoint_url,
        region_name=stack.region,
        aws_access_key_id=stack.aws_access_key_id,
        aws_secret_access_key=stack.aws_secret_access_key,
    )
    assert bucket in [found["Name"] for found in s3.list_buckets()["Buckets"]]


def test_nothing_is_created_on_aws() -> None:
    ended = _create({"STAGING_BUCKET": "tidemark-staging"}, check=False)
    assert ended.returncode == 1
    assert "creates buckets in the stand-in only" in ended.stderr


def _create(environment: dict[str, str], *, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT)],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=check,
    )
