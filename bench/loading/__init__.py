"""How fast a batch gets into a warehouse, beside Airflow's own operator: same files, in turn."""

VARIABLE = "BENCH_LOADING"
"""The environment variable that tells the loading process what to do, as JSON."""

UPSERT, APPEND, REPLACE = (
    f"S3ToRedshiftOperator, {method}" for method in ("UPSERT", "APPEND", "REPLACE")
)
"""Their ways: replace by key, as ours for a table that changes; only copy, as ours for one that is
added to; empty the table and copy, as ours for one that is read as a whole."""

OURS = {"incremental": UPSERT, "append": APPEND, "full": REPLACE}
"""Our strategies, and what each is to be compared with."""

AS_IT_COMES = ", as it comes"
"""What is added to the name of theirs where it waits as by default: ten seconds at a time."""
