"""
### Copy one MySQL table into every warehouse

* plan_increment → extract_chunk → seal_batch → load_… (required) → commit_watermark
* seal_batch → load_… (best effort)

**Any task may be cleared at any time**: the ledgers in the warehouses know what is applied already.

* A *required* load failed: mend the cause, clear it with downstream; or wait for the next run.
* A *best effort* load failed: the warehouse owes the batch; the next run pays. Or clear it.
* **commit_watermark** failed: its log names the warehouse and the task to clear.
* A past window again: *Trigger* with **since** and **until**; it is one run, a *Backfill* hundreds.
"""

from airflow.sdk import DAG
from tidemark.operators import (
    CommitWatermarkOperator,
    ExtractChunkOperator,
    LoadTargetOperator,
    PlanIncrementOperator,
    SealBatchOperator,
    chunk_settings,
    dag_settings,
    gating,
    load_settings,
    read_project,
    source_settings,
    trigger_form,
)

for table, targets in read_project():
    with DAG(**dag_settings(table, targets, __doc__)) as dag:
        plan = PlanIncrementOperator(task_id="plan_increment", **source_settings(table))
        extract = ExtractChunkOperator.partial(task_id="extract_chunk", **chunk_settings(table))
        seal = SealBatchOperator(task_id="seal_batch", table=table.name)
        loads = [LoadTargetOperator(table=table.name, **load_settings(t)) for t in targets]
        commit = CommitWatermarkOperator(task_id="commit_watermark", table=table.name)
        plan >> extract.expand(chunk=plan.output) >> seal >> [*loads, commit]
        gating(table, loads) >> commit
        dag.params.update(trigger_form(table, targets))
