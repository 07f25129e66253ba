"""From a target's kind to the class that carries it out."""

from tidemark.core.settings.targets import PostgresTarget, RedshiftTarget, Target
from tidemark.core.streams import Loadable
from tidemark.hooks.storage.staging_bucket import StagingBucket
from tidemark.hooks.warehouses.postgres import PostgresWarehouse
from tidemark.hooks.warehouses.redshift import RedshiftWarehouse
from tidemark.hooks.warehouses.warehouse import PATIENT, Patience, Warehouse


def open_warehouse(
    table: Loadable, target: Target, bucket: StagingBucket, patience: Patience = PATIENT
) -> Warehouse:
    """Return a table on a target. Nothing is connected to before the first question.

    :param bucket: where the batches lie
    :param patience: how long the target is given to answer a question
    """
    match target:
        case RedshiftTarget():
            return RedshiftWarehouse(table, target, bucket, patience)
        case PostgresTarget():
            return PostgresWarehouse(table, target, bucket, patience)
    raise AssertionError(f"no warehouse for the kind {target.kind}")
