"""
### Copy one MySQL table into every warehouse

    plan_increment >> extract_chunk >> seal_batch >> load_<required> >> commit_watermark
                                                  >> load_<best effort>

**Any task may be cleared at any time.** The ledgers in the warehouses say what is applied; nothing
is loaded twice, and the watermark moves only when every required warehouse holds the batch.

* A *required* load failed: mend the cause, clear it with downstream; or wait for the next run.
* A *best effort* load failed: the warehouse owes the batch; the next run pays, or clear that task.
* `commit_watermark` failed: its last log line names the warehouse and the task to clear.
* Copy a past window again: backfill, or trigger with `since` / `until`; the watermark stays.
"""

from airflow.sdk import DAG
from tidemark.operators import (
    CommitWatermarkOperator,
    ExtractChunkOperator,
    LoadTargetOperator,
    PlanIncrementOperator,
    SealBatchOperator,
    dag_settings,
    load_settings,
    read_project,
)

tables, targets = read_project()
for table in tables:
    with DAG(doc_md=__doc__, **dag_settings(table)):
        plan = PlanIncrementOperator(task_id="plan_increment", table=table.name)
        extract = ExtractChunkOperator.partial(task_id="extract_chunk", table=table.name)
        chunks = extract.expand(chunk=plan.output["chunks"])
        seal = SealBatchOperator(task_id="seal_batch", table=table.name)
        loads = [LoadTargetOperator(table=table.name, **load_settings(t)) for t in targets]
        required = [load for load, t in zip(loads, targets, strict=True) if t.required]
        commit = CommitWatermarkOperator(
            task_id="commit_watermark", table=table.name, trigger_rule="all_done"
        )
        plan >> chunks >> seal >> [*loads, commit]
        required >> commit
