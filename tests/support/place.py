"""Where a conformance test goes: to the stand-in, or with `pytest --aws` to Amazon's own service.

Real AWS is found in boto3's usual places (AWS_PROFILE, AWS_REGION and the like) and in these:

    LOCALAWS_AWS_PRIMARY     a cluster's identifier, or `workgroup/` and a workgroup's name
    LOCALAWS_AWS_SECONDARY   another one, in the same region
    LOCALAWS_AWS_BUCKET      a bucket in that region; objects are written below a prefix of the run
    LOCALAWS_AWS_IAM_ROLE    a role that both may assume and that may read and write the bucket
    LOCALAWS_AWS_DB_USER     for clusters: a user who may create databases …
    LOCALAWS_AWS_SECRET_ARN  … or a secret that holds one (optional for workgroups)
    LOCALAWS_AWS_DATABASE    a database that exists, from which the run's own is made; default: dev

Each run creates a database of its own on both warehouses and drops it at the end, so that no test
meets what another run or a person left behind.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from localaws import Endpoints
from tests.support.caller import Caller, Lake

_REQUIRED = (
    "LOCALAWS_AWS_PRIMARY",
    "LOCALAWS_AWS_SECONDARY",
    "LOCALAWS_AWS_BUCKET",
    "LOCALAWS_AWS_IAM_ROLE",
)
_WORKGROUP = "workgroup/"


class SettingMissing(RuntimeError):
    """Real AWS cannot be reached without these settings."""


@dataclass(frozen=True)
class Place:
    """Two warehouses and a bucket. `client(service, **more)` makes a client as boto3 does."""

    region: str
    iam_role: str
    bucket: str
    prefix: str
    warehouses: Mapping[str, Mapping[str, str]]
    client: Callable[..., Any]
    environment: Mapping[str, str]

    def caller(self, name: str) -> Caller:
        """Return a caller for the warehouse of that name."""
        return Caller(self.client("redshift-data"), self.warehouses[name])

    def lake(self) -> Lake:
        """Return the bucket's part that belongs to this run."""
        return Lake(self.client("s3"), self.bucket, self.prefix, self.iam_role)


def stand_in(endpoints: Endpoints, *, data_api: str = "") -> Place:
    """Return the running stack as a place; `data_api` is the address of another Data API on it."""
    addresses = {"redshift-data": data_api or endpoints.redshift_data_endpoint_url}

    def client(service: str, **more: Any) -> Any:
        return boto3.client(
            service,
            endpoint_url=addresses.get(service, endpoints.aws_endpoint_url),
            region_name=endpoints.region,
            aws_access_key_id=endpoints.aws_access_key_id,
            aws_secret_access_key=endpoints.aws_secret_access_key,
            **more,
        )

    warehouses = {
        each.cluster_identifier: {
            "ClusterIdentifier": each.cluster_identifier,
            "Database": each.database,
            "DbUser": each.db_user,
        }
        for each in endpoints.clusters
    }
    environment = {
        "AWS_ENDPOINT_URL": endpoints.aws_endpoint_url,
        "AWS_ENDPOINT_URL_REDSHIFT_DATA": addresses["redshift-data"],
        "AWS_ACCESS_KEY_ID": endpoints.aws_access_key_id,
        "AWS_SECRET_ACCESS_KEY": endpoints.aws_secret_access_key,
        "AWS_DEFAULT_REGION": endpoints.region,
    }
    place = Place(
        endpoints.region, endpoints.iam_role, "conformance", _run_name(), warehouses, client,
        environment,
    )  # fmt: skip
    place.client("s3").create_bucket(Bucket=place.bucket)
    return place


@contextlib.contextmanager
def real_aws() -> Iterator[Place]:
    """Lend a database of the run's own on both warehouses. Raises SettingMissing."""
    missing = [name for name in _REQUIRED if not os.environ.get(name)]
    if missing:
        raise SettingMissing(f"set {', '.join(missing)}: tests/support/place.py says what they are")
    session = boto3.Session()
    if not session.region_name:
        raise SettingMissing("set AWS_REGION")
    patient = Config(retries={"mode": "standard", "total_max_attempts": 10})
    names = ("primary", "secondary")
    place = Place(
        region=session.region_name,
        iam_role=os.environ["LOCALAWS_AWS_IAM_ROLE"],
        bucket=os.environ["LOCALAWS_AWS_BUCKET"],
        prefix=(run := _run_name()),
        warehouses={name: _warehouse(name) | {"Database": run} for name in names},
        client=lambda service, **more: session.client(service, **{"config": patient} | more),
        environment={"AWS_DEFAULT_REGION": session.region_name},
    )
    existing = os.environ.get("LOCALAWS_AWS_DATABASE", "dev")
    makers = [place.caller(name).at(Database=existing) for name in place.warehouses]
    with contextlib.ExitStack() as undo:
        undo.callback(place.lake().empty)
        for maker in makers:
            undo.callback(maker.tell, f"DROP DATABASE {run} FORCE")
            # Said in full, because the isolation a new database gets is the account's choice:
            # https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_DATABASE.html
            maker.run(f"CREATE DATABASE {run} ISOLATION LEVEL SNAPSHOT")
        yield place


def _warehouse(name: str) -> dict[str, str]:
    named = os.environ[f"LOCALAWS_AWS_{name.upper()}"]
    where = (
        {"WorkgroupName": named.removeprefix(_WORKGROUP)}
        if named.startswith(_WORKGROUP)
        else {"ClusterIdentifier": named}
    )
    if secret := os.environ.get("LOCALAWS_AWS_SECRET_ARN"):
        return where | {"SecretArn": secret}
    user = os.environ.get("LOCALAWS_AWS_DB_USER")
    if user and "ClusterIdentifier" in where:
        return where | {"DbUser": user}
    return where


def _run_name() -> str:
    return f"conformance_{uuid.uuid4().hex[:12]}"
