"""The staging bucket: conditional reads and writes of S3 objects. Decides nothing."""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tidemark.core.errors import FixConfiguration, TidemarkError, TryAgain
from tidemark.core.settings.targets import Staging
from tidemark.hooks.aws_sessions import LeanSessions

_CONFIG = Config(
    connect_timeout=10, read_timeout=60, retries={"max_attempts": 5, "mode": "standard"}
)
_DELETED_AT_ONCE = 1000  # S3's limit
_LOST_RACE = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
_ABSENT = {"NoSuchKey", "404", "NotFound"}
_MISCONFIGURED = {
    "NoSuchBucket",
    "AccessDenied",
    "403",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "PermanentRedirect",
}


class _BucketHook(LeanSessions, S3Hook):
    """The provider's hook for S3."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart upload, as S3 took it. `sha256` is base64, as S3 writes it."""

    number: int
    etag: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Stored:
    """An object, and when it was written by the bucket's clock. `etag` names its version."""

    key: str
    changed_at: datetime
    bytes: int
    etag: str


class StagingBucket:
    """The bucket that holds batches and state documents.

    Every call has a deadline and bounded retries with jitter (botocore's standard mode). Raises
    `FixConfiguration` for a bucket that is missing or closed to us, `TryAgain` for other failures.
    """

    def __init__(self, staging: Staging) -> None:
        self.staging = staging

    @property
    def name(self) -> str:
        """The bucket's name."""
        return self.staging.bucket

    @property
    def endpoint_url(self) -> str:
        """Where S3 is reached."""
        return str(self._s3.meta.endpoint_url)

    @cached_property
    def _s3(self) -> Any:
        hook = _BucketHook(
            aws_conn_id=self.staging.aws_conn_id, region_name=self.staging.region, config=_CONFIG
        )
        return hook.conn

    def read(self, key: str) -> tuple[bytes, str] | None:
        """Return an object's bytes and ETag, or None if there is none."""
        with self._explained(key):
            try:
                answer = self._s3.get_object(Bucket=self.name, Key=key)
                return answer["Body"].read(), answer["ETag"]
            except ClientError as error:
                if _code(error) in _ABSENT:
                    return None
                raise

    def exists(self, key: str) -> bool:
        """Return whether there is an object."""
        with self._explained(key):
            try:
                self._s3.head_object(Bucket=self.name, Key=key)
            except ClientError as error:
                if _code(error) in _ABSENT:
                    return False
                raise
            return True

    def any_below(self, prefix: str) -> bool:
        """Return whether any object's key begins with `prefix`."""
        with self._explained(prefix):
            answer = self._s3.list_objects_v2(Bucket=self.name, Prefix=prefix, MaxKeys=1)
            return bool(answer.get("KeyCount"))

    def keys_below(self, prefix: str) -> Iterator[str]:
        """Yield the keys that begin with `prefix`, in the order of their bytes."""
        return (stored.key for stored in self.objects_below(prefix))

    def objects_below(self, prefix: str) -> Iterator[Stored]:
        """Yield the objects whose keys begin with `prefix`, in the order of their bytes."""
        with self._explained(prefix):
            pages = self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=self.name, Prefix=prefix
            )
            for page in pages:
                for found in page.get("Contents", ()):
                    yield Stored(found["Key"], found["LastModified"], found["Size"], found["ETag"])

    def delete_below(self, prefix: str, *, first: str) -> None:
        """Delete the objects whose keys begin with `prefix`, and of those `first` ones first."""
        keys = sorted(self.keys_below(prefix), key=lambda key: not key.startswith(first))
        with self._explained(prefix):
            for start in range(0, len(keys), _DELETED_AT_ONCE):
                # Quiet answers list the keys that stayed.
                answer = self._s3.delete_objects(
                    Bucket=self.name,
                    Delete={
                        "Objects": [{"Key": key} for key in keys[start : start + _DELETED_AT_ONCE]],
                        "Quiet": True,
                    },
                )
                for error in answer.get("Errors", ()):
                    raise TryAgain(
                        what=f"S3 did not delete {error['Key']}: {error.get('Message', '')}",
                        do="Run it again.",
                    )

    def put_file(self, key: str, data: bytes, sha256: str) -> None:
        """Write a file; the service checks it against its SHA-256 (hex)."""
        with self._explained(key):
            self._s3.put_object(
                Bucket=self.name,
                Key=key,
                Body=data,
                ChecksumSHA256=base64.b64encode(bytes.fromhex(sha256)).decode(),
            )

    def copy_from(self, bucket: str, key: str, size: int, sha256: str) -> None:
        """Copy a file here from another bucket, under the same key, inside S3.

        What is here already, whole, is not copied again. Raises `TryAgain` if the file is not the
        one of that size and SHA-256 (hex).
        """
        wanted = base64.b64encode(bytes.fromhex(sha256)).decode()
        with self._explained(key):
            if self._sum(key) == (size, wanted):
                return
            file, copied = {"Bucket": bucket, "Key": key}, None
            try:
                self._s3.copy_object(
                    Bucket=self.name, Key=key, CopySource=file, ChecksumAlgorithm="SHA256"
                )
                copied = self._sum(key)
            except ClientError as error:
                if _code(error) not in _ABSENT:
                    raise
        if copied != (size, wanted):
            wrong = "is not what was staged, or was copied badly" if copied else "is gone"
            raise TryAgain(
                what=f"s3://{bucket}/{key} {wrong}: {size} bytes with SHA-256 {wanted} were "
                f"expected, {copied or 'none'} are in {self.name}",
                do="See who changes staged files; then clear the load, or read the window anew: "
                "python -m tidemark watermark replan",
                batch_at_fault=True,
            )

    def _sum(self, key: str) -> tuple[int, str] | None:
        """Return a file's size and SHA-256 (base64; empty if S3 has none of the whole file)."""
        try:
            answer = self._s3.head_object(Bucket=self.name, Key=key, ChecksumMode="ENABLED")
        except ClientError as error:
            if _code(error) in _ABSENT:
                return None
            raise
        return int(answer["ContentLength"]), str(answer.get("ChecksumSHA256", ""))

    def start_upload(self, key: str) -> str:
        """Begin a file that comes in parts; return the upload's id. Complete it, or abort it."""
        with self._explained(key):
            answer = self._s3.create_multipart_upload(
                Bucket=self.name, Key=key, ChecksumAlgorithm="SHA256"
            )
            return str(answer["UploadId"])

    def put_part(self, key: str, upload_id: str, number: int, data: bytes) -> Part:
        """Write one part, from 1 on; the service checks it against its SHA-256."""
        sha256 = base64.b64encode(hashlib.sha256(data).digest()).decode()
        with self._explained(key):
            answer = self._s3.upload_part(
                Bucket=self.name,
                Key=key,
                UploadId=upload_id,
                PartNumber=number,
                Body=data,
                ChecksumSHA256=sha256,
            )
            return Part(number, answer["ETag"], sha256)

    def complete_upload(self, key: str, upload_id: str, parts: Sequence[Part], size: int) -> None:
        """Make a file of its parts; the service checks their sums and the whole's bytes."""
        with self._explained(key):
            try:
                self._s3.complete_multipart_upload(
                    Bucket=self.name,
                    Key=key,
                    UploadId=upload_id,
                    MpuObjectSize=size,
                    MultipartUpload={
                        "Parts": [
                            {
                                "PartNumber": part.number,
                                "ETag": part.etag,
                                "ChecksumSHA256": part.sha256,
                            }
                            for part in parts
                        ]
                    },
                )
            except ClientError as error:
                # An answer was lost, and a retry finds the upload completed.
                there = self._sum(key) if _code(error) == "NoSuchUpload" else None
                if there is None or there[0] != size:
                    raise

    def abort_upload(self, key: str, upload_id: str) -> None:
        """Remove the parts of an upload that will not be completed."""
        with self._explained(key):
            self._s3.abort_multipart_upload(Bucket=self.name, Key=key, UploadId=upload_id)

    def put_new(self, key: str, data: bytes) -> bool:
        """Write an object unless there is one. Returns whether it was written."""
        return self._put_if(key, data, IfNoneMatch="*")

    def replace(self, key: str, data: bytes, etag: str) -> bool:
        """Overwrite the version `etag` of an object. Returns False if it changed meanwhile."""
        return self._put_if(key, data, IfMatch=etag)

    def _put_if(self, key: str, data: bytes, **condition: str) -> bool:
        with self._explained(key):
            try:
                self._s3.put_object(
                    Bucket=self.name,
                    Key=key,
                    Body=data,
                    ContentType="application/json",
                    **condition,
                )
            except ClientError as error:
                if _code(error) in _LOST_RACE | _ABSENT:
                    return False
                raise
            return True

    @contextmanager
    def _explained(self, key: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            family: type[TidemarkError] = (
                FixConfiguration if _code(error) in _MISCONFIGURED else TryAgain
            )
            raise family(
                what=f"S3 refused s3://{self.name}/{key}: {error}",
                do="Check the staging bucket in targets.yaml and what the connection "
                f"{self.staging.aws_conn_id} may do there, then clear the task.",
            ) from error
        except BotoCoreError as error:
            raise TryAgain(
                what=f"S3 could not be asked for s3://{self.name}/{key}: {error}",
                do=f"Check the connection {self.staging.aws_conn_id} and the network, "
                "then clear the task.",
            ) from error


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
