"""What the on-call engineer reads in Airflow: on a DAG's page and on each task's.

Only what is to be typed, and people's own names, stand in backquotes: Airflow draws those over the
lines above and below.
"""

from collections.abc import Sequence

from tidemark.core.settings.tables import Table
from tidemark.core.settings.targets import Target

TASKS = {
    "plan_increment": """\
Chooses what this run reads, and records it before anything is read; or takes up the batch that an
earlier run left in flight. Asks the source for its clock and its open transactions.

* **Failed**: the source is away, a column or key is missing, the right PROCESS is not granted, or
  the state document is lost. The message says which. Mend it; clear this task **with downstream**.
* **Green, and all later tasks skipped**: there was nothing new. Or it was a dry run: see its log.
* *"The horizon is held back by transaction …"*: somebody's transaction is open on the source.
  Nothing is lost, only late. `SHOW PROCESSLIST` there; wait, or end it.
""",
    "extract_chunk": """\
Reads one part of the window into Parquet files in S3, from one consistent snapshot. Leaves a
receipt; a chunk that has one is not read again.

* **Failed**: the source is away, or more rows than **max_bad_share** hold values that no warehouse
  can take; the message names the column. Mend or wait; clear the chunk **with downstream**.
* **"Rows were set aside"** in the log of a green task: `python -m tidemark quarantine list`.
* **Killed**: nothing to do; the next try reads this chunk anew.
""",
    "seal_batch": """\
Makes the batch exist, from the receipts of *all* planned chunks. From here on the source is not
needed again.

* **Failed**: a chunk has no receipt; it was marked success without running. Clear the task before
  this one **with downstream**.
""",
    "plan_drain": """\
Takes up the batch that an earlier run left in flight, or begins a new one. While one is in flight
nothing new is received.

* **Failed**: the queue cannot be asked, or the state document is lost. The message says which. Mend
  it; clear this task **with downstream**.
""",
    "receive_messages": """\
Takes messages out of the queue and writes them to S3, with every byte they came with. What a killed
try had received comes back by itself.

* **Failed**: the queue or S3 is away. Wait or mend; clear it **with downstream**.
""",
    "delete_messages": """\
Deletes the messages, last of all: only those that the sealed batch lists, and with **ack: loaded**
only once the ledger of every required warehouse lists it.

* **Failed**: a required warehouse lacks the batch; the message names the load to clear, **with
  downstream**. Or some messages could not be deleted: the next run takes the batch up.
""",
    "commit_watermark": """\
Moves the watermark, last of all: once the ledger of every required warehouse lists the batch. It
asks the ledgers, so a load that was only *marked* success is found out.

* **Failed**: a required warehouse lacks the batch, or owes an older one. The message names the
  load to clear, **with downstream**. Until then the next run takes up the same batch.
* **"Superseded"**, **"already committed"**: another run was faster. Nothing to do.
""",
}

_REQUIRED = """\
The watermark waits for this warehouse.

* **Failed**: it refuses, or is away. Mend that; clear this task **with downstream**, or let the
  next run take up the same batch. A retry takes up the statement that is still running.
"""
_BEST_EFFORT = """\
Nothing waits for this warehouse: the watermark moves without it, and what it lacks it *owes*.

* **Failed**: nothing must be done: the next run pays, oldest first. To turn this run green, or to
  pay now, clear this task alone.
* **Skipped**: its circuit breaker is open, or **no_operation** says so; the log has the reason.
  Clearing it tries at once.
"""
_LOAD = """\
Applies to **{label}** what it owes, and then this run's batch: each in one transaction with its
ledger row, so a second load of a batch changes nothing. {role}
* **A statement hangs**: it is named *tidemark, table, {name}, batch*. Cancelling it is safe.
* **"… that cannot be applied"**, **drift**, **new**: **docs/runbook.md** has each message.
"""


def load_manual(target: Target) -> str:
    """Return the manual of a target's load."""
    role = _REQUIRED if target.required else _BEST_EFFORT
    return _LOAD.format(label=target.label, name=target.name, role=role)


def facts(table: Table, targets: Sequence[Target]) -> str:
    """Return what a DAG's page says of its own table: where from, where to, how and when."""
    when = f"`{table.schedule}` (UTC)" if table.schedule else "when triggered"
    how = {
        "incremental": f"what changed, by `{table.cursor}`",
        "append": f"what was added, by `{table.cursor}`",
        "full": "the whole table, each time",
    }[table.strategy]
    lines = [
        f"**`{table.name}`** of `{table.source}`: {how}, {when}. State: "
        f"`watermark/tables/{table.name}.json`.",
        "",
        "| warehouse | role | table |",
        "|---|---|---|",
    ]
    for target in targets:
        role = ("required" if target.required else "best effort") if target.enabled else "disabled"
        place = f"`{target.database_schema}.{table.table_on(target.name)}`"
        lines.append(f"| {target.name} | {role} | {place} |")
    return "\n".join(lines)
