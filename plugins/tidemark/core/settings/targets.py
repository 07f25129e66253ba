"""The warehouses to load: `include/targets.yaml` as frozen values. Role and name are data."""

import re
from datetime import timedelta
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from tidemark.core.documents import (
    Frozen,
    Name,
)
from tidemark.core.loading.breaker import Limits
from tidemark.core.settings.quiet_times import parse_quiet_time
from tidemark.core.templates import Dialect

_ENDPOINT_REGION = re.compile(r"(?:^|\.)redshift-data(?:-fips)?\.([a-z]{2}(?:-[a-z]+)+-\d+)\.")


class Staging(Frozen):
    """A bucket that batches lie in. It must be in the region of the targets that COPY from it.

    :param keep_days: for how long a batch is kept that every target holds
    """

    bucket: str
    region: str
    aws_conn_id: str = "aws_default"
    keep_days: float = Field(default=7.0, gt=0)


class Target(Frozen):
    """What every kind of warehouse is configured with; `KINDS` lists the kinds.

    :param role: ``required`` gates the watermark, ``best_effort`` owes what it missed
    :param on_disable: what becomes of batches while it is disabled: ``catch_up`` owes them until
        retention drops them, ``skip`` does not, and the target needs a resync when it is enabled
    :param database_schema: where the copied tables live
    :param events_table: where the webhook events go on this target
    :param statement_timeout_ms: after this long a load is cancelled and the ledger re-read
    :param slices: how many slices load side by side: a large batch has at least so many files
    :param poll_interval_seconds: how often a running load is looked at
    :param retries: how often Airflow tries a required target's load again
    :param pool: the Airflow pool of this target's loads; empty means ``tidemark_<name>``
    :param deferrable: wait for long loads in the triggerer; false waits in the worker
    :param catch_up_batches: so many owed batches a best-effort target's load applies in one run
    :param catch_up_bytes: and so many bytes of them, compressed
    :param breaker_failures: after so many failed loads in a row a best-effort target is left alone;
        0 is never
    :param breaker_pause_seconds: for so long, until one load probes
    :param no_operation: times at which the target is left alone (`core/settings/quiet_times.py`)
    """

    name: Name
    kind: str
    role: Literal["required", "best_effort"]
    enabled: bool = True
    on_disable: Literal["catch_up", "skip"] = "catch_up"
    database_schema: Name = "public"
    events_table: Name = "appsflyer_events"
    statement_timeout_ms: int = Field(default=3_600_000, ge=1_000)
    slices: int = Field(default=1, ge=1)
    poll_interval_seconds: float = Field(default=2.0, gt=0, le=60)
    retries: int = Field(default=3, ge=0)
    retry_delay_seconds: float = Field(default=30.0, ge=0)
    pool: str = ""
    deferrable: bool = True
    catch_up_batches: int = Field(default=200, ge=1)
    catch_up_bytes: int = Field(default=16 * 1024**3, ge=1)
    breaker_failures: int = Field(default=5, ge=0)
    breaker_pause_seconds: float = Field(default=900.0, ge=0)
    no_operation: tuple[str, ...] = ()

    @field_validator("no_operation")
    @classmethod
    def _times(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            parse_quiet_time(text)
        return value

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.required and not self.enabled:
            raise ValueError("a required target cannot be disabled")
        return self

    @property
    def required(self) -> bool:
        """Whether the watermark waits for this target."""
        return self.role == "required"

    @property
    def pool_name(self) -> str:
        """The pool that bounds how many loads run on this target at once."""
        return self.pool or f"tidemark_{self.name}"

    @property
    def breaker_limits(self) -> Limits:
        """When its circuit breaker opens; while it is required, it has none."""
        pause = timedelta(seconds=self.breaker_pause_seconds)
        return Limits(failures=self.breaker_failures, pause=pause)

    @property
    def dialect(self) -> Dialect:
        """The SQL that it speaks."""
        raise NotImplementedError

    @property
    def label(self) -> str:
        """What logs call it, e.g. ``primary Redshift``."""
        raise NotImplementedError

    @property
    def address(self) -> str:
        """Where it is, in words for people. No secret."""
        raise NotImplementedError

    @property
    def copies_within(self) -> str | None:
        """The region that the staging bucket must be in for this target to load; None for any."""
        return None

    @property
    def own_staging(self) -> Staging | None:
        """The bucket that its batches are copied to before it loads them; None for the main one."""
        return None

    @property
    def copy_role(self) -> str | None:
        """The role that its COPY assumes; None where the rows are sent by us."""
        return None


class RedshiftTarget(Target):
    """A cluster or a workgroup, reached through the Data API. The AWS connection names neither.

    :param endpoint_url: a Data API endpoint of your own (PrivateLink); None is the region's
    :param verify: the certificates to trust at that endpoint: a file, or false for any
    :param iam_role: the role that COPY assumes to read the staging bucket
    :param submit_retries: how often a throttled submit is tried again
    :param staging_bucket: a bucket in the warehouse's region, where that is not the staging
        bucket's: S3 copies batches there before they are loaded. The AWS connection writes it, and
        reads the staging bucket
    """

    kind: Literal["redshift"] = "redshift"
    slices: int = Field(default=16, ge=1)
    aws_conn_id: str = "aws_default"
    region: str
    endpoint_url: str | None = None
    verify: bool | str | None = None
    cluster_identifier: str | None = None
    workgroup_name: str | None = None
    database: str | None = None
    db_user: str | None = None
    secret_arn: str | None = None
    iam_role: str | None = None
    submit_retries: int = Field(default=30, ge=0)
    staging_bucket: str | None = None

    @field_validator("endpoint_url")
    @classmethod
    def _speaks_data_api(cls, value: str | None) -> str | None:
        host = urlsplit(value).hostname or "" if value else ""
        if value and "redshift-data" not in host.split("."):
            raise ValueError(
                f"{host or value} is no Data API endpoint: expected a host like "
                "vpce-….redshift-data.<region>.vpce.amazonaws.com; a host ending in "
                ".redshift.amazonaws.com is the database's own (port 5439)"
            )
        return value

    @model_validator(mode="after")
    def _answers_for_its_region(self) -> Self:
        host = urlsplit(self.endpoint_url or "").hostname or ""
        named = _ENDPOINT_REGION.search(host)
        if named and named[1] != self.region:
            raise ValueError(f"endpoint_url is of {named[1]}, and region says {self.region}")
        return self

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not self.enabled:
            return self
        if (self.cluster_identifier is None) == (self.workgroup_name is None):
            raise ValueError("give either cluster_identifier or workgroup_name")
        if self.cluster_identifier and (self.db_user is None) == (self.secret_arn is None):
            raise ValueError("a cluster needs either db_user or secret_arn")
        for needed in ("database", "iam_role"):
            if getattr(self, needed) is None:
                raise ValueError(f"{needed} is missing")
        return self

    @property
    def dialect(self) -> Dialect:
        """The SQL that it speaks."""
        return "redshift"

    @property
    def label(self) -> str:
        """What logs call it."""
        return f"{self.name} Redshift"

    @property
    def address(self) -> str:
        """Where it is, in words for people. No secret."""
        return f"{self.cluster_identifier or self.workgroup_name}/{self.database}"

    @property
    def copies_within(self) -> str | None:
        """Redshift: COPY FROM PARQUET needs bucket and warehouse in one region."""
        return self.region

    @property
    def own_staging(self) -> Staging | None:
        """The bucket in its region, where that is not the main one's."""
        if self.staging_bucket is None:
            return None
        return Staging(bucket=self.staging_bucket, region=self.region, aws_conn_id=self.aws_conn_id)

    @property
    def copy_role(self) -> str | None:
        """The role that its COPY assumes."""
        return self.iam_role


class PostgresTarget(Target):
    """PostgreSQL or TimescaleDB. The rows are sent by us, so it reads no bucket.

    :param conn_id: the Airflow connection (type Postgres) with its host, database and login
    :param retry_attempts: how often a load is tried inside `statement_timeout_ms`
    :param retry_delay_ms: pause before the second attempt; it doubles, with jitter, to 30 s at most
    """

    kind: Literal["postgres"] = "postgres"
    conn_id: str | None = None
    retry_attempts: int = Field(default=3, ge=1)
    retry_delay_ms: int = Field(default=1_000, ge=0)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.enabled and self.conn_id is None:
            raise ValueError("conn_id is missing")
        return self

    @property
    def dialect(self) -> Dialect:
        """The SQL that it speaks."""
        return "postgres"

    @property
    def label(self) -> str:
        """What logs call it."""
        return f"{self.name} PostgreSQL"

    @property
    def address(self) -> str:
        """Where it is, in words for people. No secret."""
        return f"connection {self.conn_id}"


KINDS: dict[str, type[Target]] = {"postgres": PostgresTarget, "redshift": RedshiftTarget}
"""The kinds of warehouse, by what `kind` says."""
