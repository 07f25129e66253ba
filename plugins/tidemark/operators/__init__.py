"""The tasks of the pipeline: recipes of about ten lines each."""

from tidemark.operators.commit import CommitWatermarkOperator
from tidemark.operators.declare import (
    chunk_settings,
    dag_settings,
    gating,
    load_settings,
    read_project,
    source_settings,
    trigger_form,
)
from tidemark.operators.extract import ExtractChunkOperator
from tidemark.operators.load import LoadTargetOperator
from tidemark.operators.plan import PlanIncrementOperator
from tidemark.operators.seal import SealBatchOperator
from tidemark.operators.sweep import SweepStagingOperator, sweep_settings
from tidemark.operators.transaction import RedshiftTransactionOperator

__all__ = [
    "CommitWatermarkOperator",
    "ExtractChunkOperator",
    "LoadTargetOperator",
    "PlanIncrementOperator",
    "RedshiftTransactionOperator",
    "SealBatchOperator",
    "SweepStagingOperator",
    "chunk_settings",
    "dag_settings",
    "gating",
    "load_settings",
    "read_project",
    "source_settings",
    "sweep_settings",
    "trigger_form",
]
