"""Where a running stack can be reached, as a value and as a file.

Two locks tell the living from the dead. The kernel drops them when their holder ends in whatever
way, so a crash never leaves a stack that looks as if it ran:

* `<home>/lock` is held by the process that owns the home, from the start of `up` to its end;
* `<home>/endpoints.json` (which holds passwords, mode 0600) is itself held locked by the process
  that published it: a file nobody holds is left over and does not count.
"""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_FILE = "endpoints.json"
_LOCK = "lock"


@dataclass(frozen=True, slots=True)
class Cluster:
    """One Redshift cluster behind the Data API: what a call must name to reach it."""

    cluster_identifier: str
    database: str
    db_user: str
    region: str


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Everything a client needs; every address is on loopback.

    The admin has all privileges on MySQL; the reader has SELECT, PROCESS and REPLICATION CLIENT.
    The PostgreSQL user is the superuser of the server behind the clusters: databases of one's own
    may be created beside theirs. `iam_role` is the only role that COPY and UNLOAD may name. `pid`
    is the process that owns the stack.
    """

    mysql_host: str
    mysql_port: int
    mysql_admin_user: str
    mysql_admin_password: str = field(repr=False)
    mysql_reader_user: str
    mysql_reader_password: str = field(repr=False)
    aws_endpoint_url: str
    redshift_data_endpoint_url: str
    postgres_host: str
    postgres_port: int
    postgres_user: str
    postgres_password: str = field(repr=False)
    clusters: tuple[Cluster, ...]
    iam_role: str
    aws_access_key_id: str
    aws_secret_access_key: str = field(repr=False)
    region: str
    pid: int


def environment(endpoints: Endpoints) -> dict[str, str]:
    """Return the variables by which AWS SDKs find the stack.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    """
    return {
        "AWS_ACCESS_KEY_ID": endpoints.aws_access_key_id,
        "AWS_SECRET_ACCESS_KEY": endpoints.aws_secret_access_key,
        "AWS_REGION": endpoints.region,
        "AWS_DEFAULT_REGION": endpoints.region,
        "AWS_ENDPOINT_URL_S3": endpoints.aws_endpoint_url,
        "AWS_ENDPOINT_URL_SQS": endpoints.aws_endpoint_url,
        "AWS_ENDPOINT_URL_STS": endpoints.aws_endpoint_url,
        "AWS_ENDPOINT_URL_REDSHIFT_DATA": endpoints.redshift_data_endpoint_url,
    }


def read_endpoints(home: Path) -> Endpoints | None:
    """Return the endpoints of the stack that runs in `home`; None when none is up and ready."""
    try:
        with (home / _FILE).open(encoding="utf-8") as file:
            if not _held(file.fileno()):
                return None
            raw: dict[str, Any] = json.load(file)
    except FileNotFoundError:
        return None
    raw["clusters"] = tuple(Cluster(**cluster) for cluster in raw["clusters"])
    return Endpoints(**raw)


def write_endpoints(home: Path, endpoints: Endpoints) -> int:
    """Publish `endpoints`: a reader sees all of them or none.

    They count as long as the returned descriptor is open.
    """
    draft = home / f".{_FILE}.{os.getpid()}"
    descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    os.write(descriptor, (json.dumps(asdict(endpoints), indent=2) + "\n").encode())
    draft.replace(home / _FILE)
    return descriptor


def withdraw_endpoints(home: Path, descriptor: int) -> None:
    """Take back what `write_endpoints` published."""
    (home / _FILE).unlink(missing_ok=True)
    os.close(descriptor)


def write_private(path: Path, text: str) -> None:
    """Replace `path` by `text` in one step, readable by its owner only."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def own(home: Path) -> int | None:
    """Take the lock of `home`; return the descriptor that holds it, or None if another has it.

    Children do not inherit the descriptor, so the lock is free as soon as the owner is gone.
    """
    home.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(home / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor


def owner(home: Path) -> int | None:
    """Return the id of the process that holds the lock of `home`, ready or not; None if none."""
    if not owned(home):
        return None
    written = (home / _LOCK).read_text(encoding="ascii")
    return int(written) if written else None


def owned(home: Path) -> bool:
    """True while some process, perhaps this one, holds the lock of `home`."""
    try:
        descriptor = os.open(home / _LOCK, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return _held(descriptor)
    finally:
        os.close(descriptor)


def _held(descriptor: int) -> bool:
    try:
        # Shared, so that two who look at the same moment do not take each other for the holder.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
