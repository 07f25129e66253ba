"""
### Bring a queue's events into every warehouse

* plan_drain → receive_messages → seal_batch → load_… (required) → delete_messages
* seal_batch → load_… (best effort)

**Any task may be cleared at any time.** Messages are deleted last, when every required warehouse
holds their batch. Until then nothing new is received; the queue keeps what comes.

* A *required* load failed: mend the cause, clear it with downstream; or wait for the next run.
* A *best effort* load failed: the warehouse owes the batch; the next run pays, or clear that task.
* **delete_messages** failed: its log names the warehouse and the task to clear.
"""

from airflow.sdk import DAG
from tidemark.operators import (
    DeleteMessagesOperator,
    LoadTargetOperator,
    PlanDrainOperator,
    ReceiveMessagesOperator,
    SealBatchOperator,
    drain_dag_settings,
    gating_deletion,
    load_settings,
    read_drains,
    receiver_settings,
)

for queue, targets in read_drains():
    with DAG(doc_md=__doc__, **drain_dag_settings(queue)):
        plan = PlanDrainOperator(task_id="plan_drain", table=queue.name)
        receive = ReceiveMessagesOperator.partial(
            task_id="receive_messages", **receiver_settings(queue)
        )
        seal = SealBatchOperator(task_id="seal_batch", table=queue.name)
        loads = [LoadTargetOperator(table=queue.name, **load_settings(t)) for t in targets]
        delete = DeleteMessagesOperator(task_id="delete_messages", table=queue.name)
        plan >> receive.expand(receiver=plan.output) >> seal >> [*loads, delete]
        gating_deletion(queue, loads) >> delete
