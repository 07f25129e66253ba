"""Which files a COPY loads: the manifest, or every object under a prefix.

Format: https://docs.aws.amazon.com/redshift/latest/dg/loading-data-files-using-manifest.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from localaws.redshift.errors import LoadError, StatementError, detailed
from localaws.redshift.loading.copy_command import Copy
from localaws.redshift.loading.store import SourceFile, Store, split_url


def find_files(store: Store, plan: Copy) -> list[SourceFile]:
    """Return the files of a COPY, in order; a file listed twice comes twice.

    Raises StatementError with Redshift's words for a missing or broken manifest, a bucket in
    another region, a missing mandatory file, a wrong content length, and when there is nothing at
    all to load.
    """
    found = list(_Search(store, plan).files())
    if not found:
        # An error whatever `mandatory` says:
        # https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-source-s3.html ;
        # wording: https://github.com/3scale/apisonator/issues/196
        words = f"The specified S3 prefix '{split_url(plan.source)[1]}' does not exist"
        raise StatementError(detailed(words, 8001, "", "s3_utility.cpp:568"))
    return found


class _Search:
    def __init__(self, store: Store, plan: Copy) -> None:
        self._store = store
        self._plan = plan
        self._region = str(plan.options.get("region", store.region))
        self._buckets: set[str] = set()

    def files(self) -> Iterator[SourceFile]:
        if self._plan.manifest:
            yield from self._listed()
            return
        bucket, prefix = split_url(self._plan.source)
        self._enter(bucket)
        for key, size in self._store.listed(bucket, prefix):
            yield SourceFile(bucket, key, self._region, size)

    def _enter(self, bucket: str) -> None:
        if bucket not in self._buckets:
            self._store.require_region(bucket, self._region)
            self._buckets.add(bucket)

    def _listed(self) -> Iterator[SourceFile]:
        for entry in self._entries():
            if not isinstance(entry, dict) or not isinstance(entry.get("url"), str):
                raise _bad_manifest("entry without url")
            url, expected = entry["url"], self._expected(entry)
            bucket, key = split_url(url)
            if not key or key.endswith("/"):
                # https://docs.aws.amazon.com/redshift/latest/dg/r_Load_Error_Reference.html (8001)
                words = "COPY with MANIFEST parameter requires full path of an S3 object."
                raise StatementError(
                    detailed(words, 8001, "", "s3_utility.cpp:568"),
                    load_error=LoadError(url, "", "", "", 8001, words),
                )
            self._enter(bucket)
            length = self._store.size(bucket, key)
            if length is None:
                if entry.get("mandatory", False):
                    raise _missing(url, key)
                continue
            file = SourceFile(bucket, key, self._region, length)
            if expected is not None and length != expected:
                raise _wrong_length(file)
            yield file

    def _expected(self, entry: dict[str, Any]) -> int | None:
        """Return the content length that the manifest promises; only Parquet must have one."""
        meta = entry.get("meta")
        length = meta.get("content_length") if isinstance(meta, dict) else None
        if isinstance(length, int) or self._plan.file_format != "parquet":
            return length if isinstance(length, int) else None
        # https://github.com/awslabs/aws-lambda-redshift-loader/pull/221
        words = "File entry does not have 'meta' key."
        raise StatementError(
            detailed(words, 15003, "", "spectrum_manifest.cpp:204"),
            load_error=LoadError(entry["url"], "", "", "", 15003, words),
        )

    def _entries(self) -> list[Any]:
        bucket, key = split_url(self._plan.source)
        self._enter(bucket)
        try:
            document = json.loads(self._store.read(bucket, key))
        except StatementError as error:
            if not isinstance(error.__cause__, ClientError):
                raise
            # https://github.com/databricks/spark-redshift/issues/136
            raise _bad_manifest(error.text.removeprefix("ERROR: ")) from error
        except ValueError as error:
            raise _bad_manifest("not JSON") from error
        entries = document.get("entries") if isinstance(document, dict) else None
        if not isinstance(entries, list) or not entries:
            raise _bad_manifest("no entries")
        return entries


def _missing(url: str, key: str) -> StatementError:
    words = "The specified key does not exist."
    return StatementError(
        f"ERROR: S3ServiceException:{words},Status 404,Error NoSuchKey,Key {key}",
        load_error=LoadError(url, "", "", "", 8001, words),
    )


def _wrong_length(file: SourceFile) -> StatementError:
    # https://github.com/awslabs/aws-lambda-redshift-loader/issues/223
    context = (
        "HTTP response error code: 416 Message: InvalidRange "
        f"The requested range is not satisfiable: {file.shown}"
    )
    return StatementError(
        detailed("Spectrum Scan Error", 15001, context, "dory_util.cpp:724"),
        load_error=LoadError(file.url, "", "", "", 15001, context),
    )


def _bad_manifest(why: str) -> StatementError:
    return StatementError(f"ERROR: Problem reading manifest file - {why}")
