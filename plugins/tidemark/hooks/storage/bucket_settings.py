"""How the staging bucket is set up, and whether it keeps S3's promises. For examinations."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from tidemark.core.errors import FixConfiguration
from tidemark.hooks.storage.staging_bucket import StagingBucket

_PROBES = "watermark/probes/"


class ExaminedBucket(StagingBucket):
    """The staging bucket, asked about itself. Raises what `StagingBucket` raises."""

    def prove(self) -> datetime:
        """Write an object, once only, and delete it. Returns when it was written, by S3's clock.

        Raises `FixConfiguration` if a second write under ``If-None-Match`` is not refused: then two
        tasks could overwrite each other's receipts.
        """
        key = f"{_PROBES}{secrets.token_hex(8)}"
        try:
            first, second = self.put_new(key, b"{}"), self.put_new(key, b"{}")
            if not first or second:
                raise FixConfiguration(
                    what=f"s3://{self.name} does not keep the first of two conditional writes",
                    do="Use Amazon S3, or a store that knows If-None-Match and If-Match.",
                )
            (stored,) = self.objects_below(key)
            return stored.changed_at
        finally:
            self.delete_below(key, first=key)

    def region(self) -> str:
        """Return the bucket's region."""
        with self._explained(""):
            answer = self._s3.get_bucket_location(Bucket=self.name)
        return str(answer.get("LocationConstraint") or "us-east-1")

    def versioned(self) -> bool:
        """Return whether the bucket keeps older versions of its objects."""
        with self._explained(""):
            answer = self._s3.get_bucket_versioning(Bucket=self.name)
        return bool(answer.get("Status") == "Enabled")

    def lifecycle(self) -> Sequence[dict[str, Any]]:
        """Return the rules by which S3 deletes objects by itself; none without a lifecycle."""
        with self._explained(""):
            try:
                answer = self._s3.get_bucket_lifecycle_configuration(Bucket=self.name)
            except ClientError as error:
                if error.response["Error"]["Code"] == "NoSuchLifecycleConfiguration":
                    return ()
                raise
        return list(answer.get("Rules", ()))
