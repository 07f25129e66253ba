"""Which files a COPY loads: the manifest, or every object under a prefix.

Format: https://docs.aws.amazon.com/redshift/latest/dg/loading-data-files-using-manifest.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from localaws.redshift.errors import LoadError, StatementError, detailed

_NOT_FOUND = ("404", "NoSuchKey", "NoSuchBucket", "NotFound")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One object to load; `url` as the manifest has it, `shown` as error messages show it."""

    bucket: str
    key: str
    region: str

    @property
    def url(self) -> str:
        """Return s3://bucket/key."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def shown(self) -> str:
        """Return the address that error messages name (https://github.com/rudderlabs/rudder-server/pull/3178)."""
        return f"https://s3.{self.region}.amazonaws.com/{self.bucket}/{self.key}"


class Store:
    """Read-only S3, for COPY."""

    def __init__(self, client: Any, region: str) -> None:
        self._client = client
        self._region = region

    def read(self, file: SourceFile) -> bytes:
        """Return the object's bytes. Raises StatementError if it is gone meanwhile."""
        try:
            body: bytes = self._client.get_object(Bucket=file.bucket, Key=file.key)["Body"].read()
        except ClientError as error:
            raise _service_error(error) from error
        return body

    def files(self, source: str, *, manifest: bool) -> list[SourceFile]:
        """Return the files of a COPY, in order; a file listed twice comes twice.

        Raises StatementError with Redshift's words for a missing or broken manifest, a missing
        mandatory file, a wrong content length, and when there is nothing at all to load.
        """
        found = list(self._listed(source) if manifest else self._under(source))
        if not found:
            # An error whatever `mandatory` says: copy-parameters-data-source-s3; wording unsourced.
            raise StatementError(
                f"ERROR: The specified S3 prefix '{_split(source)[1]}' does not exist"
            )
        return found

    def _under(self, source: str) -> Iterator[SourceFile]:
        bucket, prefix = _split(source)
        try:
            for page in self._client.get_paginator("list_objects_v2").paginate(
                Bucket=bucket, Prefix=prefix
            ):
                for item in page.get("Contents", []):
                    yield SourceFile(bucket, item["Key"], self._region)
        except ClientError as error:
            raise _service_error(error) from error

    def _listed(self, source: str) -> Iterator[SourceFile]:
        for entry in self._entries(source):
            if not isinstance(entry, dict) or not isinstance(entry.get("url"), str):
                raise _bad_manifest("entry without url")
            url = entry["url"]
            meta = entry.get("meta")
            if not isinstance(meta, dict) or not isinstance(meta.get("content_length"), int):
                # https://github.com/awslabs/aws-lambda-redshift-loader/pull/221
                raise StatementError(
                    _scan(15003, "File entry does not have 'meta' key.", "dory_util.cpp:724"),
                    load_error=LoadError(
                        url, "", "", "", 15003, "File entry does not have 'meta' key."
                    ),
                )
            bucket, key = _split(url)
            file = SourceFile(bucket, key, self._region)
            length = self._length(file)
            if length is None:
                if entry.get("mandatory", False):
                    raise StatementError(
                        "ERROR: S3ServiceException:The specified key does not exist.,Status 404,"
                        f"Error NoSuchKey,Key {key}",
                        load_error=LoadError(
                            url, "", "", "", 8001, "The specified key does not exist."
                        ),
                    )
                continue
            if length != meta["content_length"]:
                # https://github.com/awslabs/aws-lambda-redshift-loader/issues/223
                context = (
                    "HTTP response error code: 416 Message: InvalidRange "
                    f"The requested range is not satisfiable: {file.shown}"
                )
                raise StatementError(
                    _scan(15001, context, "dory_util.cpp:724"),
                    load_error=LoadError(url, "", "", "", 15001, context),
                )
            yield file

    def _entries(self, source: str) -> list[Any]:
        bucket, key = _split(source)
        try:
            body = self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError as error:
            # https://github.com/databricks/spark-redshift/issues/136
            raise _bad_manifest(_service_text(error)) from error
        try:
            document = json.loads(body)
        except ValueError as error:
            raise _bad_manifest("not JSON") from error
        entries = document.get("entries") if isinstance(document, dict) else None
        if not isinstance(entries, list) or not entries:
            raise _bad_manifest("no entries")
        return entries

    def _length(self, file: SourceFile) -> int | None:
        try:
            length: int = self._client.head_object(Bucket=file.bucket, Key=file.key)[
                "ContentLength"
            ]
        except ClientError as error:
            if error.response["Error"]["Code"] in _NOT_FOUND:
                return None
            raise _service_error(error) from error
        return length


def _split(url: str) -> tuple[str, str]:
    parts = urlsplit(url, allow_fragments=False)
    if parts.scheme != "s3" or not parts.netloc:
        raise StatementError(f"ERROR: {url} is not an s3:// address")
    return parts.netloc, parts.path.removeprefix("/") + (f"?{parts.query}" if parts.query else "")


def _bad_manifest(why: str) -> StatementError:
    return StatementError(f"ERROR: Problem reading manifest file - {why}")


def _service_text(error: ClientError) -> str:
    details = error.response["Error"]
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", "")
    return (
        f"S3ServiceException:{details.get('Message', '')},Status {status},Error {details['Code']}"
    )


def _service_error(error: ClientError) -> StatementError:
    return StatementError(f"ERROR: {_service_text(error)}")


def _scan(code: int, context: str, location: str) -> str:
    return detailed("Spectrum Scan Error", code, context, location)
