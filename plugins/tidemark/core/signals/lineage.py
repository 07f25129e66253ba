"""What OpenLineage calls the places that rows pass through. Pure.

https://openlineage.io/docs/spec/naming: the names by which other tools know the same tables. All
batches of a table are one dataset, or a graph would have one more node with each run.
"""

from dataclasses import dataclass

from tidemark.core.settings.targets import RedshiftTarget, Target
from tidemark.core.storage.batches import stream_prefix

_MYSQL_PORT, _REDSHIFT_PORT, _POSTGRES_PORT = 3306, 5439, 5432


@dataclass(frozen=True, slots=True)
class Place:
    """A dataset."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database answers, as its Airflow connection says."""

    host: str
    port: int | None = None
    database: str = ""


def source_place(at: Address, table: str) -> Place:
    """A MySQL table. :param table: ``<schema>.<table>``"""
    return Place(f"mysql://{at.host}:{at.port or _MYSQL_PORT}", table)


def staged_place(bucket: str, stream: str) -> Place:
    """The batches of a table or queue."""
    return Place(f"s3://{bucket}", stream_prefix(stream).rstrip("/"))


def target_place(target: Target, table: str, at: Address | None = None) -> Place:
    """A table on a target.

    :param table: its name there; :param at: of a PostgreSQL target
    """
    relation = f"{target.database_schema}.{table}"
    if isinstance(target, RedshiftTarget):
        cluster = target.cluster_identifier or target.workgroup_name
        namespace = f"redshift://{cluster}.{target.region}:{_REDSHIFT_PORT}"
        return Place(namespace, f"{target.database}.{relation}")
    assert at is not None
    return Place(f"postgres://{at.host}:{at.port or _POSTGRES_PORT}", f"{at.database}.{relation}")
