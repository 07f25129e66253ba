"""The tasks of the pipeline: recipes of about ten lines each."""

from tidemark.operators.controls.examine import ExamineProjectOperator, examine_settings
from tidemark.operators.controls.forms import control_settings
from tidemark.operators.controls.sweep import SweepStagingOperator, sweep_settings
from tidemark.operators.controls.tasks import (
    CatchUpOperator,
    ChangeRoleOperator,
    CleanStagingOperator,
    DescribeProjectOperator,
    DiscoverTablesOperator,
    MoveWatermarkOperator,
    RedriveOperator,
)
from tidemark.operators.declare import (
    chunk_settings,
    dag_settings,
    drain_dag_settings,
    gating,
    gating_deletion,
    load_settings,
    read_drains,
    read_project,
    receiver_settings,
    source_settings,
)
from tidemark.operators.drain.delete_messages import DeleteMessagesOperator
from tidemark.operators.drain.plan import PlanDrainOperator
from tidemark.operators.drain.receive import ReceiveMessagesOperator
from tidemark.operators.loading.load import LoadTargetOperator
from tidemark.operators.signals.alerting import TellIncidentsOperator, alert_settings
from tidemark.operators.signals.freshness import (
    MeasureFreshnessOperator,
    WriteHeartbeatOperator,
    freshness_settings,
    heartbeat_settings,
)
from tidemark.operators.sync.commit import CommitWatermarkOperator
from tidemark.operators.sync.extract import ExtractChunkOperator
from tidemark.operators.sync.form import trigger_form
from tidemark.operators.sync.plan import PlanIncrementOperator
from tidemark.operators.sync.seal import SealBatchOperator
from tidemark.operators.transaction import RedshiftTransactionOperator

__all__ = [
    "CatchUpOperator",
    "ChangeRoleOperator",
    "CleanStagingOperator",
    "CommitWatermarkOperator",
    "DeleteMessagesOperator",
    "DescribeProjectOperator",
    "DiscoverTablesOperator",
    "ExamineProjectOperator",
    "ExtractChunkOperator",
    "LoadTargetOperator",
    "MeasureFreshnessOperator",
    "MoveWatermarkOperator",
    "PlanDrainOperator",
    "PlanIncrementOperator",
    "ReceiveMessagesOperator",
    "RedriveOperator",
    "RedshiftTransactionOperator",
    "SealBatchOperator",
    "SweepStagingOperator",
    "TellIncidentsOperator",
    "WriteHeartbeatOperator",
    "alert_settings",
    "chunk_settings",
    "control_settings",
    "dag_settings",
    "drain_dag_settings",
    "examine_settings",
    "freshness_settings",
    "gating",
    "gating_deletion",
    "heartbeat_settings",
    "load_settings",
    "read_drains",
    "read_project",
    "receiver_settings",
    "source_settings",
    "sweep_settings",
    "trigger_form",
]
