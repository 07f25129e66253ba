"""S3, as COPY and UNLOAD use it; what goes wrong there is told in Redshift's words.

https://docs.aws.amazon.com/redshift/latest/dg/s3serviceexception-error.html
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from localaws.redshift.errors import StatementError

_NOT_FOUND = ("404", "NoSuchKey", "NoSuchBucket", "NotFound")
_CHUNK = 1024 * 1024
_ATTEMPTS = 3  # "it automatically retries": .../dg/copy-usage_notes-multiple-files.html


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One object to load; `url` as the manifest has it, `shown` as error messages show it."""

    bucket: str
    key: str
    region: str
    size: int = 0

    @property
    def url(self) -> str:
        """Return s3://bucket/key."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def shown(self) -> str:
        """Return the address that error messages name (https://github.com/rudderlabs/rudder-server/pull/3178)."""
        return f"https://s3.{self.region}.amazonaws.com/{self.bucket}/{self.key}"


class Store:
    """The buckets. `region` is the cluster's own. Every call raises StatementError when S3 fails;
    the client it is made of sets the deadlines.
    """

    def __init__(self, client: Any, region: str) -> None:
        self._client = client
        self.region = region

    def read(self, bucket: str, key: str) -> bytes:
        """Return a small object: a manifest, a JSONPaths file."""
        with _in_redshift_words():
            body: bytes = self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    @contextmanager
    def opened(self, file: SourceFile) -> Iterator[IO[bytes]]:
        """Lend the object as a file that can be read anywhere; it is on disk, not in memory."""
        with tempfile.TemporaryFile() as local:
            for attempt in range(_ATTEMPTS):
                try:
                    with _in_redshift_words():
                        self._download(file, local)
                    break
                except StatementError as error:
                    if attempt == _ATTEMPTS - 1 or isinstance(error.__cause__, ClientError):
                        raise
            local.seek(0)
            yield local

    def _download(self, file: SourceFile, local: IO[bytes]) -> None:
        local.seek(0)
        local.truncate()
        found = self._client.get_object(Bucket=file.bucket, Key=file.key)
        for chunk in found["Body"].iter_chunks(_CHUNK):
            local.write(chunk)

    def listed(self, bucket: str, prefix: str) -> Iterator[tuple[str, int]]:
        """Yield key and size of every object under a prefix."""
        pages = self._client.get_paginator("list_objects_v2")
        with _in_redshift_words():
            for page in pages.paginate(Bucket=bucket, Prefix=prefix):
                for item in page.get("Contents", []):
                    yield item["Key"], item["Size"]

    def size(self, bucket: str, key: str) -> int | None:
        """Return an object's length in bytes; None when there is no such object."""
        try:
            length: int = self._client.head_object(Bucket=bucket, Key=key)["ContentLength"]
        except ClientError as error:
            if error.response["Error"]["Code"] in _NOT_FOUND:
                return None
            raise service_error(error) from error
        return length

    def write(self, bucket: str, key: str, body: IO[bytes]) -> None:
        """Put one object."""
        with _in_redshift_words():
            self._client.put_object(Bucket=bucket, Key=key, Body=body)

    def remove(self, bucket: str, keys: list[str]) -> None:
        """Delete objects."""
        with _in_redshift_words():
            for start in range(0, len(keys), 1000):
                some = [{"Key": key} for key in keys[start : start + 1000]]
                self._client.delete_objects(Bucket=bucket, Delete={"Objects": some})

    def require_region(self, bucket: str, region: str) -> None:
        """Raise StatementError unless the bucket is in that region.

        https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html for
        Parquet, https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-source-s3.html
        for the others, which have REGION.
        """
        with _in_redshift_words():
            place = self._client.get_bucket_location(Bucket=bucket)["LocationConstraint"]
        if (place or "us-east-1") != region:
            # S3's own words for it: https://github.com/databricks/spark-redshift/issues/176
            raise StatementError(
                "ERROR: S3ServiceException:The bucket you are attempting to access must be "
                "addressed using the specified endpoint. Please send all future requests to this "
                "endpoint.,Status 301,Error PermanentRedirect"
            )


def split_url(url: str) -> tuple[str, str]:
    """Return bucket and key of s3://bucket/key. Raises StatementError for another address."""
    parts = urlsplit(url, allow_fragments=False)
    if parts.scheme != "s3" or not parts.netloc:
        raise StatementError(f"ERROR: {url} is not an s3:// address")
    return parts.netloc, parts.path.removeprefix("/") + (f"?{parts.query}" if parts.query else "")


def service_text(error: ClientError) -> str:
    """Return what S3 answered, as Redshift quotes it."""
    details = error.response["Error"]
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", "")
    return (
        f"S3ServiceException:{details.get('Message', '')},Status {status},Error {details['Code']}"
    )


def service_error(error: ClientError) -> StatementError:
    """Return the failure for S3's answer."""
    return StatementError(f"ERROR: {service_text(error)}")


@contextmanager
def _in_redshift_words() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise service_error(error) from error
    except (BotoCoreError, OSError) as error:
        # Wording unsourced.
        raise StatementError(f"ERROR: S3CurlException: {error}") from error
